"""A head seen upright: the mesh of its face and the matte of the person, for pictures that have rules to keep."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np

from studio.faces.find import find_faces
from studio.faces.matte import person_matte
from studio.faces.pose import CHIN, LEFT_EYE_CORNERS, RIGHT_EYE_CORNERS, Mesh, eye_centre
from studio.faces.similarity import Pixels, Similarity, warped
from studio.faces.values import Box, Face
from studio.faces.working import scaled, working_copy

FRAME_SIDE = 512
EYES_AT = (0.5, 0.44)
EYES_TO_CHIN = 0.2
MARGIN = 0.7
MESH_SIDE = 384
LOWEST_PRESENCE = 0.3


@dataclass(frozen=True, slots=True, eq=False)
class SeenHead:
    """The head in a frame of 512 by 512 pixels, its eyes level, near the middle.

    to_frame: from the picture's pixels to the frame's. mesh: 478 points of the frame, shape (478, 3); z, in the same
    unit, grows away from the camera. matte: how much of a pixel is the person, uint8, 0 to 255. inside: 255 where the
    frame shows the picture, 0 beyond its edges.
    """

    to_frame: Similarity
    mesh: Mesh
    matte: Pixels
    inside: Pixels


@dataclass(frozen=True, slots=True, eq=False)
class Portrait:
    """What is seen in a picture of width by height pixels: all faces, the widest first, and the head of that one.

    head: None without a face that landmarks fit.
    """

    width: int
    height: int
    faces: tuple[Face, ...]
    head: SeenHead | None

    def resized(self, scale: float) -> Portrait:
        """The same seen in the picture made scale times as large."""
        head = self.head
        to_frame = Similarity(1 / scale, 0.0, 0.0, 0.0).then(head.to_frame) if head else None
        return Portrait(
            width=round(self.width * scale),
            height=round(self.height * scale),
            faces=tuple(scaled(face, scale) for face in self.faces),
            head=replace(head, to_frame=to_frame) if head and to_frame else None,
        )


def portrait(picture: bytes) -> Portrait:
    """Look at a clean picture (as studio.intake.decode gives it)."""
    copy = working_copy(picture)
    pixels = copy.pixels
    faces = tuple(face for face in find_faces(pixels) if face.confirmed)
    head = upright_head(pixels, faces[0].box) if faces else None
    return Portrait(
        width=copy.width,
        height=copy.height,
        faces=tuple(scaled(face, copy.scale) for face in faces),
        head=_seen(head, 1 / copy.scale) if head else None,
    )


@dataclass(frozen=True, slots=True, eq=False)
class UprightHead:
    """A head brought into the frame. to_frame, mesh, inside: as SeenHead has them. frame: RGB, uint8, (512, 512, 3)."""

    to_frame: Similarity
    mesh: Mesh
    frame: Pixels
    inside: Pixels


def upright_head(pixels: Pixels, box: Box) -> UprightHead | None:
    """The head of the face in box, turned upright; None where no mesh fits it. pixels: RGB, uint8."""
    first = _mesh_in(pixels, _face_window(box))
    if first is None:
        return None
    upright = _upright(first)
    frame = warped(pixels, upright, (FRAME_SIDE, FRAME_SIDE), repeat_edge=True)
    second = _mesh_in(frame, _inner_window())
    if second is None:
        return None
    inside = warped(
        np.full(pixels.shape[:2], 255, dtype=np.uint8), upright, (FRAME_SIDE, FRAME_SIDE), repeat_edge=False
    )
    return UprightHead(upright, second, frame, np.where(inside > 127, 255, 0).astype(np.uint8))


def _seen(head: UprightHead, scale: float) -> SeenHead:
    """scale: of the pixels the head was found in against the picture they were made from."""
    return SeenHead(
        to_frame=Similarity(scale, 0.0, 0.0, 0.0).then(head.to_frame),
        mesh=head.mesh,
        matte=person_matte(head.frame, head.inside),
        inside=head.inside,
    )


def _face_window(box: Box) -> Similarity:
    """From the picture to a square of MESH_SIDE pixels around the face."""
    scale = MESH_SIDE / (max(box.width, box.height) * (1 + 2 * MARGIN))
    middle = ((box.left + box.right) / 2, (box.top + box.bottom) / 2)
    return Similarity.about(scale, 0.0, middle, (MESH_SIDE / 2, MESH_SIDE / 2))


def _inner_window() -> Similarity:
    """From the frame to a square of MESH_SIDE pixels around the face in it."""
    scale = MESH_SIDE / (FRAME_SIDE * 0.6)
    middle = (EYES_AT[0] * FRAME_SIDE, (EYES_AT[1] + EYES_TO_CHIN / 3) * FRAME_SIDE)
    return Similarity.about(scale, 0.0, middle, (MESH_SIDE / 2, MESH_SIDE / 2))


def _mesh_in(pixels: Pixels, window: Similarity) -> Mesh | None:
    """The mesh of the face that fills the window, in coordinates of pixels; None where none fits."""
    part = warped(pixels, window, (MESH_SIDE, MESH_SIDE), repeat_edge=False)
    found = _mesher().process(part).multi_face_landmarks
    if not found:
        return None
    points = np.array([(point.x, point.y, point.z) for point in found[0].landmark]) * MESH_SIDE
    back = window.inverse()
    return np.column_stack([back(points[:, :2]), points[:, 2] * back.scale])


def _upright(mesh: Mesh) -> Similarity:
    """From the picture to the frame: eyes level and at their place, eyes and chin a fixed length apart."""
    right, left = (eye_centre(mesh, corners) for corners in (RIGHT_EYE_CORNERS, LEFT_EYE_CORNERS))
    eyes = (right + left) / 2
    roll = math.atan2(left[1] - right[1], left[0] - right[0])
    scale = EYES_TO_CHIN * FRAME_SIDE / max(math.dist(eyes, mesh[CHIN, :2]), 1.0)
    target = EYES_AT[0] * FRAME_SIDE, EYES_AT[1] * FRAME_SIDE
    return Similarity.about(scale, -roll, (float(eyes[0]), float(eyes[1])), target)


@lru_cache(maxsize=1)
def _mesher() -> Any:
    from mediapipe.python.solutions.face_mesh import FaceMesh

    return FaceMesh(
        static_image_mode=True,
        max_num_faces=1,
        refine_landmarks=True,
        min_detection_confidence=LOWEST_PRESENCE,
    )
