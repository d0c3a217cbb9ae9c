"""Fitting a preset's size, given for checkpoints of native size 512, to the server's checkpoint."""

from __future__ import annotations

import math

PRESET_NATIVE = 512
AREA_TRAINED = 1024


def adapted_size(width: int, height: int, native: int) -> tuple[int, int]:
    """Width and height in pixels for a checkpoint of the given native size.

    SD 1-like checkpoints keep the ratio to their short side, in steps of 64 (16 below 512). From 1024 on (SDXL) the
    area counts (Podell et al. 2023, section 2.3): the same shape with about native² pixels, in steps of 64.
    512x768 gives 128x192 at 128, 512x768 at 512 and 832x1216 at 1024.
    """
    if native >= AREA_TRAINED:
        factor = native / math.sqrt(width * height)
        return _down(width * factor, 64), _down(height * factor, 64)
    step = 64 if native >= PRESET_NATIVE else 16
    factor = native / PRESET_NATIVE
    return _near(width * factor, step), _near(height * factor, step)


def adapted_pixels(pixels: int, native: int) -> int:
    """A distance in pixels of the preset's size at the adapted size; never 0 unless it was."""
    scaled = round(pixels * native / PRESET_NATIVE)
    return scaled if scaled or not pixels else int(math.copysign(1, pixels))


def _near(pixels: float, step: int) -> int:
    return max(step, round(pixels / step) * step)


def _down(pixels: float, step: int) -> int:
    return max(step, int(pixels / step) * step)
