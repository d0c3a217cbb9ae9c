"""The body skeleton as ControlNet's openpose models read it: COCO-18 key points in OpenPose's colours.

Key points, limbs and colours are those of OpenPose's COCO model (Cao et al. 2019), the thickness and the dimmed limbs
those of the drawings that the public openpose ControlNets were trained on.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

KEYPOINTS = (
    "nose",
    "neck",
    "right_shoulder",
    "right_elbow",
    "right_wrist",
    "left_shoulder",
    "left_elbow",
    "left_wrist",
    "right_hip",
    "right_knee",
    "right_ankle",
    "left_hip",
    "left_knee",
    "left_ankle",
    "right_eye",
    "left_eye",
    "right_ear",
    "left_ear",
)
"""The order of a pose; left and right are the person's own."""

LIMBS = (
    (1, 2),
    (1, 5),
    (2, 3),
    (3, 4),
    (5, 6),
    (6, 7),
    (1, 8),
    (8, 9),
    (9, 10),
    (1, 11),
    (11, 12),
    (12, 13),
    (1, 0),
    (0, 14),
    (14, 16),
    (0, 15),
    (15, 17),
)
"""Pairs of key points that are joined; limb i has colour i."""

COLOURS = (
    (255, 0, 0),
    (255, 85, 0),
    (255, 170, 0),
    (255, 255, 0),
    (170, 255, 0),
    (85, 255, 0),
    (0, 255, 0),
    (0, 255, 85),
    (0, 255, 170),
    (0, 255, 255),
    (0, 170, 255),
    (0, 85, 255),
    (0, 0, 255),
    (85, 0, 255),
    (170, 0, 255),
    (255, 0, 255),
    (255, 0, 170),
    (255, 0, 85),
)
"""RGB; key point i is a disc of colour i, limb i a spindle of colour i at LIMB_BRIGHTNESS."""

LIMB_BRIGHTNESS = 0.6
RADIUS_SHARE = 4 / 512
"""Radius of a disc, and half the thickness of a limb, as a share of the picture's short side."""

Point = tuple[float, float]
Pose = Sequence[Point | None]
_FRACTION_BITS = 4


def draw_skeleton(poses: Sequence[Pose], width: int, height: int) -> NDArray[np.uint8]:
    """The poses on black, (height, width, 3) RGB.

    A pose is 18 points in the order of KEYPOINTS, (x, y) from 0 to 1 of the picture's width and height (points outside
    are clipped by the frame), or None where a point is not seen. Edges are antialiased, so that a drawing of 128
    pixels still shows every joint.
    """
    canvas = np.zeros((height, width, 3), np.uint8)
    radius = max(1.0, RADIUS_SHARE * min(width, height))
    placed = [[_in_pixels(point, width, height) for point in pose] for pose in poses]
    for pose in placed:
        for colour, (start, end) in zip(COLOURS, LIMBS, strict=False):
            _draw_limb(canvas, pose[start], pose[end], radius, colour)
    for pose in placed:
        for colour, point in zip(COLOURS, pose, strict=True):
            _draw_joint(canvas, point, radius, colour)
    return canvas


def _in_pixels(point: Point | None, width: int, height: int) -> Point | None:
    return None if point is None else (point[0] * width, point[1] * height)


def _draw_limb(
    canvas: NDArray[np.uint8],
    start: Point | None,
    end: Point | None,
    radius: float,
    colour: tuple[int, int, int],
) -> None:
    if start is None or end is None:
        return
    dimmed = [int(channel * LIMB_BRIGHTNESS) for channel in colour]
    cv2.fillConvexPoly(canvas, _spindle(start, end, radius), dimmed, cv2.LINE_AA, _FRACTION_BITS)


def _spindle(start: Point, end: Point, radius: float) -> NDArray[np.int32]:
    """The outline of an ellipse from start to end, radius thick to either side, in fixed-point pixels."""
    along = (np.array(end) - np.array(start)) / 2
    length = float(np.hypot(*along))
    across = np.array([-along[1], along[0]]) / max(length, 1e-6) * radius
    angles = np.linspace(0, 2 * np.pi, 48, endpoint=False)[:, None]
    outline = (np.array(start) + np.array(end)) / 2 + np.cos(angles) * along + np.sin(angles) * across
    fixed: NDArray[np.int32] = np.round(outline * (1 << _FRACTION_BITS)).astype(np.int32)
    return fixed


def _draw_joint(
    canvas: NDArray[np.uint8], point: Point | None, radius: float, colour: tuple[int, int, int]
) -> None:
    if point is None:
        return
    x, y = (round(value * (1 << _FRACTION_BITS)) for value in point)
    cv2.circle(canvas, (x, y), round(radius * (1 << _FRACTION_BITS)), colour, -1, cv2.LINE_AA, _FRACTION_BITS)
