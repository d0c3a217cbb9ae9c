"""Face meshes in the colours of the "mediapipe_face" preprocessor, found by mediapipe.

The contour groups are mediapipe's own; the colours are those ControlNetMediaPipeFace was trained on. Faces are looked
for twice: in the whole picture, and, because the mesh misses small faces there, in each face the detector finds.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from types import ModuleType
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
Landmarks = NDArray[np.float32]

_LINE_SHARE = 2 / 512
_IRIS_SHARE = 2 / 512
_SMALLEST_SIDE = 64
_CROP_MARGIN = 0.5
_RIGHT_IRIS, _LEFT_IRIS = 468, 473
_GROUPS: tuple[tuple[str, tuple[int, int, int]], ...] = (
    ("FACEMESH_FACE_OVAL", (10, 200, 10)),
    ("FACEMESH_LIPS", (10, 180, 10)),
    ("FACEMESH_RIGHT_EYE", (180, 200, 10)),
    ("FACEMESH_RIGHT_EYEBROW", (180, 220, 10)),
    ("FACEMESH_LEFT_EYE", (10, 200, 180)),
    ("FACEMESH_LEFT_EYEBROW", (10, 220, 180)),
)
_IRIS_COLOURS = ((_RIGHT_IRIS, (250, 200, 10)), (_LEFT_IRIS, (10, 200, 250)))


def draw_faces(pixels: Pixels, *, most: int = 1, confidence: float = 0.5) -> Pixels:
    """The meshes of up to most faces of an RGB picture on black, of the same size."""
    canvas = np.zeros_like(pixels)
    for face in find_faces(pixels, most=most, confidence=confidence):
        if min(np.ptp(face[:, 0]), np.ptp(face[:, 1])) >= _SMALLEST_SIDE * min(pixels.shape[:2]) / 512:
            _draw_face(canvas, face)
    return canvas


def find_faces(pixels: Pixels, *, most: int = 1, confidence: float = 0.5) -> list[Landmarks]:
    """Up to most faces of an RGB picture, each (478, 2) x and y in pixels, irises last."""
    return [mesh[:, :2] for mesh in find_meshes(pixels, most=most, confidence=confidence)]


def find_meshes(pixels: Pixels, *, most: int = 1, confidence: float = 0.5) -> list[Landmarks]:
    """Up to most faces of an RGB picture, the largest first, each (478, 3) in pixels: z grows away from the camera."""
    found = [
        _mesh(pixels[top:bottom, left:right], (left, top), confidence)
        for left, top, right, bottom in _face_crops(pixels, confidence)
    ]
    faces = [face for face in found if face is not None]
    if not faces:
        whole = _mesh(pixels, (0, 0), confidence)
        faces = [] if whole is None else [whole]
    return faces[:most]


def _draw_face(canvas: Pixels, face: Landmarks) -> None:
    short_side = min(canvas.shape[:2])
    thickness = max(1, round(_LINE_SHARE * short_side))
    groups = solutions().face_mesh
    for name, colour in _GROUPS:
        for start, end in getattr(groups, name):
            cv2.line(canvas, _pixel(face[start]), _pixel(face[end]), colour, thickness)
    half = max(1, round(_IRIS_SHARE * short_side))
    for index, colour in _IRIS_COLOURS:
        x, y = _pixel(face[index])
        cv2.rectangle(canvas, (x - half, y - half), (x + half, y + half), colour, -1)


def _pixel(point: NDArray[np.float32]) -> tuple[int, int]:
    return int(point[0]), int(point[1])


def _mesh(pixels: Pixels, origin: tuple[int, int], confidence: float) -> Landmarks | None:
    if min(pixels.shape[:2]) == 0:
        return None
    options = {"static_image_mode": True, "max_num_faces": 1, "refine_landmarks": True}
    with solutions().face_mesh.FaceMesh(**options, min_detection_confidence=confidence) as mesh:
        answer = mesh.process(np.ascontiguousarray(pixels)).multi_face_landmarks
    if not answer:
        return None
    marks = answer[0].landmark
    depth = np.array([mark.z * pixels.shape[1] for mark in marks], np.float32)
    return np.column_stack([in_pixels(marks, pixels) + np.array(origin, np.float32), depth])


def in_pixels(landmarks: Iterable[Any], pixels: Pixels) -> Landmarks:
    """mediapipe's landmarks of a picture as (count, 2) x and y in pixels."""
    height, width = pixels.shape[:2]
    return np.array([(mark.x * width, mark.y * height) for mark in landmarks], np.float32)


def _face_crops(pixels: Pixels, confidence: float) -> list[tuple[int, int, int, int]]:
    """Boxes (left, top, right, bottom) with room around each detected face, the largest first."""
    with solutions().face_detection.FaceDetection(
        model_selection=1, min_detection_confidence=confidence
    ) as detector:
        detections = detector.process(np.ascontiguousarray(pixels)).detections or []
    boxes = [detection.location_data.relative_bounding_box for detection in detections]
    return [_with_room(box, pixels) for box in sorted(boxes, key=lambda box: -box.width * box.height)]


def _with_room(box: Any, pixels: Pixels) -> tuple[int, int, int, int]:
    height, width = pixels.shape[:2]
    room_x, room_y = box.width * _CROP_MARGIN, box.height * _CROP_MARGIN
    left, right = (box.xmin - room_x) * width, (box.xmin + box.width + room_x) * width
    top, bottom = (box.ymin - room_y) * height, (box.ymin + box.height + room_y) * height
    return max(0, int(left)), max(0, int(top)), min(width, int(right)), min(height, int(bottom))


@cache
def solutions() -> ModuleType:
    """mediapipe's classic solutions, imported on first use because that takes a second."""
    import mediapipe

    found: ModuleType = mediapipe.solutions
    return found
