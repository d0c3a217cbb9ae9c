"""Finding faces with mediapipe's two detectors (BlazeFace, Bazarevsky et al. 2019), which lie in its wheel."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from studio.faces.mesh import has_face_mesh
from studio.faces.values import Box, Face

Pixels = NDArray[np.uint8]

SHORT_RANGE, FULL_RANGE = 0, 1
LOWEST_SCORE = 0.5
SAME_FACE = 0.3
SURE_FACE = 0.6
SMALLEST_SIDE = 32


@dataclass(frozen=True, slots=True)
class _Window:
    """A part of the picture that is searched by itself; black where it reaches beyond the picture."""

    left: int
    top: int
    width: int
    height: int


def find_faces(pixels: Pixels) -> tuple[Face, ...]:
    """The faces in a picture, the widest first; a box may reach beyond the picture.

    pixels: RGB, uint8, shape (height, width, 3). A find counts when landmarks fit it as well; where none does, the best
    find alone is returned as not confirmed. Where nothing is found at first, the picture is searched with a border, for
    faces cut in half, and then in overlapping quarters, for faces of about a twentieth of it. Under 32 pixels a
    side nothing is searched.
    """
    height, width = pixels.shape[:2]
    if min(width, height) < SMALLEST_SIDE:
        return ()
    whole = _Window(0, 0, width, height)
    bordered = _Window(-width // 4, -height // 4, width * 3 // 2, height * 3 // 2)
    found = (
        _search(pixels, [whole]) or _search(pixels, [bordered]) or _search(pixels, _quarters(width, height))
    )
    faces = [face for face in found if has_face_mesh(pixels, face.box)]
    return tuple(sorted(faces, key=lambda face: -face.box.width)) or _doubtful(found)


def surest_score(pixels: Pixels) -> float:
    """The best score of a face that landmarks fit, looked for in the picture as a whole; 0 where there is none.

    pixels: RGB, uint8, shape (height, width, 3).
    """
    height, width = pixels.shape[:2]
    if min(width, height) < SMALLEST_SIDE:
        return 0.0
    found = _search(pixels, [_Window(0, 0, width, height)])
    return max((face.score for face in found if has_face_mesh(pixels, face.box)), default=0.0)


def _doubtful(found: Sequence[Face]) -> tuple[Face, ...]:
    return tuple(
        face.model_copy(update={"confirmed": False}) for face in found[:1] if face.score >= SURE_FACE
    )


def _quarters(width: int, height: int) -> list[_Window]:
    """Nine windows of half the picture's sides, overlapping by half."""
    wide, high = max(width // 2, 1), max(height // 2, 1)
    return [_Window(x * wide // 2, y * high // 2, wide, high) for y, x in product(range(3), range(3))]


def _search(pixels: Pixels, windows: Iterable[_Window]) -> list[Face]:
    found = [
        face
        for window in windows
        for model in (SHORT_RANGE, FULL_RANGE)
        for face in _detect(pixels, window, model)
    ]
    return _distinct(found)


def _detect(pixels: Pixels, window: _Window, model: int) -> list[Face]:
    frame = (window.left, window.top, window.left + window.width, window.top + window.height)
    part = np.asarray(Image.fromarray(pixels).crop(frame))
    try:
        answer = _detector(model).process(part)
    except (
        RuntimeError
    ):  # a shape that mediapipe cannot scale shows no face; its graph is broken from then on
        _detector.cache_clear()
        return []
    return [_face(detection, window) for detection in answer.detections or ()]


def _face(detection: Any, window: _Window) -> Face:
    box = detection.location_data.relative_bounding_box
    left = window.left + round(box.xmin * window.width)
    top = window.top + round(box.ymin * window.height)
    right = left + max(round(box.width * window.width), 1)
    bottom = top + max(round(box.height * window.height), 1)
    framed = Box(left=left, top=top, right=right, bottom=bottom)
    return Face(box=framed, score=float(detection.score[0]), turn=_turn(detection, window))


def _turn(detection: Any, window: _Window) -> float:
    """How far the nose's tip is from the middle of the eyes along the line through them, by half their distance."""
    points = detection.location_data.relative_keypoints[:3]
    right, left, nose = (np.array([mark.x * window.width, mark.y * window.height]) for mark in points)
    across = left - right
    along = float((nose - (left + right) / 2) @ across)
    return round(2 * abs(along) / max(float(across @ across), 1.0), 3)


def _distinct(faces: Sequence[Face]) -> list[Face]:
    """Of faces that overlap, only the one with the highest score."""
    kept: list[Face] = []
    for face in sorted(faces, key=lambda face: -face.score):
        if all(face.box.overlap(other.box) < SAME_FACE for other in kept):
            kept.append(face)
    return kept


@lru_cache(maxsize=2)
def _detector(model: int) -> Any:
    from mediapipe.python.solutions.face_detection import FaceDetection

    return FaceDetection(model_selection=model, min_detection_confidence=LOWEST_SCORE)
