"""Paints an animal where its portrait has a person: eyes, nose and mouth lie where the person's would."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence

import cv2
import numpy as np

from .anatomy import Anatomy
from .animals import Animal, animal_at, sitter_at
from .canvas import Canvas, Part, Picture, Points, darker, ellipse, mixed, smooth
from .face import EYE_LEVEL, MOUTH_LEVEL
from .painter import RELIEF, background, grain, paint, shading
from .portrait import Color, Size

NOSE_LEVEL = 0.36
MOUTH: Color = (120, 44, 48)
TONGUE: Color = (224, 112, 118)
RIM: Color = (30, 24, 24)
LID: Color = (150, 84, 74)
STRANDS = 46
FUR_GRAIN = 0.5
Outline = Sequence[tuple[float, float]] | Points


def painting_at(size: Size, number: int) -> Picture:
    """Painting number of the animals' set: mostly animals, now and then a person."""
    animal = animal_at(number)
    return paint(sitter_at(size, number)).picture if animal is None else paint_animal(animal)


def paint_animal(animal: Animal) -> Picture:
    """The painting of animal, always the same: RGB uint8 (height, width, 3)."""
    anatomy = Anatomy(animal.portrait)
    canvas = Canvas(*anatomy.size)
    canvas.pixels[:] = cv2.resize(background(animal.portrait, *anatomy.size), canvas.pixels.shape[1::-1])
    drooping = animal.species.ears == "drooping"
    _paint_body(canvas, anatomy, animal)
    if not drooping:
        _paint_ears(canvas, anatomy, animal)
    _paint_head(canvas, anatomy, animal)
    _paint_markings(canvas, anatomy, animal)
    _paint_strands(canvas, anatomy, animal)
    _paint_muzzle(canvas, anatomy, animal)
    _paint_eyes(canvas, anatomy, animal)
    if drooping:
        _paint_ears(canvas, anatomy, animal)
    cover = {part: canvas.cover(part) for part in RELIEF}
    fur = 1 + FUR_GRAIN * (grain(animal.portrait, cover) - 1)
    light = shading(animal.portrait, anatomy, cover) * fur
    lit: Picture = np.clip(canvas.finished() * light[..., None], 0, 255).astype(np.uint8)
    return lit


def _paint_body(canvas: Canvas, anatomy: Anatomy, animal: Animal) -> None:
    """Neck and chest in fur, as wide as the person's shoulders."""
    species, unit = animal.species, anatomy.wide
    x, y = anatomy.neck
    half, bottom = 0.82 * animal.portrait.shape.shoulders * unit, anatomy.size[1] + 2 * unit
    side = [
        (0.80 * unit, y - 1.1 * unit),
        (1.0 * unit, y - 0.2 * unit),
        (half, y + 0.8 * unit),
        (half * 1.05, bottom),
    ]
    outline = [(x + reach, level) for reach, level in side]
    mirrored = [(x - reach, level) for reach, level in reversed(side)]
    canvas.fill(smooth([*outline, *mirrored]), darker(species.coat, 0.86), Part.HAIR)
    if species.markings in ("blaze", "mask"):
        canvas.tint(ellipse(x, y + 1.4 * unit, 0.95 * unit, 1.7 * unit), species.pale, 0.9, 0.12 * unit)
    canvas.tint(anatomy.head(ellipse(0, 1.04, 0.9, 0.24)), darker(species.coat, 0.45), 0.5, 0.08 * unit)


def _paint_ears(canvas: Canvas, anatomy: Anatomy, animal: Animal) -> None:
    species, broad = animal.species, animal.species.broad
    lean = 0.08 * animal.portrait.shape.turn
    for side in (-1, 1):

        def near(points: Points, side: int = side) -> Points:
            return anatomy.head([(side * u * broad + lean, v) for u, v in points])

        outer, inside = EARS[species.ears]
        shape = near(smooth(outer))
        canvas.fill(shape, species.ear, Part.HAIR)
        canvas.stroke(shape, darker(species.ear, 0.72), max(0.5, 0.03 * anatomy.wide), closed=True)
        if len(inside):
            canvas.tint(near(smooth(inside)), species.inner, 0.92, 0.02 * anatomy.wide)


