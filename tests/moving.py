"""Frames of a real face that moves, for tests of animations: the astronaut's head sways before a still background."""

from __future__ import annotations

import io
import math
from functools import lru_cache

import numpy as np
import skimage.data
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import map_coordinates

Frames = NDArray[np.uint8]
SWAY = 0.05


@lru_cache(maxsize=8)
def swaying(count: int = 8, side: int = 192, *, turns: float = 1.0) -> Frames:
    """RGB, uint8, shape (count, side, side, 3). turns: whole ones lead back to the beginning."""
    picture = Image.fromarray(skimage.data.astronaut()[:400, 40:440]).resize(
        (side, side), Image.Resampling.LANCZOS
    )
    still = np.asarray(picture)
    y, x = np.mgrid[:side, :side].astype(float)
    near = np.exp(-((np.hypot(x - 0.46 * side, y - 0.28 * side) / (0.3 * side)) ** 4))
    frames = []
    for number in range(count):
        shift = SWAY * side * math.sin(2 * math.pi * turns * number / count) * near
        channels = [
            map_coordinates(still[..., channel], [y, x - shift], order=1, mode="nearest")
            for channel in range(3)
        ]
        frames.append(np.stack(channels, axis=-1))
    return np.stack(frames).astype(np.uint8)


def as_png(frame: Frames, **options: object) -> bytes:
    """A frame as a PNG file."""
    out = io.BytesIO()
    Image.fromarray(frame).save(out, "PNG", **options)
    return out.getvalue()
