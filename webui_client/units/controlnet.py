"""ControlNet units in the spellings of Mikubill's extension and of Forge.

Written to the A1111 contract notes on ControlNet (sections 2, 4 and 6). Only keys that both dialects know
are sent.
"""

from __future__ import annotations

import base64
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from webui_client.pictures import upright_png

Dialect = Literal["mikubill", "forge"]
ResizeMode = Literal["Just Resize", "Crop and Resize", "Resize and Fill"]
ControlMode = Literal["Balanced", "My prompt is more important", "ControlNet is more important"]
HiresOption = Literal["Both", "Low res only", "High res only"]
Share = Annotated[float, Field(ge=0, le=1)]

# What a ControlNet's file name says of its kind, by the beginning of the preprocessor's name.
MODEL_WORDS = (
    (("openpose", "dw_openpose", "densepose", "animal_openpose"), ("openpose", "pose")),
    (("tile", "blur"), ("tile",)),
    (("canny",), ("canny",)),
    (("depth",), ("depth",)),
    (("hed", "pidinet", "softedge"), ("softedge", "hed")),
    (("lineart",), ("lineart",)),
    (("mediapipe_face",), ("mediapipe_face", "mediapipe", "face")),
    (("inpaint",), ("inpaint",)),
    (("normal",), ("normal",)),
    (("scribble",), ("scribble",)),
    (("seg",), ("seg",)),
    (("mlsd",), ("mlsd",)),
)

READ_A_MASK = ("inpaint", "lama", "ip-adapter", "clip", "insightface", "instant_id")
"""Beginnings of the preprocessors that read a mask, in Mikubill's and Forge's spellings."""


class ControlNetUnit(BaseModel):
    """One ControlNet unit.

    module: the preprocessor that draws the map, "none" if image already is one. model: the ControlNet as
    listed, its bare file stem, or None for the server's own ControlNet of this kind. weight: 0 to 2. image:
    an encoded picture; None with img2img means the initial picture (each tile's own, under an upscale
    script). mask: of the picture's size, white is repainted; only for preprocessors that read one (inpainting,
    and those of IP-Adapter, for which it is the region that counts). processor_res: pixels, -1 for the
    preprocessor's own. threshold_a, threshold_b: -1 for its own. guidance_start, guidance_end: share of the steps.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())

    module: str = "none"
    model: str | None = None
    weight: Annotated[float, Field(ge=0, le=2)] = 1.0
    image: bytes | None = Field(default=None, repr=False)
    mask: bytes | None = Field(default=None, repr=False)
    resize_mode: ResizeMode = "Crop and Resize"
    processor_res: Annotated[int, Field(ge=-1)] = -1
    threshold_a: float = -1
    threshold_b: float = -1
    guidance_start: Share = 0.0
    guidance_end: Share = 1.0
    control_mode: ControlMode = "Balanced"
    pixel_perfect: bool = False
    hr_option: HiresOption = "Both"

    @model_validator(mode="after")
    def _a_mask_is_read_as_one(self) -> ControlNetUnit:
        if self.mask is not None and not self.module.lower().startswith(READ_A_MASK):
            raise ValueError(f"{self.module} would take the mask for the drawing, in place of the picture")
        return self

    @model_validator(mode="after")
    def _guidance_runs_forward(self) -> ControlNetUnit:
        if self.guidance_start > self.guidance_end:
            raise ValueError("guidance_start must not be after guidance_end")
        return self

    def spell(self, dialect: Dialect, model: str) -> dict[str, Any]:
        """Return the unit as the server's extension reads it. model: the name exactly as listed there.

        The detected map is always asked back: it is the only proof that the unit ran. Absent pictures are
        left out, never sent as "", which would be decoded and fail in silence. Raises BadPicture for an
        unreadable one.
        """
        fields = self.model_dump(exclude={"module", "model", "image", "mask"})
        pictures = {"image": self.image, "mask_image": self.mask}
        return {
            "enabled": True,
            "module": spell_module(self.module, dialect),
            "model": model,
            **fields,
            **{key: encode(data) for key, data in pictures.items() if data is not None},
            "save_detected_map": True,
        }


def encode(data: bytes) -> str:
    """Return a picture as the base64 text of an upright, opaque PNG; raises BadPicture."""
    return base64.b64encode(upright_png(data)).decode("ascii")


def spell_module(module: str, dialect: Dialect) -> str:
    """Return the preprocessor's name in a dialect: "no preprocessor" is "none" at Mikubill's, "None" at
    Forge's.
    """
    if module.lower() != "none":
        return module
    return "None" if dialect == "forge" else "none"


def stem(listed: str) -> str:
    """Return the bare name of a listed ControlNet: ``name [hash8]`` without the hash, in lower case."""
    return listed.rsplit(" [", 1)[0].lower()


def resolve_model(wanted: str, listed: tuple[str, ...]) -> str | None:
    """Return the listed ControlNet that wanted names (exactly, or by its stem whatever the hash), or None."""
    if wanted in listed:
        return wanted
    return next((name for name in listed if stem(name) == stem(wanted)), None)


def model_for(module: str, listed: tuple[str, ...], *, sdxl: bool) -> str | None:
    """Return the listed ControlNet that fits a preprocessor, judged by file names, or None.

    sdxl: whether the checkpoint is an SDXL one; a ControlNet of the other family is never chosen.
    """
    words = next((found for starts, found in MODEL_WORDS if module.lower().startswith(starts)), ())
    family = [name for name in listed if _is_for_sdxl(name) == sdxl]
    return next((name for word in words for name in family if word in stem(name)), None)


def needs_model(module: str) -> bool:
    """Whether a unit with this preprocessor works through a ControlNet (the reference ones do without)."""
    return not module.lower().startswith("reference")


def _is_for_sdxl(listed: str) -> bool:
    return "xl" in stem(listed)
