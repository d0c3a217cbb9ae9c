"""What a preset may say. Ranges live in the types; unknown keys are refused.

Wherever a server's name stands (sampler, upscaler, detector, ControlNet model …) a list may stand as well: the names
in order of preference. What was taken instead of the first is written into the recipe. ``optional: true`` lets a part
be left out where no server name fits; that too is written down. Nothing else is ever replaced.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    TypeAdapter,
    model_validator,
)

from studio.values import Words


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


Name = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Names = Annotated[tuple[Name, ...], BeforeValidator(_listed, json_schema_input_type=str | list[str])]
SomeNames = Annotated[Names, Field(min_length=1)]
StageName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,31}$")]
ControlMode = Literal["Balanced", "My prompt is more important", "ControlNet is more important"]
Strength = Annotated[float, Field(ge=0, le=1)]
Text = Annotated[str, Field(max_length=4000)]
EXTRAS = "extras"
"""Stands for a script in an upscale stage: enlarge without sampling."""
ANIMAL = "{animal}"
DESCRIBED = "{described}"
DescriberName = Literal["interrogate", "sajin"]
ThumbnailName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]+\.(png|jpg)$")]
Path = tuple[str | int, ...]
ONLY_FIRST = frozenset({"reference", "describe", "txt2img", "animate"})
TRAVEL_LINE = re.compile(r"(\d+): (\S.*)")


class Spec(BaseModel):
    """A frozen part of a preset that refuses unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class DetailerSpec(Spec):
    """One ADetailer tab: what finds the spot, and how it is painted anew.

    denoising_strength, confidence: 0 to 1. mask_blur, dilate_erode, padding: pixels at the preset's own size.
    """

    model: SomeNames
    prompt: Text = ""
    negative_prompt: Text = ""
    confidence: Strength = 0.3
    denoising_strength: Strength = 0.4
    mask_blur: Annotated[int, Field(ge=0, le=64)] = 4
    dilate_erode: Annotated[int, Field(ge=-64, le=64)] = 4
    padding: Annotated[int, Field(ge=0, le=256)] = 32
    optional: bool = False


class ControlSpec(Spec):
    """One ControlNet unit. unit: the preprocessor's family; module: its names, by default the family's own.

    model: names or parts of names, by default the family's. picture "pose" takes the chosen pose picture; with none
    chosen a composition takes the pose of its reference, and elsewhere the unit is left out. "photo" takes the job's
    photo of a person; "input" the stage's input picture.
    "ip_adapter_face" and "instant_id" carry the photo's face over; their preprocessors and models are the server's own
    best, and they are left out for a learned person. InstantID takes the face's place from the reference where there is
    one; it needs a checkpoint of SDXL.
    resolution: pixels the preprocessor works at, threshold_a and threshold_b its own numbers; None for its defaults.
    """

    unit: Literal[
        "openpose", "canny", "tile_resample", "mediapipe_face", "depth", "ip_adapter_face", "instant_id"
    ]
    picture: Literal["pose", "photo", "input"] = "input"
    module: Names = ()
    model: Names = ()
    weight: Annotated[float, Field(ge=0, le=2)] = 1.0
    guidance_start: Strength = 0.0
    guidance_end: Strength = 1.0
    control_mode: ControlMode = "Balanced"
    resolution: Annotated[int, Field(ge=64, le=2048)] | None = None
    threshold_a: Annotated[float, Field(ge=0, le=255)] | None = None
    threshold_b: Annotated[float, Field(ge=0, le=255)] | None = None
    optional: bool = False

    @model_validator(mode="after")
    def _start_before_end(self) -> ControlSpec:
        if self.guidance_start > self.guidance_end:
            raise ValueError("guidance_start must not be greater than guidance_end")
        return self

    @property
    def carries_face(self) -> bool:
        """Whether it puts the face of a photo into the picture."""
        return self.unit in ("ip_adapter_face", "instant_id")

    @model_validator(mode="after")
    def _faces_come_from_photos(self) -> ControlSpec:
        if self.carries_face and (self.picture != "photo" or self.module or self.model):
            raise ValueError(f"{self.unit} takes picture: photo, and neither module nor model")
        return self


class StyleLora(Spec):
    """A LoRA of the server that gives a look (film, detail, skin). weight: -2 to 2."""

    name: SomeNames
    weight: Annotated[float, Field(ge=-2, le=2)] = 0.6
    optional: bool = False


