"""The body key points of a painted portrait, for the pose ControlNet."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from webui_engine.controlnet.skeleton import draw_skeleton

from .anatomy import Anatomy
from .face import EYE_LEVEL
from .portrait import Portrait

Point = tuple[float, float]
KEYPOINT_COUNT = 18
EAR_HIDDEN_FROM = 0.45


def key_points(portrait: Portrait) -> list[Point | None]:
    """COCO-18 key points, x and y in 0..1 of the picture; None where a point is out of it or hidden.

    The painted person faces the viewer, so that its right is on the picture's left.
    """
    anatomy = Anatomy(portrait)
    middle, turn = portrait.shape.eye_distance, portrait.shape.turn
    left_shoulder, right_shoulder = anatomy.shoulders
    neck = ((left_shoulder[0] + right_shoulder[0]) / 2, (left_shoulder[1] + right_shoulder[1]) / 2)
    face = anatomy.face([(0.1 * turn, 0.36), (-middle, EYE_LEVEL), (middle, EYE_LEVEL)])
    ears = anatomy.head([(-1.0, 0.10), (1.0, 0.10)])
    arms = [anatomy.arm(side) if portrait.framing == "half body" else (None, None) for side in (0, 1)]
    hips: list[Point | None] = [_hip(anatomy, side) for side in (-1, 1)]
    points: list[Point | None] = [
        _pair(face[0]), neck, left_shoulder, *arms[0], right_shoulder, *arms[1],
        hips[0], None, None, hips[1], None, None, _pair(face[1]), _pair(face[2]),
        _pair(ears[0]) if turn > -EAR_HIDDEN_FROM else None,
        _pair(ears[1]) if turn < EAR_HIDDEN_FROM else None,
    ]  # fmt: skip
    return [_inside(point, *anatomy.size) for point in points]


def pose_map(portrait: Portrait) -> NDArray[np.uint8]:
    """The key points drawn as the engine draws openpose maps: RGB uint8 of the picture's size, black elsewhere."""
    return draw_skeleton([key_points(portrait)], *Anatomy(portrait).size)


def _hip(anatomy: Anatomy, side: int) -> Point:
    x, y = anatomy.neck
    return x + side * 1.3 * anatomy.wide, y + 6.2 * anatomy.wide


def _pair(values: NDArray[np.float64]) -> Point:
    return float(values[0]), float(values[1])


def _inside(point: Point | None, width: int, height: int) -> Point | None:
    if point is None or not (0 <= point[0] < width and 0 <= point[1] < height):
        return None
    return point[0] / width, point[1] / height
