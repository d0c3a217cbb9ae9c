"""Putting another background behind a person without a halo."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from studio.faces.colours import rgb
from studio.faces.similarity import Pixels

Layer = NDArray[np.float32]

WIDE_SHARE, NARROW_SHARE = 0.05, 0.01


def on_colour(pixels: Pixels, matte: Pixels, colour: str) -> Pixels:
    """The person of pixels on a plain colour.

    pixels: RGB, uint8, shape (height, width, 3). matte: how much of each pixel is the person, uint8, 0 to 255. The
    old background is taken out of half-covered pixels first, so that none of it shines around the hair.
    """
    share: Layer = (matte.astype(np.float32) / np.float32(255))[..., None]
    person = _own_colours(pixels.astype(np.float32), share)
    plain = np.array(rgb(colour), dtype=np.float32)
    mixed: Pixels = np.round(np.clip(person * share + plain * (1 - share), 0, 255)).astype(np.uint8)
    return mixed


def _own_colours(pixels: Layer, share: Layer) -> Layer:
    """The person's colours where the background shines through: blur fusion (Forte 2021), wide and then narrow."""
    person, behind = pixels, pixels
    for reach in (WIDE_SHARE, NARROW_SHARE):
        radius = max(round(reach * pixels.shape[0]), 1)
        person, behind = _fused(pixels, person, behind, share, radius)
    return person


def _fused(pixels: Any, person: Any, behind: Any, share: Any, radius: int) -> tuple[Any, Any]:
    import cv2

    width = (2 * radius + 1, 2 * radius + 1)
    covered = cv2.blur(share, width)[..., None]
    near_person = cv2.blur(person * share, width) / (covered + 1e-5)
    near_behind = cv2.blur(behind * (1 - share), width) / (1 - covered + 1e-5)
    refined = near_person + share * (pixels - share * near_person - (1 - share) * near_behind)
    return np.clip(refined, 0, 255), near_behind
