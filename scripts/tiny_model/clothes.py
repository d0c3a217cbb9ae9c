"""Paints the body: shoulders, arms, and what is worn."""

from __future__ import annotations

import numpy as np

from .anatomy import Anatomy
from .canvas import Canvas, Part, Points, darker, ellipse, mixed, smooth
from .portrait import Color

TIES: tuple[Color, ...] = ((150, 30, 40), (40, 50, 110), (60, 60, 64), (40, 90, 70))


def paint_body(canvas: Canvas, anatomy: Anatomy) -> None:
    """Shoulders and torso in the clothes' colour; sleeves where the arms can be seen."""
    color = anatomy.portrait.clothes_rgb
    if anatomy.portrait.clothes == "hoodie":
        x, y = anatomy.neck
        hood = ellipse(x, y + 0.02 * anatomy.tall, 1.25 * anatomy.wide, 0.55 * anatomy.tall)
        canvas.fill(hood, darker(color, 0.72), Part.CLOTHES)
    canvas.fill(smooth(_torso(anatomy)), color, Part.CLOTHES)
    if anatomy.portrait.framing == "half body":
        for side in (0, 1):
            _paint_arm(canvas, anatomy, side)


def paint_neckline(canvas: Canvas, anatomy: Anatomy) -> None:
    """Collar, lapels or neckline, drawn over neck and torso."""
    PAINT_NECKLINE[anatomy.portrait.clothes](canvas, anatomy)


def _torso(anatomy: Anatomy) -> list[tuple[float, float]]:
    x, y = anatomy.neck
    unit, half = anatomy.wide, anatomy.portrait.shape.shoulders * anatomy.wide
    bottom = anatomy.size[1] + 2 * unit
    waist = min(half, 2.0 * unit)
    return [
        (x - 0.62 * unit, y - 0.02 * unit),
        (x + 0.62 * unit, y - 0.02 * unit),
        (x + 0.72 * half, y + 0.30 * unit),
        (x + half, y + 0.85 * unit),
        (x + half * 0.98, y + 1.9 * unit),
        (x + waist, bottom),
        (x - waist, bottom),
        (x - half * 0.98, y + 1.9 * unit),
        (x - half, y + 0.85 * unit),
        (x - 0.72 * half, y + 0.30 * unit),
    ]


def _paint_arm(canvas: Canvas, anatomy: Anatomy, side: int) -> None:
    portrait, unit = anatomy.portrait, anatomy.wide
    elbow, hand = anatomy.arm(side)
    path = np.array([anatomy.shoulders[side], elbow, hand])
    bare = portrait.clothes in ("t-shirt", "dress")
    edge = darker(portrait.clothes_rgb, 0.72)
    canvas.limb(path, edge if not bare else darker(portrait.skin_rgb, 0.72), 0.92 * unit, Part.CLOTHES)
    canvas.limb(path, portrait.clothes_rgb, 0.80 * unit, Part.CLOTHES)
    if bare:
        canvas.limb(path[1:], portrait.skin_rgb, 0.66 * unit, Part.SKIN)
    canvas.fill(
        ellipse(hand[0], hand[1], 0.36 * unit, 0.40 * unit), darker(portrait.skin_rgb, 0.95), Part.SKIN
    )


def _opening(anatomy: Anatomy, wide: float, deep: float, pointed: bool) -> Points:
    """The skin that a neckline leaves bare, in pixels: wide and deep in face half-widths."""
    x, y = anatomy.neck
    unit = anatomy.wide
    top = y - 0.12 * unit
    if pointed:
        return np.array([(x - wide * unit, top), (x + wide * unit, top), (x, y + deep * unit)])
    return smooth(
        [(x - wide * unit, top), (x, top - 0.1 * unit), (x + wide * unit, top), (x, y + deep * unit)]
    )


def _paint_shirt(canvas: Canvas, anatomy: Anatomy) -> None:
    portrait, unit = anatomy.portrait, anatomy.wide
    canvas.fill(_opening(anatomy, 0.60, 0.55, True), darker(portrait.skin_rgb, 0.92), Part.SKIN)
    x, y = anatomy.neck
    collar = mixed(portrait.clothes_rgb, (255, 255, 255), 0.16)
    for side in (-1, 1):
        flap = np.array(
            [
                (x + side * 0.66 * unit, y - 0.22 * unit),
                (x + side * 0.05 * unit, y + 0.55 * unit),
                (x + side * 0.55 * unit, y + 0.72 * unit),
                (x + side * 0.86 * unit, y + 0.1 * unit),
            ]
        )
        canvas.fill(flap, collar, Part.CLOTHES)
        canvas.stroke(flap, darker(portrait.clothes_rgb, 0.66), max(0.5, 0.03 * unit), closed=True)
    placket = np.array([(x, y + 0.6 * unit), (x, anatomy.size[1] + unit)])
    canvas.stroke(placket, darker(portrait.clothes_rgb, 0.72), max(0.5, 0.035 * unit))


