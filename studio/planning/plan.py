"""The plan of a job: frozen, complete, JSON-ready. Nothing in it is left to a server's defaults."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import Field

from studio.library.animals import DemonstrationSpec
from studio.library.product import DESCRIBED, ControlMode, DescriberName, PresetSpec, Tone
from studio.values import JobOptions, LoraWeight, Value
from training.names import AdapterForm

USUAL_LORA_WEIGHT = 0.8

_UNSAID = re.compile(rf",?\s*{re.escape(DESCRIBED)}")

Corners = tuple[int, int, int, int]

NO_ANIMAL = "animal"
"""What an animal is called in prompts as long as none is chosen."""


class Identity(Value):
    """A learned person as prompts name them.

    lora: its name on the server. checkpoint: bare name of the one it was learned on, which alone it fits. weight: of
    the LoRA where the preset sets none. form: what of its name is no LoRA: a learnt word is its own trigger, and a
    checkpoint takes the place of the one it was learned on.
    """

    trigger: str
    class_noun: str
    lora: str
    checkpoint: str
    weight: LoraWeight = USUAL_LORA_WEIGHT
    form: AdapterForm = "lora"


class Order(Value):
    """What was ordered, resolved as far as no server is needed.

    identities: what was learned of the subject, the newest first; none where the preset uses no identity.
    pose: the picture's path in the store. pose_is_skeleton: it is a drawn map, not a photograph. photo: path of the
    person's photo that the job works from; head: the square round the head in it, (left, top, right, bottom) in pixels;
    None where the photo is that square already. image: path of a finished picture that an animation begins with.
    reference: path of the picture that the composition takes after, where the job names one. animal: what the chosen
    animal is called in prompts. tone: the chosen one. demonstration: how the demonstration model draws animals, where
    the preset names one.
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
    photo: str | None = None
    image: str | None = None
    head: Corners | None = None
    reference: str | None = None
    animal: str = NO_ANIMAL
    tone: Tone | None = None
    demonstration: DemonstrationSpec | None = None


class ServerFacts(Value):
    """What planning must know of a server. native_size: shorter side in pixels; names as the server lists them.

    easyphoto: whether it can teach persons by that extension. animates: whether it has AnimateDiff.
    motion_modules: None where the server does not tell which it has. checkpoints: titles of all that it lists.
    """

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
    face_swappers: tuple[str, ...] = ()
    face_restorers: tuple[str, ...] = ()
    animates: bool = False
    motion_modules: tuple[str, ...] | None = None
    easyphoto: bool = False
    checkpoints: tuple[str, ...] = ()


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
    """One ControlNet unit; picture: path of pose or photo in the store, or None for the stage's input.

    part: of the picture that alone is read, (left, top, right, bottom) in pixels; None for all of it.
    resolution: pixels; it and the thresholds are -1 for the preprocessor's own.
    """

    unit: str
    module: str
    model: str
    picture: str | None
    part: Corners | None = None
    weight: float
    guidance_start: float
    guidance_end: float
    control_mode: ControlMode
    resolution: int = -1
    threshold_a: float = -1
    threshold_b: float = -1


class Enlargement(Value):
    """How an upscale stage enlarges. tile_width, tile_height, overlap: pixels."""

    scale: float
    upscaler: str
    script: str
    tile_width: int
    tile_height: int
    overlap: int


class Motion(Value):
    """How a stage animates. module: file name of the motion module; the rest is as in a preset."""

    module: str
    frames: int
    context: int
    fps: int
    closed_loop: Literal["N", "R-P", "R+P", "A"]


class PlannedStage(Value):
    """One stage of one picture. width, height: pixels that come out, before rounding by an upscale script.

    prompt: in it and in those of adetailer {described} stands for words that a stage before is still to read. picture:
    path in the store of the picture that a first stage works over, cut to its proportions, or of the reference that a
    composition takes after, where the job brings them; else None. motion: of a stage that animates. crop: side in
    pixels of the crops that a stage repairs in frames.
    """

    name: str
    use: Literal["reference", "txt2img", "img2img", "upscale", "animate", "repair_frames"]
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
    picture: str | None = None
    motion: Motion | None = None
    crop: int | None = None

    @property
    def files(self) -> set[str]:
        """Paths in the store of the pictures it needs beside its input."""
        return {unit.picture for unit in self.controlnet if unit.picture}


class PlannedDescription(Value):
    """A stage that reads a picture into words. picture: its path in the store, None for what the stage before made.

    describers: who is asked, in this order. width, height: pixels of what the reference is for.
    """

    name: str
    use: Literal["describe"]
    describers: tuple[DescriberName, ...]
    picture: str | None
    width: int
    height: int

    @property
    def files(self) -> set[str]:
        """None beside its input."""
        return set()


class PlannedFaceSwap(Value):
    """A stage that puts a photo's face into the picture of the stage before. photo: its path in the store.

    face_restorer: None for none. width, height: pixels, as they come in.
    """

    name: str
    use: Literal["face_swap"]
    swapper: str
    face_restorer: str | None
    photo: str | None
    width: int
    height: int

    @property
    def files(self) -> set[str]:
        """Paths in the store of the pictures it needs beside its input."""
        return {self.photo} if self.photo else set()


class PlannedExtras(Value):
    """A stage that enlarges the picture of the stage before by an upscaler alone.

    width, height: pixels that come out, before rounding by the server.
    """

    name: str
    use: Literal["extras"]
    upscaler: str
    scale: float
    width: int
    height: int

    @property
    def files(self) -> set[str]:
        """Paths in the store of the pictures it needs beside its input: none."""
        return set()


AnyPlannedStage = Annotated[
    PlannedStage | PlannedDescription | PlannedFaceSwap | PlannedExtras, Field(discriminator="use")
]


def with_description(stage: PlannedStage, words: str) -> PlannedStage:
    """The stage with words in place of {described} in its prompts; without words its comma goes too."""
    tabs = tuple(tab.model_copy(update={"prompt": _told(tab.prompt, words)}) for tab in stage.adetailer)
    return stage.model_copy(update={"prompt": _told(stage.prompt, words), "adetailer": tabs})


def _told(prompt: str, words: str) -> str:
    return prompt.replace(DESCRIBED, words) if words else _UNSAID.sub("", prompt)


class PlannedPicture(Value):
    """All stages of one picture of the job. number: from 0."""

    number: int
    seed: int
    stages: tuple[AnyPlannedStage, ...]

    @property
    def sampled(self) -> tuple[PlannedStage, ...]:
        """The stages that sample, in order; the first stage is one of them."""
        return tuple(stage for stage in self.stages if isinstance(stage, PlannedStage))


class Choice(Value):
    """Where a server lacks the first name wanted. taken: the declared alternative; None: left out as declared."""

    stage: str
    kind: str
    wanted: str
    taken: str | None


class Lack(Value):
    """Something a server has not got. wanted: the names that would do. optional: the preset does without it."""

    stage: str
    kind: str
    wanted: tuple[str, ...]
    optional: bool


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
