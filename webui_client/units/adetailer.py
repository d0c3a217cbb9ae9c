"""ADetailer: find faces, hands or persons and repaint each by inpainting.

Written to the A1111 contract notes on ADetailer (version 25.3). The wire form is ``[true, skip_img2img,
{tab}, …]``: both booleans always, because otherwise the server's own first tab stays in place and each face
is repainted twice.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Share = Annotated[float, Field(ge=0, le=1)]


class ADetailerTab(BaseModel):
    """One detector and how what it finds is repainted. Field names are the wire's without ``ad_``.

    model: a detector as listed by the server. prompt, negative_prompt: empty means those of the request;
    ``[SEP]`` parts them by detection, ``[PROMPT]`` stands for the request's, ``[SKIP]`` leaves a detection
    alone. confidence: least score of a detection, 0 to 1. mask_k: how many of the best are taken, 0 for all.
    mask_min_ratio, mask_max_ratio: share of the picture's area. Lengths are pixels. steps, cfg_scale,
    checkpoint, vae, sampler, scheduler, noise_multiplier, clip_skip: None means the request's own.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())

    model: str
    model_classes: str = ""
    prompt: str = ""
    negative_prompt: str = ""
    confidence: Share = 0.3
    mask_filter_method: Literal["Area", "Confidence"] = "Area"
    mask_k: Annotated[int, Field(ge=0)] = 0
    mask_min_ratio: Share = 0.0
    mask_max_ratio: Share = 1.0
    dilate_erode: int = 4
    x_offset: int = 0
    y_offset: int = 0
    mask_merge_invert: Literal["None", "Merge", "Merge and Invert"] = "None"
    mask_blur: Annotated[int, Field(ge=0)] = 4
    denoising_strength: Share = 0.4
    inpaint_only_masked: bool = True
    inpaint_only_masked_padding: Annotated[int, Field(ge=0)] = 32
    inpaint_size: tuple[Annotated[int, Field(ge=1)], Annotated[int, Field(ge=1)]] | None = None
    steps: Annotated[int, Field(ge=1)] | None = None
    cfg_scale: Annotated[float, Field(ge=0)] | None = None
    checkpoint: str | None = None
    vae: str | None = None
    sampler: str | None = None
    scheduler: str | None = None
    noise_multiplier: Annotated[float, Field(ge=0.5, le=1.5)] | None = None
    clip_skip: Annotated[int, Field(ge=1, le=12)] | None = None
    restore_face: bool = False
    controlnet_model: str = "None"
    controlnet_module: str = "None"
    controlnet_weight: Share = 1.0
    controlnet_guidance_start: Share = 0.0
    controlnet_guidance_end: Share = 1.0

    def spell(self, known: Collection[str] = ()) -> dict[str, Any]:
        """Return the tab as the extension reads it, without what is at its default.

        known: the field names of the server's own schema (``ad_…``); unknown keys make ADetailer drop the
        whole tab in silence, so a field that is not at its default and not known there raises KeyError,
        naming it.
        """
        fields = self._plain_fields() | self._switched_fields()
        unknown = [key for key in fields if known and key not in known]
        if unknown:
            raise KeyError(unknown[0])
        return fields

    def _plain_fields(self) -> dict[str, Any]:
        changed = self.model_dump(
            exclude_defaults=True, exclude={*SWITCHED, "inpaint_size", "sampler", "scheduler"}
        )
        return {f"ad_{name}": value for name, value in changed.items()}

    def _switched_fields(self) -> dict[str, Any]:
        """Return the fields that count only together with their own ``ad_use_…`` switch."""
        fields: dict[str, Any] = {}
        for name in SWITCHED:
            if (value := getattr(self, name)) is not None:
                fields |= {f"ad_use_{name}": True, f"ad_{name}": value}
        if self.inpaint_size is not None:
            width, height = self.inpaint_size
            fields |= {
                "ad_use_inpaint_width_height": True,
                "ad_inpaint_width": width,
                "ad_inpaint_height": height,
            }
        if self.sampler is not None or self.scheduler is not None:
            fields |= {
                "ad_use_sampler": True,
                "ad_sampler": self.sampler or "Use same sampler",
                "ad_scheduler": self.scheduler or "Use same scheduler",
            }
        return fields


SWITCHED = ("steps", "cfg_scale", "checkpoint", "vae", "noise_multiplier", "clip_skip")


class ADetailer(BaseModel):
    """ADetailer on one request: its tabs, run in order, each on the picture the one before left.

    skip_img2img: with img2img, leave the picture itself alone and only repair what is found in it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    tabs: Annotated[tuple[ADetailerTab, ...], Field(min_length=1)]
    skip_img2img: bool = False

    def spell(self, known: Collection[str] = ()) -> list[Any]:
        """Return the script's arguments; see :meth:`ADetailerTab.spell` for known."""
        return [True, self.skip_img2img, *(tab.spell(known) for tab in self.tabs)]
