"""Draw the pose pictures that are shipped: OpenPose skeletons of portrait framings, for presets/poses.

A figure is a jointed body in space, seen straight on from far away, so that turned and bent limbs get their right
lengths by themselves. Lengths are shares of the standing height (Drillis & Contini 1966, Body Segment Parameters); the
points of the face are where average eyes, nose and ears are.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPOSITORY))

from webui_engine.controlnet.skeleton import KEYPOINTS, Point, draw_skeleton  # noqa: E402  the path must be set first

WIDTH, HEIGHT = 512, 768

Vector = tuple[float, float, float]
"""x to the picture's right, y down, z towards the camera."""
Limb = tuple[Vector, Vector]
"""Directions of a limb's two halves, of any length."""

SHOULDER_HALF, HIP_HALF = 0.105, 0.072
"""To the joints, which lie inside the breadth of shoulders and hips (0.259 and 0.191)."""
TRUNK, CROWN = 0.288, 0.182
"""From the line of the hips to that of the shoulders, and from there to the crown."""
UPPER_ARM, FOREARM, THIGH, SHANK = 0.186, 0.146, 0.245, 0.246
FACE: dict[str, Vector] = {
    "nose": (0, -0.097, 0.056),
    "right_eye": (-0.0185, -0.118, 0.044),
    "left_eye": (0.0185, -0.118, 0.044),
    "right_ear": (-0.041, -0.108, -0.008),
    "left_ear": (0.041, -0.108, -0.008),
}
"""From the middle of the shoulders, looking at the camera."""
EAR_HIDDEN = -0.02
"""An ear farther back than this is behind the head."""

RIGHT, LEFT = -1, 1
"""The person's own sides, by where they are in the picture when seen from the front."""


HANGING_RIGHT: Limb = (-0.16, 1, 0.02), (-0.06, 1, 0.1)
HANGING_LEFT: Limb = (0.16, 1, 0.02), (0.06, 1, 0.1)
STRAIGHT_RIGHT: Limb = (-0.03, 1, 0), (-0.02, 1, 0)
STRAIGHT_LEFT: Limb = (0.03, 1, 0), (0.02, 1, 0)
SEATED_RIGHT: Limb = (-0.28, 0.5, 0.8), (-0.02, 1, 0.05)
SEATED_LEFT: Limb = (0.28, 0.5, 0.8), (0.02, 1, 0.05)
CROSSED_RIGHT: Limb = (-0.1, 0.8, 0.45), (0.95, -0.22, 0.3)
CROSSED_LEFT: Limb = (0.1, 0.8, 0.45), (-0.95, -0.05, 0.3)
IN_LAP_RIGHT: Limb = (-0.2, 1, 0.15), (0.5, 0.4, 0.8)
IN_LAP_LEFT: Limb = (0.2, 1, 0.15), (-0.5, 0.4, 0.8)


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One body and how it is framed.

    turn, head_turn: degrees towards the person's left; the head's is added to the body's. tilt: degrees of the head
    towards the person's left shoulder. lean: degrees of the trunk, the same way. crown: where the top of the head is,
    as a share of the picture's height. height: of the standing person, in picture heights. centre: of the neck, as a
    share of the width.
    """

    crown: float
    height: float
    centre: float = 0.5
    turn: float = 0
    head_turn: float = 0
    tilt: float = 0
    lean: float = 0
    right_arm: Limb = HANGING_RIGHT
    left_arm: Limb = HANGING_LEFT
    right_leg: Limb = STRAIGHT_RIGHT
    left_leg: Limb = STRAIGHT_LEFT

    def points(self) -> dict[str, Point]:
        """The key points that are seen, as shares of the picture's width and height."""
        body = dict(self._body())
        neck = body["neck"]
        face = {name: _added(neck, place) for name, place in self._face()}
        scale = self.height * HEIGHT
        top = neck[1] - CROWN

        def placed(point: Vector) -> Point:
            return self.centre + (point[0] - neck[0]) * scale / WIDTH, self.crown + (
                point[1] - top
            ) * scale / HEIGHT

        return {
            name: (x, y)
            for name, point in (body | face).items()
            for x, y in [placed(point)]
            if 0 <= x <= 1 and 0 <= y <= 1
        }

    def _body(self) -> Iterator[tuple[str, Vector]]:
        neck = _rolled((0, -TRUNK, 0), self.lean)
        yield "neck", neck
        for name, side, arm, leg in (
            ("right", RIGHT, self.right_arm, self.right_leg),
            ("left", LEFT, self.left_arm, self.left_leg),
        ):
            shoulder = _added(neck, _turned(_rolled((side * SHOULDER_HALF, 0, 0), self.lean), self.turn))
            elbow = _added(shoulder, _turned(_along(arm[0], UPPER_ARM), self.turn))
            hip = _turned((side * HIP_HALF, 0, 0), self.turn)
            knee = _added(hip, _turned(_along(leg[0], THIGH), self.turn))
            yield f"{name}_shoulder", shoulder
            yield f"{name}_elbow", elbow
            yield f"{name}_wrist", _added(elbow, _turned(_along(arm[1], FOREARM), self.turn))
            yield f"{name}_hip", hip
            yield f"{name}_knee", knee
            yield f"{name}_ankle", _added(knee, _turned(_along(leg[1], SHANK), self.turn))

    def _face(self) -> Iterator[tuple[str, Vector]]:
        for name, place in FACE.items():
            seen = _rolled(_turned(place, self.turn + self.head_turn), self.tilt)
            if not (name.endswith("ear") and seen[2] < EAR_HIDDEN) and not (
                name.endswith("eye") and seen[2] < 0
            ):
                yield name, seen