EARS: dict[str, tuple[Outline, Outline]] = {
    "drooping": (
        [(0.56, -0.84), (0.92, -0.84), (1.20, -0.40), (1.40, 0.30), (1.34, 0.92), (1.10, 1.04), (0.90, 0.62),
         (0.82, -0.10)],
        [],
    ),
    "pointed": (
        [(0.98, -0.42), (1.06, -0.95), (0.98, -1.50), (0.88, -1.52), (0.56, -1.22), (0.22, -0.86), (0.4, -0.5)],
        [(0.88, -0.62), (0.95, -1.0), (0.90, -1.36), (0.66, -1.12), (0.44, -0.84)],
    ),
    "round": (ellipse(0.86, -0.84, 0.36, 0.34, 12), ellipse(0.88, -0.86, 0.20, 0.19, 10)),
    "tall": (
        [(0.22, -0.74), (0.18, -1.30), (0.34, -1.92), (0.56, -2.04), (0.76, -1.86), (0.80, -1.28), (0.70, -0.70)],
        [(0.38, -0.84), (0.36, -1.32), (0.46, -1.76), (0.58, -1.78), (0.66, -1.30), (0.58, -0.84)],
    ),
}  # fmt: skip


def _paint_head(canvas: Canvas, anatomy: Anatomy, animal: Animal) -> None:
    species = animal.species
    broad, fluff = species.broad, species.fluff
    side = [
        (0.0, -0.98), (0.50 * broad, -0.92), (0.86 * broad, -0.62), (1.0 * broad, -0.12),
        ((1.0 + fluff) * broad, 0.28), ((0.84 + fluff) * broad, 0.60), (0.58 * broad, 0.84), (0.26, 0.98),
    ]  # fmt: skip
    outline = smooth([*side, (0.0, 1.02), *((-u, v) for u, v in reversed(side[1:]))], steps=4)
    if species.markings == "curls":
        angle = np.linspace(0, 40 * np.pi, len(outline))
        outline = outline * (1 + 0.05 * np.sin(angle))[:, None]
        crown = [
            (0.92 * math.cos(a) * (1 + 0.07 * math.sin(9 * a)), -0.82 + 0.56 * math.sin(a))
            for a in np.linspace(0, 2 * np.pi, 60, endpoint=False)
        ]
        canvas.fill(anatomy.head(crown), species.coat, Part.HAIR)
    canvas.fill(anatomy.head(outline), species.coat, Part.HAIR)


def _paint_markings(canvas: Canvas, anatomy: Anatomy, animal: Animal) -> None:
    MARKINGS[animal.species.markings](canvas, anatomy, animal)


def _no_markings(canvas: Canvas, anatomy: Anatomy, animal: Animal) -> None:
    """A coat of one colour."""


def _blaze(canvas: Canvas, anatomy: Anatomy, animal: Animal) -> None:
    """A pale stripe from the forehead to the muzzle."""
    stripe = smooth(
        [(-0.10, -0.9), (0.10, -0.9), (0.14, -0.2), (0.42, 0.4), (0.0, 0.9), (-0.42, 0.4), (-0.14, -0.2)]
    )
    canvas.tint(anatomy.face(stripe), animal.species.pale, 0.96, 0.03 * anatomy.wide)


def _mask(canvas: Canvas, anatomy: Anatomy, animal: Animal) -> None:
    """Pale cheeks, and pale spots over the eyes that leave the forehead dark."""
    species = animal.species
    reach = species.broad * (1.0 + species.fluff)
    for side in (-1, 1):
        cheek = [
            (0.04, 0.16),
            (0.34, 0.10),
            (0.66, 0.12),
            (reach, 0.30),
            (0.84 * reach, 0.66),
            (0.30, 1.0),
            (0.0, 1.0),
        ]
        canvas.tint(
            anatomy.head(smooth([(side * u, v) for u, v in cheek])), species.pale, 0.95, 0.05 * anatomy.wide
        )
        brow = ellipse(side * animal.portrait.shape.eye_distance * 0.9, EYE_LEVEL - 0.24, 0.15, 0.08)
        if species.coat[2] > species.coat[0]:
            canvas.tint(anatomy.face(brow), species.pale, 0.9, 0.03 * anatomy.wide)