def _spelled_loras(value: object) -> object:
    """The list that "film:0.6, detail" stands for; a weight left out is the usual one."""
    if not isinstance(value, str):
        return value
    pairs = (part.strip().rpartition(":") for part in value.split(",") if part.strip())
    return [
        {"name": name.strip(), "weight": weight} if colon else {"name": weight}
        for name, colon, weight in pairs
    ]


StyleLoras = Annotated[
    tuple[StyleLora, ...], BeforeValidator(_spelled_loras, json_schema_input_type=str | list[StyleLora])
]
STYLE_LORAS: TypeAdapter[tuple[StyleLora, ...]] = TypeAdapter(StyleLoras)


class Tone(Spec):
    """A film look that a job may choose: what it adds to the stage that takes the tone.

    denoising_strength: instead of the stage's own, None keeps that. loras: beside those of the preset.
    """

    title: Words
    description: Words
    prompt: Annotated[str, Field(min_length=1, max_length=1000)]
    negative_prompt: Annotated[str, Field(max_length=1000)] = ""
    denoising_strength: Strength | None = None
    loras: StyleLoras = ()


class Sampling(Spec):
    """How a picture is sampled; None takes the preset's own value, and there the studio's."""

    prompt: Text | None = None
    negative_prompt: Text | None = None
    steps: Annotated[int, Field(ge=1, le=150)] | None = None
    sampler: SomeNames | None = None
    scheduler: SomeNames | None = None
    cfg_scale: Annotated[float, Field(ge=1, le=30)] | None = None
    clip_skip: Annotated[int, Field(ge=1, le=12)] | None = None
    loras: StyleLoras | None = None


class StageSpec(Sampling):
    """What all stages share. title: what people call the stage."""

    title: Words | None = None
    adetailer: tuple[DetailerSpec, ...] = ()
    controlnet: tuple[ControlSpec, ...] = ()


class ReferenceSpec(StageSpec):
    """Make the picture of nobody in particular that the composition takes after, unless the job names one."""

    use: Literal["reference"]


class DescribeSpec(Spec):
    """Read expression, clothes and background of the reference: the words that {described} stands for in later prompts.

    describer: who does it, in order of preference: "interrogate" is the server's own captioner, where it has one;
    "sajin" measures mesh, segmentation and colours, without any server. title: what people call the stage.
    """

    use: Literal["describe"]
    title: Words | None = None
    describer: Annotated[tuple[DescriberName, ...], BeforeValidator(_listed), Field(min_length=1)] = (
        "interrogate",
        "sajin",
    )


class Txt2ImgSpec(StageSpec):
    """Make the composition from words, and after the reference where there is one."""

    use: Literal["txt2img"]


class Img2ImgSpec(StageSpec):
    """Work over the picture of the stage before at its own size; as the first stage, over the job's photo.

    takes_tone: whether a tone that the job chooses is put in here.
    """

    use: Literal["img2img"]
    denoising_strength: Strength = 0.35
    takes_tone: bool = False


class UpscaleSpec(StageSpec):
    """Enlarge the picture of the stage before, tile by tile. overlap: pixels at the preset's own size.

    script: "extras" among its names enlarges by the upscaler alone; nothing is sampled then.
    """

    use: Literal["upscale"]
    scale: Annotated[float, Field(ge=1, le=4)] = 2.0
    denoising_strength: Strength = 0.15
    upscaler: SomeNames = ("4x-UltraSharp", "R-ESRGAN 4x+", "Lanczos")
    script: SomeNames = ("Ultimate SD upscale", "SD upscale")
    overlap: Annotated[int, Field(ge=0, le=256)] = 64


class _FramesSpec(StageSpec):
    """A stage of an animation. What works on single pictures would make its frames flicker, so it is refused."""

    @model_validator(mode="after")
    def _no_unit_works_on_frames(self) -> _FramesSpec:
        if self.adetailer or self.controlnet:
            raise ValueError(
                "adetailer and controlnet do not work on the frames of an animation; use a stage repair_frames"
            )
        return self


