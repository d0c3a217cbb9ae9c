"""How a head is turned and what its eyes and mouth do, read from the mesh of its face."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Mesh = NDArray[np.float64]

# Points of mediapipe's canonical face mesh.
CHIN, FOREHEAD, RIGHT_SIDE, LEFT_SIDE = 152, 10, 234, 454
RIGHT_EYE_CORNERS, LEFT_EYE_CORNERS = (33, 133), (362, 263)
RIGHT_LIDS, LEFT_LIDS = (159, 145), (386, 374)
INNER_LIPS, MOUTH_CORNERS, OUTER_MOUTH_CORNERS = (13, 14), (78, 308), (61, 291)
# The mesh's own axis from forehead to chin leans back by this many degrees in faces that look straight ahead.
MESH_PITCH = 4.0


@dataclass(frozen=True, slots=True, kw_only=True)
class FacePose:
    """A face looks straight ahead at 0 degrees.

    roll: degrees, positive where the person's left eye is lower. yaw: degrees, positive where the head is turned to the
    person's own left. pitch: degrees, positive where it looks down. eyes_open: height of the less open eye by its
    width. mouth_open: height between the lips by the mouth's width. smile: how far the corners of the mouth are
    above its middle, by the mouth's width; negative where they hang.
    """

    roll: float
    yaw: float
    pitch: float
    eyes_open: float
    mouth_open: float
    smile: float


def face_pose(mesh: Mesh) -> FacePose:
    """The pose of a face. mesh: shape (478, 3) as studio.faces.portrait gives it."""
    right, left = (eye_centre(mesh, corners) for corners in (RIGHT_EYE_CORNERS, LEFT_EYE_CORNERS))
    return FacePose(
        roll=math.degrees(math.atan2(left[1] - right[1], left[0] - right[0])),
        yaw=_angle(mesh[LEFT_SIDE] - mesh[RIGHT_SIDE], along=0),
        pitch=_angle(mesh[CHIN] - mesh[FOREHEAD], along=1) - MESH_PITCH,
        eyes_open=min(
            _openness(mesh, RIGHT_LIDS, RIGHT_EYE_CORNERS), _openness(mesh, LEFT_LIDS, LEFT_EYE_CORNERS)
        ),
        mouth_open=_openness(mesh, INNER_LIPS, MOUTH_CORNERS),
        smile=_smile(mesh),
    )


def eye_centre(mesh: Mesh, corners: tuple[int, int]) -> NDArray[np.float64]:
    """The middle between the corners of an eye, (x, y)."""
    centre: NDArray[np.float64] = mesh[list(corners), :2].mean(axis=0)
    return centre


def _angle(axis: NDArray[np.float64], *, along: int) -> float:
    return math.degrees(math.atan2(float(axis[2]), float(axis[along])))


def _openness(mesh: Mesh, across: tuple[int, int], along: tuple[int, int]) -> float:
    return _apart(mesh, across) / max(_apart(mesh, along), 1e-6)


def _smile(mesh: Mesh) -> float:
    middle, corners = (float(mesh[list(pair), 1].mean()) for pair in (INNER_LIPS, OUTER_MOUTH_CORNERS))
    return (middle - corners) / max(_apart(mesh, OUTER_MOUTH_CORNERS), 1e-6)


def _apart(mesh: Mesh, pair: tuple[int, int]) -> float:
    return math.dist(mesh[pair[0], :2], mesh[pair[1], :2])