def _stripes(canvas: Canvas, anatomy: Anatomy, animal: Animal) -> None:
    """Dark stripes on the forehead and the cheeks."""
    dark = darker(animal.species.coat, 0.42)
    width = max(0.7, 0.075 * anatomy.wide)
    for u in (-0.28, 0.0, 0.28):
        canvas.stroke(anatomy.face(smooth([(u, -0.86), (0.7 * u, -0.36)], closed=False)), dark, width)
    broad = animal.species.broad
    for side in (-1, 1):
        for level in (0.02, 0.24, 0.46):
            line = [(side * 0.98 * broad, level), (side * 0.70, level + 0.06)]
            canvas.stroke(anatomy.head(smooth(line, closed=False)), dark, width)


def _curls(canvas: Canvas, anatomy: Anatomy, animal: Animal) -> None:
    """Rings of fur on crown and cheeks."""
    rng = random.Random(animal.portrait.seed)
    for _ in range(34):
        u, v = rng.uniform(-0.9, 0.9), rng.uniform(-1.3, -0.34)
        if rng.random() < 0.3:
            u, v = rng.choice((-1, 1)) * rng.uniform(0.62, 0.92), rng.uniform(-0.2, 0.7)
        ring = ellipse(u, v, 0.11, 0.09, 10)
        color = darker(animal.species.coat, rng.choice((0.80, 0.86, 0.92)))
        canvas.stroke(anatomy.head(ring), color, max(0.5, 0.03 * anatomy.wide), closed=True)


MARKINGS = {"none": _no_markings, "blaze": _blaze, "mask": _mask, "stripes": _stripes, "curls": _curls}


def _paint_strands(canvas: Canvas, anatomy: Anatomy, animal: Animal) -> None:
    """Short strokes of fur that point away from the nose."""
    rng = random.Random(animal.portrait.seed + 1)
    for _ in range(STRANDS):
        angle, far = rng.uniform(0, 2 * math.pi), rng.uniform(0.55, 0.95)
        start = np.array((math.cos(angle) * far * animal.species.broad, math.sin(angle) * far))
        if start[1] > 0.1 and abs(start[0]) < 0.7:
            continue
        ends = anatomy.head(np.stack([start, start * 1.10]))
        column, row = (int(value) for value in ends[0] * 2)
        if not (0 <= row < canvas.pixels.shape[0] and 0 <= column < canvas.pixels.shape[1]):
            continue
        under: Color = tuple(float(value) for value in canvas.pixels[row, column])  # type: ignore[assignment]
        canvas.stroke(
            ends, darker(under, rng.choice((0.82, 0.90, 1.10, 1.18))), max(0.5, 0.025 * anatomy.wide)
        )


def _paint_muzzle(canvas: Canvas, anatomy: Anatomy, animal: Animal) -> None:
    """Muzzle, mouth, nose and whiskers, which swing farther than the eyes as the head turns."""
    species, portrait, unit = animal.species, animal.portrait, anatomy.wide
    lean = 0.16 * portrait.shape.turn
    wide, tall = species.muzzle
    color = species.coat if species.markings == "curls" else species.pale

    def near(points: Points) -> Points:
        return anatomy.face([(u + lean, v) for u, v in points])

    middle = NOSE_LEVEL + 0.62 * tall
    canvas.tint(near(ellipse(0, middle, wide, tall, 28)), color, 0.97, 0.04 * unit)
    canvas.tint(near(ellipse(0, 0.12, 0.45 * wide, 0.28)), color, 0.75, 0.06 * unit)
    canvas.tint(
        near(ellipse(0, middle + 0.75 * tall, 0.8 * wide, 0.25 * tall)), darker(color, 0.74), 0.5, 0.06 * unit
    )
    _paint_mouth(canvas, anatomy, animal, lean)
    nose = species.nose
    tip = smooth(
        [
            (-nose, NOSE_LEVEL - 0.06),
            (0, NOSE_LEVEL - 0.11),
            (nose, NOSE_LEVEL - 0.06),
            (0.55 * nose, NOSE_LEVEL + 0.07),
            (0, NOSE_LEVEL + 0.11),
            (-0.55 * nose, NOSE_LEVEL + 0.07),
        ]
    )
    canvas.fill(near(tip), species.nose_color, Part.OTHER)
    canvas.tint(
        near(ellipse(-0.25 * nose, NOSE_LEVEL - 0.055, 0.3 * nose, 0.025)),
        (255, 255, 255),
        0.55,
        0.015 * unit,
    )
    if species.whiskers:
        shade = mixed(color, (255, 255, 255) if max(color) < 200 else (90, 80, 76), 0.75)
        for side in (-1, 1):
            for spread in (-0.10, 0.02, 0.14):
                ends = np.array([(side * 0.24, 0.50 + 0.3 * spread), (side * 1.06, 0.44 + 1.4 * spread)])
                canvas.stroke(near(ends), shade, max(0.5, 0.018 * unit))


