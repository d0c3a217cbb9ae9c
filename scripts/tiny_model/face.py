"""Paints the head: neck, ears, skin, eyes, brows, nose, mouth and glasses."""

from __future__ import annotations

from .anatomy import Anatomy
from .canvas import Canvas, Part, Points, darker, ellipse, mixed, smooth
from .portrait import EYE_TONES, Color

EYE_LEVEL = 0.02
MOUTH_LEVEL = 0.62
LIP: Color = (178, 70, 78)
BLUSH: Color = (226, 92, 84)


def paint_head(canvas: Canvas, anatomy: Anatomy) -> None:
    """Neck, ears and the face's skin."""
    skin = anatomy.portrait.skin_rgb
    x, y = anatomy.neck
    foot, top = 0.62 * anatomy.wide, anatomy.center[1] + 0.3 * anatomy.tall
    low = y + 0.12 * anatomy.tall
    cx = anatomy.center[0]
    neck = smooth(
        [
            (cx - foot, top),
            (cx + foot, top),
            (x + foot, y),
            (x + foot * 1.1, low),
            (x - foot * 1.1, low),
            (x - foot, y),
        ]
    )
    canvas.fill(neck, darker(skin, 0.84), Part.SKIN)
    canvas.tint(anatomy.head(ellipse(0, 1.08, 0.62, 0.22)), darker(skin, 0.55), 0.5, 0.06 * anatomy.wide)
    turn = anatomy.portrait.shape.turn
    for side in (-1, 1):
        if side * turn < 0.45:
            ear = anatomy.head(ellipse(side * (1.0 - 0.06 * abs(turn)), 0.10, 0.15, 0.21))
            canvas.fill(ear, darker(skin, 0.88), Part.SKIN)
    canvas.fill(anatomy.head(smooth(anatomy.outline, steps=3)), skin, Part.FACE)


def paint_features(canvas: Canvas, anatomy: Anatomy) -> None:
    """Cheeks, eyes, brows, nose and mouth."""
    _paint_modelling(canvas, anatomy)
    for side in (-1, 1):
        _paint_eye(canvas, anatomy, side)
        _paint_brow(canvas, anatomy, side)
    _paint_nose(canvas, anatomy)
    _paint_mouth(canvas, anatomy)
    if anatomy.portrait.age == "old":
        _paint_wrinkles(canvas, anatomy)


def paint_glasses(canvas: Canvas, anatomy: Anatomy) -> None:
    """Thin frames, or dark lenses."""
    kind = anatomy.portrait.glasses
    if kind == "none":
        return
    middle = anatomy.portrait.shape.eye_distance
    frame: Color = (32, 28, 30)
    for side in (-1, 1):
        lens = anatomy.face(ellipse(side * middle, EYE_LEVEL + 0.03, 0.315, 0.20))
        if kind == "sunglasses":
            canvas.fill(lens, (26, 26, 30))
            glare = anatomy.face(ellipse(side * middle - 0.08, EYE_LEVEL - 0.05, 0.12, 0.05))
            canvas.tint(glare, (210, 220, 235), 0.35, 0.03 * anatomy.wide)
        canvas.stroke(lens, frame, max(0.7, 0.05 * anatomy.wide), closed=True)
        arm = anatomy.face([(side * (middle + 0.31), EYE_LEVEL), (side * 0.97, EYE_LEVEL - 0.04)])
        canvas.stroke(arm, frame, max(0.6, 0.04 * anatomy.wide))
    bridge = anatomy.face([(-(middle - 0.31), EYE_LEVEL), (middle - 0.31, EYE_LEVEL)])
    canvas.stroke(bridge, frame, max(0.7, 0.05 * anatomy.wide))


def paint_earrings(canvas: Canvas, anatomy: Anatomy) -> None:
    """A small golden drop on each visible ear."""
    if not anatomy.portrait.earrings:
        return
    for side in (-1, 1):
        if side * anatomy.portrait.shape.turn < 0.45:
            canvas.fill(anatomy.head(ellipse(side * 1.03, 0.40, 0.06, 0.07)), (236, 196, 92))


