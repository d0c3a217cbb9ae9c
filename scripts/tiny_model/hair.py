"""Paints hair: what falls behind the head, the cap on it, and beards."""

from __future__ import annotations

import math
import random

import numpy as np

from .anatomy import Anatomy
from .canvas import Canvas, Part, Points, darker, ellipse, smooth

FALLING = {"bob": 0.95, "bangs": 1.25, "long": 2.25}
VOLUME = {
    "buzz": 1.04,
    "short": 1.12,
    "bob": 1.14,
    "long": 1.14,
    "ponytail": 1.09,
    "bun": 1.09,
    "bangs": 1.14,
}


def paint_back_hair(canvas: Canvas, anatomy: Anatomy) -> None:
    """The hair behind neck and shoulders."""
    portrait = anatomy.portrait
    shade = darker(portrait.hair_rgb, 0.78)
    if portrait.hair_style in FALLING:
        canvas.fill(_curtain(anatomy, FALLING[portrait.hair_style]), shade, Part.HAIR)
    elif portrait.hair_style == "ponytail":
        canvas.fill(_tail(anatomy), shade, Part.HAIR)
    elif portrait.hair_style == "bun":
        canvas.fill(anatomy.head(ellipse(0, -1.28, 0.42, 0.27)), shade, Part.HAIR)
    elif portrait.hair_style == "afro":
        canvas.fill(anatomy.head(_bumpy(1.72, 1.42, -0.38, 0.05, portrait.seed)), shade, Part.HAIR)
    elif portrait.hair_style == "curly":
        canvas.fill(anatomy.head(_bumpy(1.30, 1.06, -0.26, 0.07, portrait.seed)), shade, Part.HAIR)


def paint_front_hair(canvas: Canvas, anatomy: Anatomy) -> None:
    """The cap over the skull, with its hairline, strands of light, and bangs."""
    portrait = anatomy.portrait
    if portrait.hair_style == "bald":
        return
    cap = anatomy.head(_cap(anatomy))
    canvas.fill(cap, portrait.hair_rgb, Part.HAIR)
    if portrait.hair_style == "buzz":
        canvas.tint(cap, portrait.skin_rgb, 0.18)
        return
    if portrait.hair_style in ("bob", "bangs", "long"):
        for side in (-1, 1):
            canvas.fill(anatomy.head(_lock(side, FALLING[portrait.hair_style])), portrait.hair_rgb, Part.HAIR)
    if portrait.hair_style == "bangs":
        canvas.fill(anatomy.head(_bangs()), darker(portrait.hair_rgb, 0.93), Part.HAIR)
    _paint_strands(canvas, anatomy)


def paint_beard(canvas: Canvas, anatomy: Anatomy) -> None:
    """Beard, mustache or stubble in the hair's colour, a little darker."""
    portrait = anatomy.portrait
    color = darker(portrait.hair_rgb, 0.82)
    blur = 0.035 * anatomy.wide
    if portrait.beard in ("beard", "stubble"):
        strength = 0.9 if portrait.beard == "beard" else 0.28
        canvas.tint(anatomy.face(_beard()), color, strength, blur)
    if portrait.beard in ("beard", "mustache", "stubble"):
        strength = 0.28 if portrait.beard == "stubble" else 0.9
        canvas.tint(anatomy.face(_mustache()), color, strength, blur)


def _cap(anatomy: Anatomy) -> Points:
    portrait = anatomy.portrait
    if portrait.hair_style in ("curly", "afro"):
        outer = _bumpy_arc(1.22 if portrait.hair_style == "curly" else 1.45, portrait.seed)
    else:
        swell = VOLUME[portrait.hair_style]
        angles = np.radians(np.linspace(184, 356, 24))
        outer = np.stack([np.cos(angles) * swell * 1.0, np.sin(angles) * swell - 0.02], 1)
    line, part = portrait.shape.hairline, portrait.shape.parting * 0.5
    shift = 0.22 * portrait.shape.turn
    inner = smooth(
        [(0.99, 0.08), (0.86, -0.14), (0.74 + shift * 0.4, line + 0.20), (part + shift, line - 0.02),
         (-0.74 + shift * 0.4, line + 0.20), (-0.86, -0.14), (-0.99, 0.08)],
        closed=False,
    )  # fmt: skip
    return np.concatenate([outer, inner])