def _paint_mouth(canvas: Canvas, anatomy: Anatomy, animal: Animal, lean: float) -> None:
    expression, species, unit = animal.portrait.expression, animal.species, anatomy.wide
    reach = min(0.34, 0.62 * species.muzzle[0]) * (1.15 if expression in ("smiling", "laughing") else 0.9)
    lift = {"smiling": 0.10, "laughing": 0.10, "serious": -0.04}.get(expression, 0.03)
    low = MOUTH_LEVEL
    dark = darker(species.nose_color, 0.8) if sum(species.nose_color) < 200 else (110, 66, 64)
    if expression == "laughing":
        open_mouth = [
            (-0.8 * reach, low - 0.02),
            (0, low + 0.01),
            (0.8 * reach, low - 0.02),
            (0.45 * reach, low + 0.24),
            (-0.45 * reach, low + 0.24),
        ]
        canvas.fill(anatomy.face([(u + lean, v) for u, v in smooth(open_mouth)]), MOUTH, Part.OTHER)
        canvas.fill(
            anatomy.face([(u + lean, v) for u, v in ellipse(0, low + 0.19, 0.42 * reach, 0.10)]),
            TONGUE,
            Part.OTHER,
        )
    line = [
        (-reach, low - lift),
        (-0.55 * reach, low + 0.02),
        (0, low - 0.05),
        (0.55 * reach, low + 0.02),
        (reach, low - lift),
    ]
    thick = max(0.7, 0.045 * unit)
    canvas.stroke(anatomy.face([(u + lean, v) for u, v in smooth(line, closed=False)]), dark, thick)
    canvas.stroke(anatomy.face([(lean, NOSE_LEVEL + 0.08), (lean, low - 0.05)]), dark, thick)


def _paint_eyes(canvas: Canvas, anatomy: Anatomy, animal: Animal) -> None:
    species, portrait, unit = animal.species, animal.portrait, anatomy.wide
    squint = {"smiling": 0.88, "laughing": 0.7}.get(portrait.expression, 1.0)
    tall = species.eye * portrait.shape.narrow * squint
    gaze = 0.18 * portrait.shape.turn * species.eye
    for side in (-1, 1):
        u, v = side * portrait.shape.eye_distance, EYE_LEVEL
        rim = [
            (
                u + side * species.eye * 1.25 * math.cos(a),
                v + tall * 1.22 * math.sin(a) + species.droop * math.cos(a),
            )
            for a in np.linspace(0, 2 * np.pi, 16, endpoint=False)
        ]
        canvas.fill(anatomy.face(rim), RIM, Part.OTHER)
        canvas.fill(anatomy.face(ellipse(u + gaze, v, species.eye, tall, 16)), species.eye_color, Part.OTHER)
        pupil = (0.30, 0.86) if species.slit else (0.56, 0.56)
        canvas.fill(
            anatomy.face(ellipse(u + gaze, v, species.eye * pupil[0], tall * pupil[1], 12)), (14, 12, 12)
        )
        canvas.fill(
            anatomy.face(
                ellipse(u + gaze - 0.35 * species.eye, v - 0.4 * tall, 0.24 * species.eye, 0.24 * tall, 8)
            ),
            (252, 252, 252),
        )
        if species.droop > 0:
            lid = [
                (u - side * 0.8 * species.eye, v + 1.25 * tall),
                (u + side * 0.4 * species.eye, v + 1.75 * tall),
                (u + side * 1.3 * species.eye, v + 1.5 * tall),
            ]
            canvas.stroke(anatomy.face(smooth(lid, closed=False)), LID, max(0.6, 0.04 * unit))
