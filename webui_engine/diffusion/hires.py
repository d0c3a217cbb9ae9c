"""Hires fix: how large the second pass is, and how the first pass's latents grow to it."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

import torch
from PIL import Image
from torch.nn import functional

from webui_engine.diffusion.pictures import fit
from webui_engine.diffusion.samplers import told_schedule
from webui_engine.tasks import GenerationTask, Hires, ResizeMode

LATENT_MODES = MappingProxyType(
    {
        "Latent": ("bilinear", False),
        "Latent (antialiased)": ("bilinear", True),
        "Latent (bicubic)": ("bicubic", False),
        "Latent (bicubic antialiased)": ("bicubic", True),
        "Latent (nearest)": ("nearest", False),
        "Latent (nearest-exact)": ("nearest-exact", False),
    }
)
"""A1111's names of ``GET latent-upscale-modes`` and how torch interpolates for each: (mode, antialias)."""


@dataclass(frozen=True, slots=True)
class Target:
    """Sizes in pixels: grown is what the first pass is enlarged to, final what is left after the edges are cut."""

    grown: tuple[int, int]
    final: tuple[int, int]


def target_of(hires: Hires, width: int, height: int, stride: int) -> Target:
    """The size of the second pass for a first pass of width by height; rounded down to whole latent cells."""
    if hires.resize_x == 0 and hires.resize_y == 0:
        grown = int(width * hires.scale), int(height * hires.scale)
    elif hires.resize_y == 0:
        grown = hires.resize_x, hires.resize_x * height // width
    elif hires.resize_x == 0:
        grown = hires.resize_y * width // height, hires.resize_y
    else:
        return _covering(hires.resize_x, hires.resize_y, width, height, stride)
    whole = _whole_cells(grown, stride)
    return Target(whole, whole)


def _covering(final_width: int, final_height: int, width: int, height: int, stride: int) -> Target:
    factor = max(final_width / width, final_height / height)
    grown = max(final_width, round(width * factor)), max(final_height, round(height * factor))
    return Target(_whole_cells(grown, stride), _whole_cells((final_width, final_height), stride))


def _whole_cells(size: tuple[int, int], stride: int) -> tuple[int, int]:
    return size[0] // stride * stride, size[1] // stride * stride


def grow_latents(latents: torch.Tensor, upscaler: str, target: Target, stride: int) -> torch.Tensor:
    """latents (batch, channels, h, w) interpolated to the target and cut to its final size."""
    mode, antialias = LATENT_MODES[upscaler]
    size = target.grown[1] // stride, target.grown[0] // stride
    grown = functional.interpolate(latents, size=size, mode=mode, antialias=antialias)
    height, width = target.final[1] // stride, target.final[0] // stride
    top, left = (grown.shape[-2] - height) // 2, (grown.shape[-1] - width) // 2
    return grown[..., top : top + height, left : left + width]


def cut(picture: Image.Image, target: Target) -> Image.Image:
    """A picture of the grown size with its edges cut to the final size."""
    return fit(picture, ResizeMode.CROP, *target.final)


def infotext_of(hires: Hires, task: GenerationTask) -> dict[str, str | int | float]:
    """The infotext pairs A1111 writes for hires fix; task: the first pass, of which only differences are told."""
    by_scale = hires.resize_x == 0 and hires.resize_y == 0
    pairs: dict[str, str | int | float] = {}
    if hires.checkpoint:
        pairs["Hires checkpoint"] = hires.checkpoint
    if hires.sampler:
        pairs["Hires sampler"] = hires.sampler
    schedule = told_schedule(hires.sampler or task.sampler, hires.scheduler or task.scheduler)
    if schedule not in (None, told_schedule(task.sampler, task.scheduler)):
        pairs["Hires schedule type"] = str(schedule)
    if hires.prompt:
        pairs["Hires prompt"] = hires.prompt
    if hires.negative_prompt:
        pairs["Hires negative prompt"] = hires.negative_prompt
    if by_scale:
        pairs["Hires upscale"] = hires.scale
    else:
        pairs["Hires resize"] = f"{hires.resize_x}x{hires.resize_y}"
    if hires.steps:
        pairs["Hires steps"] = hires.steps
    return {**pairs, "Hires upscaler": hires.upscaler}