class AnimateSpec(_FramesSpec):
    """Make an animation by AnimateDiff: from words alone, or over a finished picture where a job names one.

    module: file names of motion modules. frames: how many are sampled. context: how many of them the module sees
    together, at most frames. fps: frames a second. closed_loop: how the end is led back to the beginning ("A" plays it
    back in reverse where context is no less than frames, "N" not at all). denoising_strength: over a finished picture.
    travel: lines "frame: words", the first of frame 0; the words change over the frames from one to the next.
    """

    use: Literal["animate"]
    module: SomeNames
    frames: Annotated[int, Field(ge=4, le=64)] = 16
    context: Annotated[int, Field(ge=4, le=32)] = 16
    fps: Annotated[int, Field(ge=1, le=30)] = 8
    closed_loop: Literal["N", "R-P", "R+P", "A"] = "A"
    denoising_strength: Strength = 0.75
    travel: Text = ""

    @model_validator(mode="after")
    def _the_travel_stays_within_the_frames(self) -> AnimateSpec:
        if self.context > self.frames:
            raise ValueError(f"context may be at most the {self.frames} frames")
        steps = read_travel(self.travel)
        if steps and steps[0][0] != 0:
            raise ValueError("travel must begin with frame 0")
        if steps and steps[-1][0] >= self.frames:
            raise ValueError(f"travel goes to frame {steps[-1][0]}; the last one is {self.frames - 1}")
        return self


class RepairFramesSpec(_FramesSpec):
    """Paint the face anew in every frame, on a crop that follows it smoothly; frames without a face stay as they are.

    size: side of the crop as it is painted, in pixels for a checkpoint of native size 512.
    """

    use: Literal["repair_frames"]
    denoising_strength: Strength = 0.25
    size: Annotated[int, Field(ge=256, le=1024, multiple_of=64)] = 512


class FaceSwapSpec(Spec):
    """Put the person's face from a photo in place of the one in the picture of the stage before; nothing is sampled.

    swapper: the extension that does it. face_restorer: used after it where the server has one, for what a swapper
    leaves is coarse; left out, and noted, where it has none. title: what people call the stage.
    """

    use: Literal["face_swap"]
    title: Words | None = None
    swapper: SomeNames = ("faceswaplab", "reactor", "roop")
    face_restorer: SomeNames = ("GFPGAN", "CodeFormer")


SampledStage = ReferenceSpec | Txt2ImgSpec | Img2ImgSpec | UpscaleSpec | AnimateSpec | RepairFramesSpec
AnyStage = Annotated[SampledStage | DescribeSpec | FaceSwapSpec, Field(discriminator="use")]
BEGINNINGS = (
    ("txt2img",),
    ("img2img",),
    ("animate",),
    ("reference", "txt2img"),
    ("reference", "describe", "txt2img"),
)
"""How the stages may begin; what works over a picture follows."""


