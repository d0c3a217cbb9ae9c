"""The infotext pairs of ADetailer's tabs, with its keys, its order and its rules for leaving defaults out.

Source: the A1111 contract notes, adetailer section 7.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from webui_engine.adetailer.tabs import NONE, ADetailerArgs
from webui_engine.tasks import Pairs

VERSION = "25.3.0"
PREFIX = "ADetailer "
ORDINALS = {1: "st", 2: "nd", 3: "rd"}
SEPARATE = (
    ("ad_use_steps", "use separate steps", (("ad_steps", "steps"),)),
    ("ad_use_cfg_scale", "use separate CFG scale", (("ad_cfg_scale", "CFG scale"),)),
    ("ad_use_checkpoint", "use separate checkpoint", (("ad_checkpoint", "checkpoint"),)),
    ("ad_use_vae", "use separate VAE", (("ad_vae", "VAE"),)),
    ("ad_use_sampler", "use separate sampler", (("ad_sampler", "sampler"), ("ad_scheduler", "scheduler"))),
    (
        "ad_use_noise_multiplier",
        "use separate noise multiplier",
        (("ad_noise_multiplier", "noise multiplier"),),
    ),
    ("ad_use_clip_skip", "use separate CLIP skip", (("ad_clip_skip", "CLIP skip"),)),
)


def pairs(tabs: Sequence[ADetailerArgs]) -> Pairs:
    """The pairs of all tabs, the second's keys ending in " 2nd" and so on, and the version once at the end."""
    if not tabs:
        return ()
    every = [
        (f"{PREFIX}{key}{_suffix(number)}", value)
        for number, tab in enumerate(tabs, start=1)
        for key, value in _of_tab(tab)
    ]
    return (*every, (f"{PREFIX}version", VERSION))


def _suffix(number: int) -> str:
    return "" if number == 1 else f" {number}{ORDINALS.get(number, 'th')}"


def _of_tab(tab: ADetailerArgs) -> Iterator[tuple[str, str | int | float]]:
    yield "model", tab.ad_model
    yield from _unless(tab.ad_prompt, "", "prompt")
    yield from _unless(tab.ad_negative_prompt, "", "negative prompt")
    yield "confidence", tab.ad_confidence
    if tab.ad_mask_k:
        yield "method to decide top k masks", tab.ad_mask_filter_method
        yield "mask only top k", tab.ad_mask_k
    yield from _unless(tab.ad_mask_min_ratio, 0.0, "mask min ratio")
    yield from _unless(tab.ad_mask_max_ratio, 1.0, "mask max ratio")
    yield from _unless(tab.ad_x_offset, 0, "x offset")
    yield from _unless(tab.ad_y_offset, 0, "y offset")
    yield "dilate erode", tab.ad_dilate_erode
    yield from _unless(tab.ad_mask_merge_invert, NONE, "mask merge invert")
    yield "mask blur", tab.ad_mask_blur
    yield "denoising strength", tab.ad_denoising_strength
    yield from _inpainting(tab)
    yield from _separate(tab)
    yield from _controlnet(tab)


def _inpainting(tab: ADetailerArgs) -> Iterator[tuple[str, str | int | float]]:
    if tab.ad_inpaint_only_masked:
        yield "inpaint only masked", True
        yield "inpaint padding", tab.ad_inpaint_only_masked_padding
    if tab.ad_use_inpaint_width_height:
        yield "use inpaint width height", True
        yield "inpaint width", tab.ad_inpaint_width
        yield "inpaint height", tab.ad_inpaint_height


def _separate(tab: ADetailerArgs) -> Iterator[tuple[str, str | int | float]]:
    for switch, name, values in SEPARATE:
        if getattr(tab, switch):
            yield name, True
            yield from (
                (key, getattr(tab, field)) for field, key in values if getattr(tab, field) is not None
            )


def _controlnet(tab: ADetailerArgs) -> Iterator[tuple[str, str | int | float]]:
    if tab.ad_controlnet_model == NONE:
        return
    yield "ControlNet model", tab.ad_controlnet_model
    yield from _unless(tab.ad_controlnet_module, NONE, "ControlNet module")
    yield from _unless(tab.ad_controlnet_weight, 1.0, "ControlNet weight")
    yield from _unless(tab.ad_controlnet_guidance_start, 0.0, "ControlNet guidance start")
    yield from _unless(tab.ad_controlnet_guidance_end, 1.0, "ControlNet guidance end")


def _unless(
    value: str | int | float, default: str | int | float, key: str
) -> Iterator[tuple[str, str | int | float]]:
    if value != default:
        yield key, value