def _paint_t_shirt(canvas: Canvas, anatomy: Anatomy) -> None:
    opening = _opening(anatomy, 0.72, 0.45, False)
    canvas.fill(opening, darker(anatomy.portrait.skin_rgb, 0.92), Part.SKIN)
    canvas.stroke(opening, darker(anatomy.portrait.clothes_rgb, 0.78), 0.07 * anatomy.wide, closed=True)


def _paint_sweater(canvas: Canvas, anatomy: Anatomy) -> None:
    x, y = anatomy.neck
    unit = anatomy.wide
    roll = smooth(
        [
            (x - 0.66 * unit, y - 0.38 * unit),
            (x + 0.66 * unit, y - 0.38 * unit),
            (x + 0.74 * unit, y + 0.1 * unit),
            (x - 0.74 * unit, y + 0.1 * unit),
        ]
    )
    canvas.fill(roll, darker(anatomy.portrait.clothes_rgb, 0.92), Part.CLOTHES)
    fold = np.array([(x - 0.72 * unit, y + 0.08 * unit), (x + 0.72 * unit, y + 0.08 * unit)])
    canvas.stroke(fold, darker(anatomy.portrait.clothes_rgb, 0.66), max(0.5, 0.05 * unit))


def _paint_suit(canvas: Canvas, anatomy: Anatomy) -> None:
    portrait, unit = anatomy.portrait, anatomy.wide
    x, y = anatomy.neck
    canvas.fill(_opening(anatomy, 0.66, 1.7, True), (236, 236, 240), Part.OTHER)
    canvas.fill(_opening(anatomy, 0.5, 0.3, True), darker(portrait.skin_rgb, 0.9), Part.SKIN)
    tie = np.array(
        [
            (x - 0.12 * unit, y + 0.25 * unit),
            (x + 0.12 * unit, y + 0.25 * unit),
            (x + 0.16 * unit, y + 1.3 * unit),
            (x, y + 1.6 * unit),
            (x - 0.16 * unit, y + 1.3 * unit),
        ]
    )
    if portrait.seed % 3:
        canvas.fill(tie, TIES[portrait.seed % len(TIES)], Part.OTHER)
    for side in (-1, 1):
        lapel = np.array(
            [
                (x + side * 0.66 * unit, y - 0.15 * unit),
                (x, y + 1.75 * unit),
                (x + side * 0.75 * unit, y + 0.95 * unit),
                (x + side * 0.98 * unit, y + 0.25 * unit),
            ]
        )
        canvas.fill(lapel, mixed(portrait.clothes_rgb, (255, 255, 255), 0.08), Part.CLOTHES)
        canvas.stroke(lapel, darker(portrait.clothes_rgb, 0.62), max(0.5, 0.035 * unit), closed=True)


def _paint_dress(canvas: Canvas, anatomy: Anatomy) -> None:
    opening = _opening(anatomy, 1.15, 0.75, False)
    canvas.fill(opening, darker(anatomy.portrait.skin_rgb, 0.95), Part.SKIN)
    canvas.stroke(
        opening, darker(anatomy.portrait.clothes_rgb, 0.7), max(0.5, 0.04 * anatomy.wide), closed=True
    )


def _paint_hoodie(canvas: Canvas, anatomy: Anatomy) -> None:
    portrait, unit = anatomy.portrait, anatomy.wide
    x, y = anatomy.neck
    canvas.fill(_opening(anatomy, 0.75, 0.5, False), darker(portrait.skin_rgb, 0.9), Part.SKIN)
    rim = smooth(
        [
            (x - 0.95 * unit, y - 0.3 * unit),
            (x - 0.5 * unit, y + 0.45 * unit),
            (x, y + 0.62 * unit),
            (x + 0.5 * unit, y + 0.45 * unit),
            (x + 0.95 * unit, y - 0.3 * unit),
        ],
        closed=False,
    )
    canvas.limb(rim, darker(portrait.clothes_rgb, 0.82), 0.26 * unit, Part.CLOTHES)
    for side in (-1, 1):
        cord = np.array([(x + side * 0.22 * unit, y + 0.6 * unit), (x + side * 0.26 * unit, y + 1.4 * unit)])
        canvas.stroke(cord, mixed(portrait.clothes_rgb, (255, 255, 255), 0.6), max(0.5, 0.06 * unit))


PAINT_NECKLINE = {
    "shirt": _paint_shirt,
    "t-shirt": _paint_t_shirt,
    "sweater": _paint_sweater,
    "suit": _paint_suit,
    "dress": _paint_dress,
    "hoodie": _paint_hoodie,
}
