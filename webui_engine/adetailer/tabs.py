"""ADetailer's arguments: ``[enabled, skip_img2img, tab, tab, …]`` and the fields of a tab.

Source: the A1111 contract notes, adetailer sections 1 and 2. Written for pydantic's version 1 interface, as the
extension's own arguments are, so that ``/adetailer/v1/schema`` comes out the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pydantic.v1 import (
    BaseModel,
    Extra,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveInt,
    ValidationError,
    confloat,
    conint,
)

from webui_engine.errors import WouldBeIgnored

NONE = "None"
PASSTHROUGH = "Passthrough"
SEPARATOR = "[SEP]"
SKIP = "[SKIP]"
MAIN_PROMPT = "[PROMPT]"


class ADetailerArgs(BaseModel):
    """One tab. Unknown keys, null for a text and values out of range are errors."""

    ad_model: str = NONE
    ad_model_classes: str = ""
    ad_tab_enable: bool = True
    ad_prompt: str = ""
    ad_negative_prompt: str = ""
    ad_confidence: confloat(ge=0.0, le=1.0) = 0.3  # type: ignore[valid-type]
    ad_mask_filter_method: Literal["Area", "Confidence"] = "Area"
    ad_mask_k: NonNegativeInt = 0
    ad_mask_min_ratio: confloat(ge=0.0, le=1.0) = 0.0  # type: ignore[valid-type]
    ad_mask_max_ratio: confloat(ge=0.0, le=1.0) = 1.0  # type: ignore[valid-type]
    ad_dilate_erode: int = 4
    ad_x_offset: int = 0
    ad_y_offset: int = 0
    ad_mask_merge_invert: Literal["None", "Merge", "Merge and Invert"] = "None"
    ad_mask_blur: NonNegativeInt = 4
    ad_denoising_strength: confloat(ge=0.0, le=1.0) = 0.4  # type: ignore[valid-type]
    ad_inpaint_only_masked: bool = True
    ad_inpaint_only_masked_padding: NonNegativeInt = 32
    ad_use_inpaint_width_height: bool = False
    ad_inpaint_width: PositiveInt = 512
    ad_inpaint_height: PositiveInt = 512
    ad_use_steps: bool = False
    ad_steps: PositiveInt = 28
    ad_use_cfg_scale: bool = False
    ad_cfg_scale: NonNegativeFloat = 7.0
    ad_use_checkpoint: bool = False
    ad_checkpoint: str | None = None
    ad_use_vae: bool = False
    ad_vae: str | None = None
    ad_use_sampler: bool = False
    ad_sampler: str = "DPM++ 2M Karras"
    ad_scheduler: str = "Use same scheduler"
    ad_use_noise_multiplier: bool = False
    ad_noise_multiplier: confloat(ge=0.5, le=1.5) = 1.0  # type: ignore[valid-type]
    ad_use_clip_skip: bool = False
    ad_clip_skip: conint(ge=1, le=12) = 1  # type: ignore[valid-type]
    ad_restore_face: bool = False
    ad_controlnet_model: str = NONE
    ad_controlnet_module: str = NONE
    ad_controlnet_weight: confloat(ge=0.0, le=1.0) = 1.0  # type: ignore[valid-type]
    ad_controlnet_guidance_start: confloat(ge=0.0, le=1.0) = 0.0  # type: ignore[valid-type]
    ad_controlnet_guidance_end: confloat(ge=0.0, le=1.0) = 1.0  # type: ignore[valid-type]
    is_api: bool = True

    class Config:
        """Nothing unknown is let through."""

        extra = Extra.forbid
        allow_mutation = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Detailing:
    """What a request asks of ADetailer: the tabs that shall run, in order, and whether the main pass is left out."""

    tabs: tuple[ADetailerArgs, ...] = ()
    skip_img2img: bool = False


def read_arguments(arguments: Sequence[Any], detectors: Sequence[str], *, most_tabs: int) -> Detailing:
    """The request's tabs, only those that were sent: A1111's hidden default tab is not added.

    Raises WouldBeIgnored for a tab that does not fit, for anything that is no tab, for more than most_tabs and for a
    model that is not installed. A1111 answers 200 in all these cases and leaves the faces as they are.
    """
    switches = [item for item in arguments[:2] if isinstance(item, bool)]
    tabs = arguments[len(switches) :]
    for item in tabs:
        if not isinstance(item, dict):
            raise WouldBeIgnored(
                "adetailer args", item, "after the two switches a tab, an object, was expected"
            )
    parsed = tuple(_parsed(item, number) for number, item in enumerate(tabs, start=1))
    if len(parsed) > most_tabs:
        raise WouldBeIgnored("adetailer args", f"{len(parsed)} tabs", f"ad_max_models allows {most_tabs}")
    running = tuple(tab for tab in parsed if tab.ad_tab_enable and tab.ad_model != NONE)
    for tab in running:
        _refuse_what_is_not_here(tab, detectors)
    if switches and not switches[0]:
        return Detailing()
    return Detailing(tabs=running, skip_img2img=len(switches) > 1 and switches[1] and bool(running))


def _parsed(tab: dict[str, Any], number: int) -> ADetailerArgs:
    try:
        return ADetailerArgs.parse_obj(tab)
    except ValidationError as error:
        problems = "; ".join(f"{item['loc'][0]}: {item['msg']}" for item in error.errors())
        raise WouldBeIgnored("adetailer args", f"tab {number}", problems) from error


def _refuse_what_is_not_here(tab: ADetailerArgs, detectors: Sequence[str]) -> None:
    if tab.ad_model not in detectors:
        raise WouldBeIgnored("ad_model", tab.ad_model, f"installed: {', '.join(detectors)}")
    if tab.ad_model_classes:
        raise WouldBeIgnored("ad_model_classes", tab.ad_model_classes, "no detector here takes classes")
    if tab.ad_restore_face:
        raise WouldBeIgnored("ad_restore_face", True, "no face restorer is installed")