def _paint_modelling(canvas: Canvas, anatomy: Anatomy) -> None:
    skin, unit = anatomy.portrait.skin_rgb, anatomy.wide
    shadow = darker(skin, 0.66)
    for side in (-1, 1):
        canvas.tint(
            anatomy.face(ellipse(side * 0.42, EYE_LEVEL - 0.03, 0.27, 0.15)), shadow, 0.42, 0.07 * unit
        )
        canvas.tint(anatomy.face(ellipse(side * 0.55, 0.38, 0.22, 0.16)), BLUSH, 0.16, 0.10 * unit)
        canvas.tint(anatomy.face(ellipse(side * 0.78, 0.45, 0.16, 0.30)), shadow, 0.30, 0.10 * unit)
    canvas.tint(anatomy.face(ellipse(0, -0.45, 0.4, 0.18)), darker(skin, 1.16), 0.45, 0.12 * unit)
    canvas.tint(anatomy.face(ellipse(0, 0.90, 0.2, 0.08)), darker(skin, 1.12), 0.4, 0.08 * unit)


def _paint_eye(canvas: Canvas, anatomy: Anatomy, side: int) -> None:
    portrait, unit = anatomy.portrait, anatomy.wide
    middle, grow = side * portrait.shape.eye_distance, portrait.shape.eye_size
    squint = {"smiling": 0.85, "laughing": 0.62}.get(portrait.expression, 1.0)
    opened = (1 - 0.15 * portrait.smile) * (1 - 0.94 * portrait.blink)
    wide, tall = 0.205 * grow, 0.088 * grow * squint * opened

    def near(points: list[tuple[float, float]] | Points) -> Points:
        return anatomy.face([(middle + side * u * wide, EYE_LEVEL + v * tall) for u, v in points])

    white = smooth(
        [(-1.0, 0.25), (-0.4, -0.75), (0.25, -0.95), (1.0, -0.1), (0.4, 0.75), (-0.4, 0.8)], steps=3
    )
    canvas.fill(near(white), (238, 236, 232), Part.FACE)
    gaze = side * 0.25 * portrait.shape.turn
    iris = [(gaze + u * 0.46, -0.02 + v * 1.0) for u, v in ellipse(0, 0, 1, 1, 12)]
    pupil = [(gaze + u * 0.22, v * 0.5) for u, v in ellipse(0, 0, 1, 1, 10)]
    canvas.fill(near(iris), EYE_TONES[portrait.eye_color])
    canvas.fill(near(pupil), (16, 14, 14))
    canvas.fill(near(ellipse(gaze - side * 0.16, -0.4, 0.13, 0.28, 8)), (250, 250, 250))
    lid = smooth([(-1.1, 0.35), (-0.45, -0.8), (0.25, -1.05), (1.1, -0.15)], closed=False, steps=4)
    lash = 0.075 if portrait.noun == "woman" else 0.05
    canvas.stroke(near(lid), mixed(portrait.skin_rgb, (24, 16, 16), 0.88), max(0.6, lash * unit))
    lower = smooth([(-0.7, 0.7), (0.1, 0.95), (0.9, 0.2)], closed=False, steps=3)
    canvas.stroke(near(lower), darker(portrait.skin_rgb, 0.62), max(0.5, 0.025 * unit))
    crease = [(u, v - 0.75) for u, v in lid]
    canvas.stroke(near(crease), darker(portrait.skin_rgb, 0.68), max(0.5, 0.022 * unit))


def _paint_brow(canvas: Canvas, anatomy: Anatomy, side: int) -> None:
    portrait = anatomy.portrait
    middle, thick = side * portrait.shape.eye_distance, 0.045 * portrait.shape.brow
    inner, outer = {"serious": (0.05, -0.02), "laughing": (-0.03, 0.0)}.get(portrait.expression, (0.0, 0.0))
    level = EYE_LEVEL - 0.225
    points = [
        (-0.24, level + inner),
        (-0.02, level - 0.045),
        (0.25, level + 0.01 + outer),
        (0.24, level + 0.02 + outer),
        (0.0, level - 0.03 + thick),
        (-0.23, level + inner + thick),
    ]
    dark = (30, 22, 20) if portrait.hair_style == "bald" else darker(portrait.hair_rgb, 0.62)
    canvas.tint(
        anatomy.face(smooth([(middle + side * u, v) for u, v in points], steps=3)),
        dark,
        0.88,
        0.012 * anatomy.wide,
    )


