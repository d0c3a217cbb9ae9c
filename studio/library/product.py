"""What a preset may say. Ranges live in the types; unknown keys are refused.

Wherever a server's name stands (sampler, upscaler, detector, ControlNet model …) a list may stand as well: the names
in order of preference. What was taken instead of the first is written into the recipe. ``optional: true`` lets a part
be left out where no server name fits; that too is written down. Nothing else is ever replaced.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator

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

    model: names or parts of names, by default the family's. picture "pose" takes the chosen pose picture and leaves the
    unit out when none was chosen; "input" takes the stage's input picture.
    """

    unit: Literal["openpose", "canny", "tile_resample", "mediapipe_face", "depth"]
    picture: Literal["pose", "input"] = "input"
    module: Names = ()
    model: Names = ()
    weight: Annotated[float, Field(ge=0, le=2)] = 1.0
    guidance_start: Strength = 0.0
    guidance_end: Strength = 1.0
    control_mode: ControlMode = "Balanced"
    optional: bool = False

    @model_validator(mode="after")
    def _start_before_end(self) -> ControlSpec:
        if self.guidance_start > self.guidance_end:
            raise ValueError("guidance_start must not be greater than guidance_end")
        return self


class StyleLora(Spec):
    """A LoRA of the server that gives a look (film, detail, skin). weight: -2 to 2."""

    name: SomeNames
    weight: Annotated[float, Field(ge=-2, le=2)] = 0.6
    optional: bool = False


class Sampling(Spec):
    """How a picture is sampled; None takes the preset's own value, and there the studio's."""

    prompt: Text | None = None
    negative_prompt: Text | None = None
    steps: Annotated[int, Field(ge=1, le=150)] | None = None
    sampler: SomeNames | None = None
    scheduler: SomeNames | None = None
    cfg_scale: Annotated[float, Field(ge=1, le=30)] | None = None
    clip_skip: Annotated[int, Field(ge=1, le=12)] | None = None


class StageSpec(Sampling):
    """What all stages share. title: what people call the stage."""

    title: Words | None = None
    adetailer: tuple[DetailerSpec, ...] = ()
    controlnet: tuple[ControlSpec, ...] = ()


class Txt2ImgSpec(StageSpec):
    """Make the composition from words alone."""

    use: Literal["txt2img"]


class Img2ImgSpec(StageSpec):
    """Work over the picture of the stage before at its own size."""

    use: Literal["img2img"]
    denoising_strength: Strength = 0.35


class UpscaleSpec(StageSpec):
    """Enlarge the picture of the stage before, tile by tile. overlap: pixels at the preset's own size."""

    use: Literal["upscale"]
    scale: Annotated[float, Field(ge=1, le=4)] = 2.0
    denoising_strength: Strength = 0.15
    upscaler: SomeNames = ("4x-UltraSharp", "R-ESRGAN 4x+", "Lanczos")
    script: SomeNames = ("Ultimate SD upscale", "SD upscale")
    overlap: Annotated[int, Field(ge=0, le=256)] = 64


AnyStage = Annotated[Txt2ImgSpec | Img2ImgSpec | UpscaleSpec, Field(discriminator="use")]


class PresetSpec(Sampling):
    """A whole preset. width, height: pixels for a checkpoint of native size 512, adapted to the server's.

    identity: "lora" needs a learned subject (or runs without one when a job names none), "none" never uses one.
    lora_weight: of the subject's own LoRA; None for the one that was found best for it. extends: the preset whose keys
    this one starts from. thumbnail: a file in the folder "thumbnails" beside it.
    """

    title: Words
    description: Words = Words(en="", ko="")
    product: Literal["profile", "look"] = "profile"
    extends: Name | None = None
    identity: Literal["lora", "none"] = "lora"
    thumbnail: Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]+\.(png|jpg)$")] | None = None
    width: Annotated[int, Field(ge=256, le=2048, multiple_of=8)] = 512
    height: Annotated[int, Field(ge=256, le=2048, multiple_of=8)] = 768
    lora_weight: Annotated[float, Field(ge=0, le=2)] | None = None
    loras: tuple[StyleLora, ...] = ()
    stages: Annotated[dict[StageName, AnyStage], Field(min_length=1, max_length=12)]

    @model_validator(mode="after")
    def _first_stage_needs_no_picture(self) -> PresetSpec:
        uses = [stage.use for stage in self.stages.values()]
        if uses[0] != "txt2img" or "txt2img" in uses[1:]:
            raise ValueError("the first stage, and only the first, must use txt2img")
        if self.prompt is None and any(stage.prompt is None for stage in self.stages.values()):
            raise ValueError("needs a prompt, of its own or in every stage")
        return self


def preset_schema() -> dict[str, Any]:
    """The JSON Schema of a preset file, for editors."""
    schema = PresetSpec.model_json_schema(mode="validation")
    schema["title"] = "Sajin preset"
    return schema