def _added(first: Vector, second: Vector) -> Vector:
    return first[0] + second[0], first[1] + second[1], first[2] + second[2]


def _along(direction: Vector, length: float) -> Vector:
    x, y, z = direction
    share = length / math.hypot(x, y, z)
    return x * share, y * share, z * share


def _turned(point: Vector, degrees: float) -> Vector:
    """A point turned about the upright axis, what faces the camera going to the picture's right."""
    x, y, z = point
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return x * cosine + z * sine, y, z * cosine - x * sine


def _rolled(point: Vector, degrees: float) -> Vector:
    """A point turned in the picture's plane, what is above going to the picture's right."""
    x, y, z = point
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return x * cosine - y * sine, y * cosine + x * sine, z


POSES = {
    "front": Figure(crown=0.17, height=2.1),
    "turned-left": Figure(crown=0.17, height=2.1, centre=0.47, turn=35, head_turn=-5),
    "turned-right": Figure(crown=0.17, height=2.1, centre=0.53, turn=-35, head_turn=5),
    "head-tilted": Figure(crown=0.17, height=2.1, turn=-20, head_turn=20, tilt=10),
    "half-body": Figure(crown=0.1, height=1.42),
    "half-body-arms-crossed": Figure(
        crown=0.08, height=1.42, right_arm=CROSSED_RIGHT, left_arm=CROSSED_LEFT, turn=8, head_turn=-8
    ),
    "half-body-hand-at-chin": Figure(
        crown=0.08,
        height=1.42,
        turn=-15,
        head_turn=12,
        tilt=-5,
        right_arm=((0.35, 0.6, 0.72), (0.42, -0.85, -0.2)),
        left_arm=((0.1, 0.85, 0.35), (-0.95, 0.1, 0.35)),
    ),
    "sitting": Figure(
        crown=0.06,
        height=1.0,
        right_arm=((-0.12, 1, 0.15), (-0.05, 0.55, 0.85)),
        left_arm=((0.12, 1, 0.15), (0.05, 0.55, 0.85)),
        right_leg=SEATED_RIGHT,
        left_leg=SEATED_LEFT,
    ),
    "sitting-turned": Figure(
        crown=0.06,
        height=1.0,
        centre=0.42,
        turn=50,
        head_turn=-38,
        right_arm=IN_LAP_RIGHT,
        left_arm=IN_LAP_LEFT,
        right_leg=((-0.08, 0.2, 1), (0, 1, 0.12)),
        left_leg=((0.1, 0.2, 1), (0, 1, -0.15)),
    ),
    "sitting-leaning": Figure(
        crown=0.08,
        height=1.0,
        tilt=4,
        right_arm=((-0.25, 0.85, 0.55), (0.62, 0.35, 0.6)),
        left_arm=((0.25, 0.85, 0.55), (-0.62, 0.35, 0.6)),
        right_leg=((-0.5, 0.45, 0.8), (0.08, 1, 0)),
        left_leg=((0.5, 0.45, 0.8), (-0.08, 1, 0)),
    ),
    "standing": Figure(crown=0.05, height=0.92),
    "standing-hand-on-hip": Figure(
        crown=0.05,
        height=0.92,
        lean=-3,
        tilt=3,
        left_arm=((0.75, 0.85, -0.25), (-0.8, 0.6, 0.25)),
        right_leg=((-0.02, 1, 0), (0.02, 1, 0)),
        left_leg=((0.16, 1, 0.1), (0.1, 1, -0.05)),
    ),
    "standing-arms-crossed": Figure(
        crown=0.05, height=0.92, turn=12, head_turn=-12, right_arm=CROSSED_RIGHT, left_arm=CROSSED_LEFT
    ),
    "standing-turned": Figure(
        crown=0.05,
        height=0.92,
        centre=0.48,
        turn=45,
        head_turn=-30,
        right_arm=((-0.2, 1, -0.2), (0.25, 0.9, 0.5)),
        left_arm=((0.2, 1, -0.1), (-0.1, 0.9, 0.5)),
        right_leg=((-0.03, 1, 0.12), (0, 1, -0.1)),
        left_leg=((0.03, 1, -0.1), (0, 1, -0.06)),
    ),
    "walking": Figure(
        crown=0.05,
        height=0.92,
        turn=25,
        head_turn=-15,
        right_arm=((-0.15, 1, 0.35), (-0.02, 0.9, 0.55)),
        left_arm=((0.15, 1, -0.35), (0.08, 1, 0)),
        right_leg=((-0.03, 1, -0.3), (0, 0.9, -0.45)),
        left_leg=((0.03, 1, 0.4), (0, 1, -0.02)),
    ),
}


def main() -> None:
    """Write every pose as a PNG."""
    for name, figure in POSES.items():
        points = figure.points()
        pose = tuple(points.get(keypoint) for keypoint in KEYPOINTS)
        picture = Image.fromarray(draw_skeleton([pose], WIDTH, HEIGHT))
        picture.save(REPOSITORY / "presets" / "poses" / f"{name}.png", optimize=True)


if __name__ == "__main__":
    main()