def _paint_nose(canvas: Canvas, anatomy: Anatomy) -> None:
    portrait, unit = anatomy.portrait, anatomy.wide
    skin, size = portrait.skin_rgb, portrait.shape.nose
    lean = 0.10 * portrait.shape.turn
    shadow_side = -1 if portrait.shape.turn < 0 else 1
    flank = [
        (shadow_side * u * size + lean, v)
        for u, v in ((0.05, 0.02), (0.12, 0.22), (0.19, 0.38), (0.06, 0.42), (0.03, 0.2))
    ]
    canvas.tint(anatomy.face(smooth(flank, steps=3)), darker(skin, 0.62), 0.5, 0.035 * unit)
    canvas.tint(anatomy.face(ellipse(lean * 0.8, 0.16, 0.05, 0.22)), darker(skin, 1.2), 0.5, 0.03 * unit)
    canvas.tint(
        anatomy.face(ellipse(lean * 1.2, 0.33, 0.08 * size, 0.05)), darker(skin, 1.22), 0.5, 0.03 * unit
    )
    under = smooth(
        [(-0.19 * size + lean, 0.38), (lean, 0.435), (0.19 * size + lean, 0.38)], closed=False, steps=4
    )
    canvas.stroke(anatomy.face(under), darker(skin, 0.60), max(0.6, 0.035 * unit))
    for side in (-1, 1):
        nostril = ellipse(side * 0.085 * size + lean, 0.405, 0.038 * size, 0.018, 8)
        canvas.tint(anatomy.face(nostril), darker(skin, 0.30), 0.85)


def _paint_mouth(canvas: Canvas, anatomy: Anatomy) -> None:
    portrait, unit = anatomy.portrait, anatomy.wide
    wide = {"smiling": 0.44, "laughing": 0.46}.get(portrait.expression, 0.34) + 0.09 * portrait.smile
    wide *= portrait.shape.mouth
    curve = {"smiling": 0.065, "laughing": 0.07, "serious": -0.02}.get(portrait.expression, 0.005)
    curve += 0.06 * portrait.smile
    lip = mixed(darker(portrait.skin_rgb, 0.80), LIP, 0.75 if portrait.noun == "woman" else 0.38)
    corner, level = MOUTH_LEVEL - curve, MOUTH_LEVEL
    upper = [
        (-wide, corner),
        (-0.4 * wide, level - 0.05),
        (0.0, level - 0.035),
        (0.4 * wide, level - 0.05),
        (wide, corner),
    ]
    drop = 0.17 if portrait.expression == "laughing" else 0.085
    lower = [(0.5 * wide, level + drop * 0.85), (0.0, level + drop), (-0.5 * wide, level + drop * 0.85)]
    canvas.fill(anatomy.face(smooth([*upper, *lower], steps=3)), lip)
    if portrait.expression == "laughing":
        inside = [
            (-0.8 * wide, corner + 0.02),
            (0.0, level - 0.005),
            (0.8 * wide, corner + 0.02),
            (0.4 * wide, level + 0.11),
            (-0.4 * wide, level + 0.11),
        ]
        canvas.fill(anatomy.face(smooth(inside, steps=3)), (96, 26, 32))
        teeth = [
            (-0.7 * wide, corner + 0.025),
            (0.0, level),
            (0.7 * wide, corner + 0.025),
            (0.0, level + 0.06),
        ]
        canvas.fill(anatomy.face(smooth(teeth, steps=3)), (244, 240, 232))
    else:
        line = smooth(
            [(-wide, corner), (0.0, level + 0.012 + 0.4 * curve), (wide, corner)], closed=False, steps=5
        )
        canvas.stroke(anatomy.face(line), darker(lip, 0.45), max(0.6, 0.032 * unit))
    shine = ellipse(0.0, level + drop * 0.62, 0.4 * wide, 0.016, 8)
    if portrait.expression != "laughing":
        canvas.tint(anatomy.face(shine), darker(lip, 1.35), 0.5, 0.02 * unit)


def _paint_wrinkles(canvas: Canvas, anatomy: Anatomy) -> None:
    color, width = darker(anatomy.portrait.skin_rgb, 0.76), max(0.5, 0.022 * anatomy.wide)
    for level in (-0.42, -0.34):
        canvas.stroke(
            anatomy.face(smooth([(-0.4, level), (0.0, level - 0.02), (0.4, level)], closed=False)),
            color,
            width,
        )
    for side in (-1, 1):
        fold = [(side * 0.24, 0.36), (side * 0.40, 0.50), (side * 0.44, 0.66)]
        canvas.stroke(anatomy.face(smooth(fold, closed=False)), color, width * 1.3)
