"""Poses in a picture, found by mediapipe and drawn as OpenPose draws them.

mediapipe's pose network sees one person, the most prominent one. Its 33 landmarks hold all of COCO's 18 but the neck,
which is the middle of the shoulders.
"""

from __future__ import annotations

import colorsys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from webui_engine.controlnet.face_mesh import Landmarks, Pixels, find_faces, in_pixels, solutions
from webui_engine.controlnet.skeleton import Pose, draw_skeleton

_VISIBLE = 0.5
_NECK = 1
_MEDIAPIPE_OF_COCO = (0, None, 12, 14, 16, 11, 13, 15, 24, 26, 28, 23, 25, 27, 5, 2, 8, 7)
"""mediapipe's landmark for each key point of skeleton.KEYPOINTS; None for the neck."""

_FACE_POINTS = (
    *(127, 234, 93, 132, 58, 136, 150, 176, 152, 400, 379, 365, 288, 361, 323, 454, 356),
    *(70, 63, 105, 66, 107, 336, 296, 334, 293, 300),
    *(168, 197, 5, 4, 98, 97, 2, 326, 327),
    *(33, 160, 158, 133, 153, 144, 362, 385, 387, 263, 373, 380),
    *(61, 39, 37, 0, 267, 269, 291, 405, 314, 17, 84, 181),
    *(78, 82, 13, 312, 308, 317, 14, 87),
    *(468, 473),
)
"""The mesh's points nearest to OpenPose's 70 face points: jaw, brows, nose, eyes, lips, pupils."""

_HAND_EDGES = tuple(
    (0 if joint == 0 else 4 * finger + joint, 4 * finger + joint + 1)
    for finger in range(5)
    for joint in range(4)
)
_HAND_LINE_SHARE, _POINT_SHARE = 2 / 512, 3 / 512


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What was found of the one person in a picture.

    body: as skeleton.draw_skeleton takes it. face: OpenPose's 70 points, hands: 21 points by "left" and "right", the
    person's own; (points, 2), pixels of the picture.
    """

    body: Pose | None = None
    face: Landmarks | None = None
    hands: Mapping[str, Landmarks] = field(default_factory=dict)

    @property
    def is_anybody(self) -> bool:
        """Whether any part was found."""
        return self.body is not None or self.face is not None or bool(self.hands)


def look(pixels: Pixels, *, body: bool = True, face: bool = False, hands: bool = False) -> Seen:
    """The asked parts of the person in an RGB picture."""
    meshes = find_faces(pixels) if face else []
    return Seen(
        body=find_pose(pixels) if body else None,
        face=meshes[0][list(_FACE_POINTS)] if meshes else None,
        hands=_find_hands(pixels) if hands else {},
    )


def draw(seen: Seen, width: int, height: int) -> Pixels:
    """The person on black, RGB of that size, drawn as OpenPose does."""
    canvas = draw_skeleton([seen.body] if seen.body else [], width, height)
    for hand in seen.hands.values():
        _draw_hand(canvas, hand)
    if seen.face is not None:
        _draw_points(canvas, seen.face, (255, 255, 255))
    return canvas


def told(seen: Seen, width: int, height: int) -> dict[str, Any]:
    """OpenPose's JSON: points as x, y from 0 to 1 and confidence, one after the other; null for what was not found."""
    size = np.array((width, height))

    def shares(points: Landmarks | None) -> list[float] | None:
        return None if points is None else _flat((points / size).tolist())

    person = {
        "pose_keypoints_2d": _flat(seen.body or [None] * len(_MEDIAPIPE_OF_COCO)),
        "face_keypoints_2d": shares(seen.face),
        "hand_left_keypoints_2d": shares(seen.hands.get("left")),
        "hand_right_keypoints_2d": shares(seen.hands.get("right")),
    }
    people = [person] if seen.is_anybody else []
    return {"people": people, "animals": [], "canvas_height": height, "canvas_width": width}


def _flat(points: Iterable[Any]) -> list[float]:
    triples = ((float(point[0]), float(point[1]), 1.0) if point else (0.0, 0.0, 0.0) for point in points)
    return [value for triple in triples for value in triple]


def find_pose(pixels: Pixels) -> Pose | None:
    """The person in an RGB picture as skeleton.draw_skeleton takes it, or None if nobody is seen."""
    with solutions().pose.Pose(static_image_mode=True, model_complexity=1) as network:
        found = network.process(np.ascontiguousarray(pixels)).pose_landmarks
    if not found:
        return None
    points = [
        None
        if index is None or found.landmark[index].visibility < _VISIBLE
        else (found.landmark[index].x, found.landmark[index].y)
        for index in _MEDIAPIPE_OF_COCO
    ]
    right, left = points[2], points[5]
    if right and left:
        points[_NECK] = ((right[0] + left[0]) / 2, (right[1] + left[1]) / 2)
    return points


def _find_hands(pixels: Pixels) -> dict[str, Landmarks]:
    """The hands by the person's own side; mediapipe names them for a mirrored picture."""
    with solutions().hands.Hands(static_image_mode=True, max_num_hands=2) as network:
        found = network.process(np.ascontiguousarray(pixels))
    sides = [hand.classification[0].label for hand in found.multi_handedness or []]
    return {
        "left" if side == "Right" else "right": in_pixels(hand.landmark, pixels)
        for side, hand in zip(sides, found.multi_hand_landmarks or [], strict=True)
    }


def _draw_hand(canvas: Pixels, hand: Landmarks) -> None:
    thickness = max(1, round(_HAND_LINE_SHARE * min(canvas.shape[:2])))
    for index, (start, end) in enumerate(_HAND_EDGES):
        colour = [round(level * 255) for level in colorsys.hsv_to_rgb(index / len(_HAND_EDGES), 1, 1)]
        cv2.line(canvas, _pixel(hand[start]), _pixel(hand[end]), colour, thickness)
    _draw_points(canvas, hand, (0, 0, 255))


def _draw_points(canvas: Pixels, points: NDArray[np.float32], colour: tuple[int, int, int]) -> None:
    radius = max(1, round(_POINT_SHARE * min(canvas.shape[:2])))
    for point in points:
        cv2.circle(canvas, _pixel(point), radius, colour, -1)


def _pixel(point: NDArray[np.float32]) -> tuple[int, int]:
    return int(point[0]), int(point[1])
