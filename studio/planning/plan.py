"""The plan of a job: frozen, complete, JSON-ready. Nothing in it is left to a server's defaults."""

from __future__ import annotations

from typing import Literal

from studio.library.product import ControlMode, PresetSpec
from studio.values import JobOptions, LoraWeight, Value

USUAL_LORA_WEIGHT = 0.8


class Identity(Value):
    """A learned person as prompts name them.

    lora: its name on the server. checkpoint: bare name of the one it was learned on, which alone it fits. weight: of
    the LoRA where the preset sets none.
    """

    trigger: str
    class_noun: str
    lora: str
    checkpoint: str
    weight: LoraWeight = USUAL_LORA_WEIGHT


class Order(Value):
    """What was ordered, resolved as far as no server is needed.

    identities: what was learned of the subject, the newest first; none where the preset uses no identity.
    pose: the picture's path in the store. pose_is_skeleton: it is a drawn map, not a photograph.
    """

    preset: str
    spec: PresetSpec
    options: JobOptions
    count: int
    seed: int
    identities: tuple[Identity, ...]
    class_noun: str
    pose: str | None
    pose_is_skeleton: bool = False


class ServerFacts(Value):
    """What planning must know of a server. native_size: shorter side in pixels; names as the server lists them."""

    url: str
    checkpoint: str
    native_size: int
    demonstration: bool
    samplers: tuple[str, ...]
    schedulers: tuple[str, ...]
    upscalers: tuple[str, ...]
    loras: tuple[str, ...]
    scripts: tuple[str, ...]
    detectors: tuple[str, ...]
    controlnet_models: tuple[str, ...]
    controlnet_modules: tuple[str, ...]


class PlannedDetailer(Value):
    """One ADetailer tab; names exact, pixels at the planned size."""

    model: str
    prompt: str
    negative_prompt: str
    confidence: float
    denoising_strength: float
    mask_blur: int
    dilate_erode: int
    padding: int


class PlannedControl(Value):
    """One ControlNet unit; picture: path of the pose in the store, or None for the stage's input."""

    unit: str
    module: str
    model: str
    picture: str | None
    weight: float
    guidance_start: float
    guidance_end: float
    control_mode: ControlMode


class Enlargement(Value):
    """How an upscale stage enlarges. tile_width, tile_height, overlap: pixels."""

    scale: float
    upscaler: str
    script: str
    tile_width: int
    tile_height: int
    overlap: int


class PlannedStage(Value):
    """One stage of one picture. width, height: pixels that come out, before rounding by an upscale script."""

    name: str
    use: Literal["txt2img", "img2img", "upscale"]
    prompt: str
    negative_prompt: str
    seed: int
    steps: int
    sampler: str
    scheduler: str
    cfg_scale: float
    clip_skip: int
    width: int
    height: int
    denoising_strength: float | None
    enlargement: Enlargement | None
    adetailer: tuple[PlannedDetailer, ...]
    controlnet: tuple[PlannedControl, ...]


class PlannedPicture(Value):
    """All stages of one picture of the job. number: from 0."""

    number: int
    seed: int
    stages: tuple[PlannedStage, ...]


class Choice(Value):
    """Where a server lacks the first name wanted. taken: the declared alternative; None: left out as declared."""

    stage: str
    kind: str
    wanted: str
    taken: str | None


class Plan(Value):
    """A whole job on one kind of server.

    checkpoint: the one it was planned for. identity: who the prompts name. loras: names the prompts call.
    """

    checkpoint: str
    demonstration: bool
    identity: Identity | None
    loras: tuple[str, ...]
    choices: tuple[Choice, ...]
    pictures: tuple[PlannedPicture, ...]
