"""A person carried over from a picture by ControlNet: IP-Adapter in its variants, and InstantID.

Written to the A1111 contract notes on ControlNet (section 5), which name the files, the preprocessor that belongs to
each, and the LoRA that some of them need in the prompt.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from webui_client.units.controlnet import ControlNetUnit, HiresOption, Share, stem
from webui_client.units.preprocessors import (
    CLIP_G,
    CLIP_H,
    FACE_ID,
    FACE_ID_PLUS,
    INSTANT_ID_FACE,
    INSTANT_ID_POINTS,
)

Variant = Literal["plain", "plus", "plus-face", "full-face", "faceid", "faceid-plus", "faceid-portrait"]
Weight = Annotated[float, Field(ge=0, le=2)]

FACE_VARIANTS: tuple[Variant, ...] = ("plus-face", "full-face", "faceid-plus", "faceid", "faceid-portrait")
"""Those that carry over a face, first the ones that do without InsightFace."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """One IP-Adapter.

    stem: of its file, lower case. module: the preprocessor that reads pictures for it. lora: the LoRA that the prompt
    must have beside it.
    """

    variant: Variant
    sdxl: bool
    stem: str
    module: str
    lora: str | None = None


RECIPES = (
    Recipe(variant="plain", sdxl=False, stem="ip-adapter_sd15", module=CLIP_H),
    Recipe(variant="plain", sdxl=False, stem="ip-adapter_sd15_light_v11", module=CLIP_H),
    Recipe(variant="plain", sdxl=False, stem="ip-adapter_sd15_light", module=CLIP_H),
    Recipe(variant="plain", sdxl=False, stem="ip-adapter_sd15_vit-g", module=CLIP_G),
    Recipe(variant="plus", sdxl=False, stem="ip-adapter-plus_sd15", module=CLIP_H),
    Recipe(variant="plus", sdxl=False, stem="ip-adapter_sd15_plus", module=CLIP_H),
    Recipe(variant="plus-face", sdxl=False, stem="ip-adapter-plus-face_sd15", module=CLIP_H),
    Recipe(variant="full-face", sdxl=False, stem="ip-adapter-full-face_sd15", module=CLIP_H),
    Recipe(
        variant="faceid",
        sdxl=False,
        stem="ip-adapter-faceid_sd15",
        module=FACE_ID,
        lora="ip-adapter-faceid_sd15_lora",
    ),
    Recipe(
        variant="faceid-plus",
        sdxl=False,
        stem="ip-adapter-faceid-plusv2_sd15",
        module=FACE_ID_PLUS,
        lora="ip-adapter-faceid-plusv2_sd15_lora",
    ),
    Recipe(
        variant="faceid-plus",
        sdxl=False,
        stem="ip-adapter-faceid-plus_sd15",
        module=FACE_ID_PLUS,
        lora="ip-adapter-faceid-plus_sd15_lora",
    ),
    Recipe(variant="faceid-portrait", sdxl=False, stem="ip-adapter-faceid-portrait-v11_sd15", module=FACE_ID),
    Recipe(variant="faceid-portrait", sdxl=False, stem="ip-adapter-faceid-portrait_sd15", module=FACE_ID),
    Recipe(variant="plain", sdxl=True, stem="ip-adapter_sdxl_vit-h", module=CLIP_H),
    Recipe(variant="plain", sdxl=True, stem="ip-adapter_sdxl", module=CLIP_G),
    Recipe(variant="plus", sdxl=True, stem="ip-adapter-plus_sdxl_vit-h", module=CLIP_H),
    Recipe(variant="plus-face", sdxl=True, stem="ip-adapter-plus-face_sdxl_vit-h", module=CLIP_H),
    Recipe(
        variant="faceid",
        sdxl=True,
        stem="ip-adapter-faceid_sdxl",
        module=FACE_ID,
        lora="ip-adapter-faceid_sdxl_lora",
    ),
    Recipe(
        variant="faceid-plus",
        sdxl=True,
        stem="ip-adapter-faceid-plusv2_sdxl",
        module=FACE_ID_PLUS,
        lora="ip-adapter-faceid-plusv2_sdxl_lora",
    ),
    Recipe(variant="faceid-portrait", sdxl=True, stem="ip-adapter-faceid-portrait_sdxl", module=FACE_ID),
)
"""Every IP-Adapter that is used for portraits (the names are those of the extension's presets), of the files of one
variant the better one first.
"""

INSTANT_ID_ADAPTER, INSTANT_ID_CONTROL = "ip-adapter_instant_id_sdxl", "control_instant_id_sdxl"


class IpAdapter(BaseModel):
    """What a picture shows (a face, a style) in place of words: one unit, whichever IP-Adapter the server has.

    images: encoded pictures, several of one person where the server takes them. variants: those that will do, the best
    first. weight: 0 to 2. mask: of the one picture's size, its white part counts. lora_weight: of the LoRA that the
    variants of FaceID put into the prompt. guidance_start, guidance_end: share of the steps. The FaceID variants see
    nothing in a picture without a face.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    images: Annotated[tuple[bytes, ...], Field(min_length=1, repr=False)]
    variants: Annotated[tuple[Variant, ...], Field(min_length=1)] = FACE_VARIANTS
    weight: Weight = 1.0
    mask: bytes | None = Field(default=None, repr=False)
    guidance_start: Share = 0.0
    guidance_end: Share = 1.0
    hr_option: HiresOption = "Both"
    lora_weight: Annotated[float, Field(ge=0, le=2)] = 0.6

    def recipes(self, *, sdxl: bool) -> tuple[Recipe, ...]:
        """Return those of the wanted variants that fit the family of the checkpoint, the best first."""
        return tuple(
            recipe
            for variant in self.variants
            for recipe in RECIPES
            if recipe.variant == variant and recipe.sdxl == sdxl
        )

    def unit(self, recipe: Recipe, model: str) -> ControlNetUnit:
        """Return the unit that a recipe makes of it. model: the IP-Adapter as listed."""
        return ControlNetUnit(
            module=recipe.module,
            model=model,
            weight=self.weight,
            image=self.images[0],
            further_images=self.images[1:],
            mask=self.mask,
            guidance_start=self.guidance_start,
            guidance_end=self.guidance_end,
            hr_option=self.hr_option,
        )

    def lora_tag(self, recipe: Recipe) -> str | None:
        """Return what the prompt must have besides, or None."""
        return f"<lora:{recipe.lora}:{self.lora_weight:g}>" if recipe.lora else None


class InstantId(BaseModel):
    """A face on SDXL by InstantID: two units that must follow each other, the face before its five points.

    image: an encoded photo of the face. points: the encoded picture whose face tells where the points go, None for the
    same. weight: of the face; points_weight: of its place and pose; 0 to 2. It is made for a low CFG scale, about 4 to
    5 by its project's notes.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    image: bytes = Field(repr=False)
    points: bytes | None = Field(default=None, repr=False)
    weight: Weight = 1.0
    points_weight: Weight = 1.0
    guidance_start: Share = 0.0
    guidance_end: Share = 1.0

    def units(self) -> tuple[ControlNetUnit, ControlNetUnit]:
        """Return the two units in the order that the extension demands."""
        share = {"guidance_start": self.guidance_start, "guidance_end": self.guidance_end}
        face = ControlNetUnit(
            module=INSTANT_ID_FACE, model=INSTANT_ID_ADAPTER, image=self.image, weight=self.weight, **share
        )
        points = ControlNetUnit(
            module=INSTANT_ID_POINTS,
            model=INSTANT_ID_CONTROL,
            image=self.points or self.image,
            weight=self.points_weight,
            **share,
        )
        return face, points


Control = ControlNetUnit | IpAdapter | InstantId


def recipe_of(listed: str) -> Recipe | None:
    """Return what a listed ControlNet is, by its name or the longest part of it that names an IP-Adapter, or None."""
    name = stem(listed)
    known = [recipe for recipe in RECIPES if recipe.stem in name and "lora" not in name]
    return max(known, key=lambda recipe: len(recipe.stem), default=None)