class PresetSpec(Sampling):
    """A whole preset. width, height: pixels for a checkpoint of native size 512, adapted to the server's.

    identity: "lora" needs a learned subject (or runs without one when a job names none), "none" never uses one;
    "instant" uses what was learned of the subject where that fits the server, and else a photo's face, put in by the
    stages that swap faces, which are left out otherwise.
    lora_weight: of the subject's own LoRA; None for the one that was found best for it. extends: the preset whose keys
    this one starts from. thumbnail: a file in the folder "thumbnails" beside it.
    """

    title: Words
    description: Words = Words(en="", ko="")
    product: Literal["profile", "look", "instant", "animal", "animated"] = "profile"
    extends: Name | None = None
    identity: Literal["lora", "instant", "none"] = "lora"
    thumbnail: ThumbnailName | None = None
    width: Annotated[int, Field(ge=256, le=2048, multiple_of=8)] = 512
    height: Annotated[int, Field(ge=256, le=2048, multiple_of=8)] = 768
    lora_weight: Annotated[float, Field(ge=0, le=2)] | None = None
    stages: Annotated[dict[StageName, AnyStage], Field(min_length=1, max_length=12)]

    @model_validator(mode="after")
    def _every_stage_has_something_to_begin_with(self) -> PresetSpec:
        uses = [stage.use for stage in self.stages.values()]
        if not any(_begins(uses, beginning) for beginning in BEGINNINGS):
            raise ValueError(
                "the first stage must use txt2img, animate, img2img over a photo, or reference, which txt2img follows, "
                "with describe between them or not; reference, describe, txt2img and animate may not be used again"
            )
        animated = uses[0] == "animate"
        if any((use == "repair_frames") != animated for use in uses[1:]):
            raise ValueError(
                "an animation is followed by stages that repair its frames, and only an animation"
            )
        if animated != (self.product == "animated"):
            raise ValueError('a stage that animates belongs to product "animated", and that needs one')
        if self.prompt is None and any(stage.prompt is None for stage in self.sampled.values()):
            raise ValueError("needs a prompt, of its own or in every stage")
        carried = any(unit.carries_face for stage in self.sampled.values() for unit in stage.controlnet)
        if (self.identity == "instant") != ("face_swap" in uses or carried):
            raise ValueError(
                "what brings a photo's face (face_swap, ip_adapter_face, instant_id) belongs to identity "
                '"instant", and that needs one'
            )
        return self

    @property
    def sampled(self) -> dict[str, SampledStage]:
        """The stages that sample, by name: all but those that describe or swap faces."""
        return {
            name: stage
            for name, stage in self.stages.items()
            if not isinstance(stage, DescribeSpec | FaceSwapSpec)
        }

    @property
    def takes_reference(self) -> bool:
        """Whether a job may name a picture that the composition takes after."""
        return any(isinstance(stage, ReferenceSpec) for stage in self.stages.values())

    @property
    def describes(self) -> bool:
        """Whether the reference is read into words, which a job may replace by its own."""
        return any(isinstance(stage, DescribeSpec) for stage in self.stages.values())

    @property
    def takes_photo(self) -> bool:
        """Whether a job works from a photo of a person: as its first picture, in a ControlNet unit, or for its face."""
        stages = list(self.sampled.values())
        units = (unit for stage in stages for unit in stage.controlnet)
        begins = stages[0].use == "img2img" or any(unit.picture == "photo" for unit in units)
        return begins or self.identity == "instant"

    @property
    def animates(self) -> bool:
        """Whether it makes an animation, which may begin with a finished picture."""
        return next(iter(self.stages.values())).use == "animate"

    @property
    def takes_tone(self) -> bool:
        """Whether a job may choose a tone."""
        return any(takes_tone(stage) for stage in self.sampled.values())

    @property
    def names_animal(self) -> bool:
        """Whether its words name an animal that a job chooses."""
        return any(ANIMAL in text for _, text in self.texts())

    def texts(self) -> Iterator[tuple[Path, str]]:
        """Every template with its path."""
        for path, sampling in (
            ((), self),
            *((("stages", name), stage) for name, stage in self.sampled.items()),
        ):
            for key in ("prompt", "negative_prompt"):
                if text := getattr(sampling, key):
                    yield (*path, key), text
            if isinstance(sampling, AnimateSpec) and sampling.travel:
                yield (*path, "travel"), sampling.travel
        for name, stage in self.sampled.items():
            for position, tab in enumerate(stage.adetailer):
                for key in ("prompt", "negative_prompt"):
                    if text := getattr(tab, key):
                        yield ("stages", name, "adetailer", position, key), text


def read_travel(text: str) -> list[tuple[int, str]]:
    """The steps of a prompt travel: (frame, words), frames rising. Raises ValueError, naming the line that is none.

    AnimateDiff's own form: digits, a colon, one space, the words. Empty lines are left out.
    """
    steps: list[tuple[int, str]] = []
    for line in filter(None, map(str.strip, text.splitlines())):
        found = TRAVEL_LINE.fullmatch(line)
        if found is None:
            raise ValueError(f'travel has a line that is not "frame: words": {line!r}')
        if steps and int(found[1]) <= steps[-1][0]:
            raise ValueError(f"the frames of travel must rise; {found[1]} follows {steps[-1][0]}")
        steps.append((int(found[1]), found[2].strip()))
    return steps


def _begins(uses: Sequence[str], beginning: Sequence[str]) -> bool:
    """Whether stages of these uses begin so, and what follows works over a picture."""
    count = len(beginning)
    return tuple(uses[:count]) == tuple(beginning) and ONLY_FIRST.isdisjoint(uses[count:])


def takes_tone(stage: SampledStage | DescribeSpec | FaceSwapSpec) -> bool:
    """Whether a tone that the job chooses is put into a stage."""
    return isinstance(stage, Img2ImgSpec) and stage.takes_tone


def preset_schema() -> dict[str, Any]:
    """The JSON Schema of a preset file, for editors."""
    schema = PresetSpec.model_json_schema(mode="validation")
    schema["title"] = "Sajin preset"
    return schema
