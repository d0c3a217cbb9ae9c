"""ControlNet units in the spellings of Mikubill's extension and of Forge.

Written to the A1111 contract notes on ControlNet (sections 2, 4 and 6). Only keys that both dialects know
are sent, and ``union_control_type`` where it is needed.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from webui_client.pictures import upright_png
from webui_client.units.preprocessors import THRESHOLDS, control_type

Dialect = Literal["mikubill", "forge"]
ResizeMode = Literal["Just Resize", "Crop and Resize", "Resize and Fill"]
ControlMode = Literal["Balanced", "My prompt is more important", "ControlNet is more important"]
HiresOption = Literal["Both", "Low res only", "High res only"]
Share = Annotated[float, Field(ge=0, le=1)]

NO_MODEL = "None"


class ControlNetUnit(BaseModel):
    """One ControlNet unit.

    module: the preprocessor that draws the map, by any of its names, "none" if image already is one. model: the
    ControlNet as listed, its bare file stem, or None for the server's own ControlNet of this kind. weight: 0 to 2.
    image: an encoded picture; None with img2img means the initial picture (each tile's own, under an upscale
    script). further_images: more encoded pictures of the same thing, for IP-Adapter alone. mask: of the picture's size,
    white is repainted; only for preprocessors that read one (inpainting, and those of IP-Adapter, for which it is the
    region that counts). processor_res: pixels, -1 for the preprocessor's own. threshold_a, threshold_b: -1 for its own.
    guidance_start, guidance_end: share of the steps.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())

    module: str = "none"
    model: str | None = None
    weight: Annotated[float, Field(ge=0, le=2)] = 1.0
    image: bytes | None = Field(default=None, repr=False)
    further_images: tuple[bytes, ...] = Field(default=(), repr=False)
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
        if self.mask is not None and control_type(self.module).mask == "no":
            raise ValueError(f"{self.module} would take the mask for the drawing, in place of the picture")
        return self

    @model_validator(mode="after")
    def _pictures_fit_the_preprocessor(self) -> ControlNetUnit:
        if self.further_images and (self.image is None or control_type(self.module).draws):
            raise ValueError(f"{self.module} takes one picture; only IP-Adapter takes several")
        if self.further_images and self.mask is not None:
            raise ValueError("a mask goes with one picture")
        if control_type(self.module).mask == "needed" and self.image is not None and self.mask is None:
            raise ValueError(f"{self.module} needs a mask for its picture")
        return self

    @model_validator(mode="after")
    def _thresholds_are_in_range(self) -> ControlNetUnit:
        ranges = THRESHOLDS.get(self.module, ())
        for value, (least, most) in zip((self.threshold_a, self.threshold_b), ranges, strict=False):
            if value != -1 and not least <= value <= most:
                raise ValueError(
                    f"a threshold of {self.module} must be -1 or {least:g} to {most:g}, not {value:g}"
                )
        return self

    @model_validator(mode="after")
    def _guidance_runs_forward(self) -> ControlNetUnit:
        if self.guidance_start > self.guidance_end:
            raise ValueError("guidance_start must not be after guidance_end")
        return self

    @property
    def pictures(self) -> int:
        """How many pictures it works with; an initial picture counts."""
        return 1 + len(self.further_images)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedUnit:
    """A unit as one server is to be asked for it.

    module, model: as listed there; "None" for no model. union: what a ControlNet for everything is told of the map.
    """

    unit: ControlNetUnit
    module: str
    model: str
    union: str | None = None

    def spell(self, dialect: Dialect) -> dict[str, Any]:
        """Return the unit as the server's extension reads it.

        The detected map is always asked back: it is the only proof that the unit ran. Absent pictures are
        left out, never sent as "", which would be decoded and fail in silence. Raises BadPicture for an
        unreadable one.
        """
        unit = self.unit
        fields = unit.model_dump(exclude={"module", "model", "image", "further_images", "mask"})
        pictures = {"image": self._image(), "mask_image": None if unit.mask is None else encode(unit.mask)}
        given = pictures | {"union_control_type": self.union}
        return {
            "enabled": True,
            "module": spell_module(self.module, dialect),
            "model": self.model,
            **fields,
            **{key: value for key, value in given.items() if value is not None},
            "save_detected_map": True,
        }

    def maps(self, dialect: Dialect, *, hires: bool) -> int:
        """Return how many pictures must come back as its maps if it ran.

        hires: whether hires fix runs, for whose size a drawn map is made once more. Forge returns the maps of the
        passes that the unit takes part in, the mask with each, and one picture for features.
        """
        unit, draws = self.unit, control_type(self.module).draws
        if dialect == "mikubill":
            return (2 if hires else 1) if draws else unit.pictures
        passes = (unit.hr_option != "High res only" or not hires) + (
            hires and unit.hr_option != "Low res only"
        )
        drawn = passes if draws else int(unit.hr_option != "High res only" or not hires)
        return drawn + (passes if unit.mask is not None else 0)

    def _image(self) -> str | list[dict[str, Any]] | None:
        unit = self.unit
        if unit.image is None:
            return None
        if not unit.further_images:
            return encode(unit.image)
        return [{"image": encode(data), "mask": None} for data in (unit.image, *unit.further_images)]


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

    sdxl: whether the checkpoint is an SDXL one; a ControlNet of the other family is never chosen, nor an IP-Adapter.
    """
    words = control_type(module).words
    family = [name for name in listed if _is_for_sdxl(name) == sdxl and not _is_adapter(name)]
    return next((name for word in words for name in family if word in stem(name)), None)


def union_for(module: str, listed: tuple[str, ...], *, sdxl: bool) -> str | None:
    """Return the listed ControlNet for everything that can be told of the preprocessor's maps, or None."""
    if control_type(module).union is None:
        return None
    return next((name for name in listed if is_union(name) and _is_for_sdxl(name) == sdxl), None)


def is_union(listed: str) -> bool:
    """Whether a listed ControlNet is one for several kinds of maps, by its name."""
    return "union" in stem(listed)


def needs_model(module: str) -> bool:
    """Whether a unit with this preprocessor works through a ControlNet (the reference ones do without)."""
    return not control_type(module).model_free


def _is_for_sdxl(listed: str) -> bool:
    return "xl" in stem(listed)


def _is_adapter(listed: str) -> bool:
    return any(word in stem(listed) for word in ("ip-adapter", "ip_adapter", "ipadapter"))
