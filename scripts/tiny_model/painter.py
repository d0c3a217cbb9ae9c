"""Paints a portrait: layers from back to front, then one soft light over all of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from .anatomy import Anatomy
from .canvas import Canvas, Part, Picture, smooth
from .clothes import paint_body, paint_neckline
from .face import paint_earrings, paint_features, paint_glasses, paint_head
from .hair import paint_back_hair, paint_beard, paint_front_hair
from .portrait import Portrait

Shade = NDArray[np.float32]
RELIEF = {Part.FACE: (0.20, 1.0), Part.HAIR: (0.14, 0.9), Part.CLOTHES: (0.20, 0.8)}
LIGHT_FROM = {"soft": (-0.45, -0.55), "side": (-1.0, -0.15), "dramatic": (-1.1, -0.35), "bright": (0.0, -0.5)}
LIGHT_RAMP = {"soft": 0.06, "side": 0.20, "dramatic": 0.34, "bright": 0.03}
LIGHT_LEVEL = {"soft": 1.0, "side": 0.97, "dramatic": 0.86, "bright": 1.09}


@dataclass(frozen=True, slots=True, kw_only=True)
class Painting:
    """A painted portrait: RGB uint8 (height, width, 3), and the Part each pixel shows, uint8 (height, width)."""

    picture: Picture
    parts: Picture


def paint(portrait: Portrait) -> Painting:
    """The painting of portrait, always the same."""
    anatomy = Anatomy(portrait)
    canvas = Canvas(*anatomy.size)
    canvas.pixels[:] = cv2.resize(background(portrait, *anatomy.size), canvas.pixels.shape[1::-1])
    paint_back_hair(canvas, anatomy)
    paint_body(canvas, anatomy)
    paint_head(canvas, anatomy)
    paint_neckline(canvas, anatomy)
    paint_head_over_collar(canvas, anatomy)
    paint_features(canvas, anatomy)
    paint_beard(canvas, anatomy)
    paint_glasses(canvas, anatomy)
    paint_front_hair(canvas, anatomy)
    paint_earrings(canvas, anatomy)
    cover = {part: canvas.cover(part) for part in RELIEF}
    light = shading(portrait, anatomy, cover) * grain(portrait, cover)
    lit = np.clip(canvas.finished() * light[..., None], 0, 255)
    return Painting(picture=lit.astype(np.uint8), parts=canvas.finished_parts())


def background(portrait: Portrait, width: int, height: int) -> Picture:
    """A plain wall, a gradient, or soft blots of light, RGB uint8 (height, width, 3)."""
    random = np.random.default_rng(portrait.seed)
    base = np.array(portrait.background_rgb, np.float32)
    if portrait.background_kind == "plain":
        return np.broadcast_to(base.astype(np.uint8), (height, width, 3)).copy()
    if portrait.background_kind == "gradient":
        angle = random.uniform(0, 2 * np.pi)
        rows, columns = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
        ramp = 1 + 0.20 * (np.cos(angle) * columns + np.sin(angle) * rows)
        return _picture(base * ramp[..., None])
    small = np.broadcast_to(base, (height // 4, width // 4, 3)).copy()
    for _ in range(9):
        spot = (int(random.integers(0, width // 4)), int(random.integers(0, height // 4)))
        color = np.clip(base * random.uniform(0.72, 1.3) + 8, 0, 255)
        cv2.circle(small, spot, int(random.integers(2, 7)), color.tolist(), -1, cv2.LINE_AA)
    soft = cv2.GaussianBlur(small, (0, 0), 1.6)
    return _picture(cv2.resize(soft, (width, height)))


def paint_head_over_collar(canvas: Canvas, anatomy: Anatomy) -> None:
    """The chin again, so that no collar lies over it."""
    outline = smooth(anatomy.outline, steps=3)
    chin = anatomy.head(outline[outline[:, 1] > 0.1])
    canvas.fill(chin, anatomy.portrait.skin_rgb, Part.FACE)


def shading(portrait: Portrait, anatomy: Anatomy, cover: Mapping[Part, Shade]) -> Shade:
    """A factor per pixel: each part bulges towards the light, which falls off across the picture.

    cover: how much of each pixel a part fills, 0..1.
    """
    flip = 1 if portrait.seed % 2 else -1
    across, down = LIGHT_FROM[portrait.light]
    width, height = anatomy.size
    columns = np.linspace(-1, 1, width, dtype=np.float32) * flip
    factor = np.ones((height, width), np.float32) + (LIGHT_RAMP[portrait.light] * np.sign(across)) * columns
    for part, (blur, strength) in RELIEF.items():
        mask, sigma = cover[part], blur * anatomy.wide
        soft = cv2.GaussianBlur(mask, (0, 0), sigma)
        slope_x = cv2.Sobel(soft, cv2.CV_32F, 1, 0) * sigma
        slope_y = cv2.Sobel(soft, cv2.CV_32F, 0, 1) * sigma
        towards = -(slope_x * across * flip + slope_y * down)
        factor += mask * np.clip(towards * strength * -0.10, -0.34, 0.26)
    lit: Shade = factor * LIGHT_LEVEL[portrait.light]
    return lit


def grain(portrait: Portrait, cover: Mapping[Part, Shade]) -> Shade:
    """A factor per pixel: fine strands in hair, weave in clothes."""
    hair, clothes = cover[Part.HAIR], cover[Part.CLOTHES]
    height, width = hair.shape
    strands, weave = _textures()
    shift = portrait.seed % 61
    window = (slice(shift, shift + height), slice(shift, shift + width))
    return 1 + hair * strands[window] + clothes * weave[window]


def _picture(values: NDArray[np.float32]) -> Picture:
    picture: Picture = np.clip(values, 0, 255).astype(np.uint8)
    return picture


@cache
def _textures() -> tuple[Shade, Shade]:
    random = np.random.default_rng(0)
    noise = random.normal(0, 1, (2, 256, 256)).astype(np.float32)
    strands = cv2.GaussianBlur(noise[0], (0, 0), sigmaX=0.8, sigmaY=7)
    weave = cv2.GaussianBlur(noise[1], (0, 0), 3)
    return 0.09 * strands / strands.std(), 0.025 * weave / weave.std()