def _curtain(anatomy: Anatomy, length: float) -> Points:
    swell = 1.18 if length < 1.5 else 1.25
    flare = 0.10 if length < 1.5 else 0.22
    side = [
        (0.0, -1.12), (0.62, -1.0), (1.02, -0.62), (swell, -0.05), (swell + 0.04, 0.55),
        (swell + flare, length * 0.8), (swell - 0.08, length), (0.5, length - 0.06),
    ]  # fmt: skip
    left = [(-u, v) for u, v in reversed(side[1:])]
    return anatomy.head(smooth([*side, (0.0, length - 0.12), *left]))


def _lock(side: int, length: float) -> Points:
    reach = min(length, 1.5)
    points = [
        (0.84, -0.42), (1.08, -0.35), (1.19, 0.1), (1.22, 0.6), (1.22, reach),
        (0.98, reach - 0.08), (0.97, 0.5), (0.93, 0.0),
    ]  # fmt: skip
    return smooth([(side * u, v) for u, v in points])


def _bangs() -> Points:
    return smooth(
        [(-0.95, -0.25), (-0.8, -0.75), (0.0, -1.0), (0.8, -0.75), (0.95, -0.25), (0.6, -0.24), (0.0, -0.27),
         (-0.6, -0.24)]
    )  # fmt: skip


def _tail(anatomy: Anatomy) -> Points:
    side = -1 if anatomy.portrait.shape.turn > 0 else 1
    points = [
        (0.5, -0.9),
        (1.15, -0.75),
        (1.6, -0.1),
        (1.62, 0.9),
        (1.35, 1.5),
        (1.2, 0.9),
        (1.1, 0.2),
        (0.8, -0.3),
    ]
    return anatomy.head(smooth([(side * u, v) for u, v in points]))


def _bumpy(wide: float, tall: float, middle: float, bump: float, seed: int) -> Points:
    angle = np.linspace(0, 2 * np.pi, 64, endpoint=False)
    ripple = 1 + bump * np.sin(angle * 13 + seed % 7)
    return np.stack([wide * ripple * np.cos(angle), middle + tall * ripple * np.sin(angle)], 1)


def _bumpy_arc(swell: float, seed: int) -> Points:
    angle = np.radians(np.linspace(176, 364, 60))
    ripple = swell * (1 + 0.045 * np.sin(angle * 14 + seed % 7))
    return np.stack([ripple * np.cos(angle), ripple * 0.93 * np.sin(angle) - 0.02], 1)


def _beard() -> Points:
    side = [(0.93, 0.18), (0.86, 0.62), (0.52, 1.02), (0.2, 1.1)]
    inner = [(0.74, 0.34), (0.46, 0.50), (0.42, 0.72), (0.18, 0.80)]
    left = [(-u, v) for u, v in reversed(side)]
    inner_left = [(-u, v) for u, v in inner]
    return np.array([*side, (0.0, 1.12), *left, *inner_left, (0.0, 0.80), *reversed(inner)])


def _mustache() -> Points:
    return smooth(
        [(-0.46, 0.60), (-0.2, 0.47), (0.0, 0.50), (0.2, 0.47), (0.46, 0.60), (0.2, 0.58), (-0.2, 0.58)]
    )


def _paint_strands(canvas: Canvas, anatomy: Anatomy) -> None:
    """Light and dark strokes that follow the skull from the parting."""
    portrait = anatomy.portrait
    rng = random.Random(portrait.seed + 1)
    for _ in range(9):
        angle = math.radians(rng.uniform(200, 340))
        part = portrait.shape.parting * 0.5
        root = (part + rng.uniform(-0.1, 0.1), -1.02)
        tip = (math.cos(angle) * 1.02, -0.30 + 0.62 * math.sin(angle))
        middle = ((root[0] + tip[0]) * 0.62, -0.86)
        color = darker(portrait.hair_rgb, rng.choice((0.75, 0.85, 1.2, 1.35)))
        canvas.stroke(
            anatomy.head(smooth([root, middle, tip], closed=False, steps=5)), color, anatomy.wide * 0.022
        )
