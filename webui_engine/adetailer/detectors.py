"""Finding faces: mediapipe's detectors, whose weights come with the package, and YOLO files where they can run.

Source of the names: the A1111 contract notes, adetailer section 5.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from webui_engine.errors import UnknownName

MEDIAPIPE = (
    "mediapipe_face_full",
    "mediapipe_face_short",
    "mediapipe_face_mesh",
    "mediapipe_face_mesh_eyes_only",
)
SMALLEST_SIDE = 512
MARGINS = (0.0, 0.25)
CROP_MARGIN = 0.4
FEWEST_CORNERS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Detection:
    """One thing found.

    box: left, top, right, bottom in pixels of the picture. mask: mode "L", of the picture's size, white on the find.
    """

    box: tuple[float, float, float, float]
    mask: Image.Image
    confidence: float


class Detectors:
    """The detectors at hand. folders: where YOLO weights (``*.pt``) may lie, searched with their subfolders."""

    def __init__(self, folders: Sequence[Path]) -> None:
        runnable = importlib.util.find_spec("ultralytics") is not None
        files = (path for folder in folders if runnable for path in sorted(folder.rglob("*.pt")))
        self._weights = {path.name: path for path in files}

    def names(self) -> tuple[str, ...]:
        """What can be asked for, YOLO files first as in ADetailer."""
        return (*self._weights, *MEDIAPIPE)

    def find(self, name: str, picture: Image.Image, confidence: float) -> tuple[Detection, ...]:
        """What the detector sees in an RGB picture with at least confidence (0 to 1); raises UnknownName."""
        if name in self._weights:
            return tuple(_yolo(self._weights[name], picture, confidence))
        if name not in MEDIAPIPE:
            raise UnknownName("detector", name, self.names())
        if name == "mediapipe_face_mesh":
            return tuple(_face_meshes(picture, confidence))
        if name == "mediapipe_face_mesh_eyes_only":
            return tuple(_eyes(picture, confidence))
        return tuple(_faces(picture, confidence, full_range=name == "mediapipe_face_full"))


def _faces(picture: Image.Image, confidence: float, *, full_range: bool) -> Iterator[Detection]:
    """Faces by mediapipe's detector; a face that fills the frame is looked for again with room around it."""
    for margin in MARGINS:
        boxes = _boxes(picture, confidence, margin, full_range=full_range)
        if boxes:
            break
    for box, score in boxes:
        mask = Image.new("L", picture.size, 0)
        ImageDraw.Draw(mask).rectangle(box, fill=255)
        yield Detection(box=box, mask=mask, confidence=score)


def _boxes(
    picture: Image.Image, confidence: float, margin: float, *, full_range: bool
) -> list[tuple[tuple[float, float, float, float], float]]:
    from mediapipe.python.solutions import face_detection

    border = round(max(picture.size) * margin)
    framed = Image.new("RGB", (picture.width + 2 * border, picture.height + 2 * border), (127, 127, 127))
    framed.paste(picture, (border, border))
    with face_detection.FaceDetection(
        min_detection_confidence=confidence, model_selection=int(full_range)
    ) as detector:
        found = detector.process(_pixels(framed)).detections or []
    boxes = (
        (_in_pixels(item.location_data.relative_bounding_box, framed.size), item.score[0]) for item in found
    )
    shifted = (
        (_clipped(tuple(value - border for value in box), picture.size), score) for box, score in boxes
    )
    return [(box, float(score)) for box, score in shifted if box[2] - box[0] >= 1 and box[3] - box[1] >= 1]


def _face_meshes(picture: Image.Image, confidence: float) -> Iterator[Detection]:
    for points, score in _meshes(picture, confidence):
        yield _polygons(picture.size, [_hull(points)], score)


def _eyes(picture: Image.Image, confidence: float) -> Iterator[Detection]:
    from mediapipe.python.solutions import face_mesh_connections as connections

    for points, score in _meshes(picture, confidence):
        sides = (connections.FACEMESH_LEFT_EYE, connections.FACEMESH_RIGHT_EYE)
        eyes = [_hull(points[sorted({index for pair in side for index in pair})]) for side in sides]
        yield _polygons(picture.size, eyes, score)


def _meshes(picture: Image.Image, confidence: float) -> Iterator[tuple[np.ndarray, float]]:
    """The mesh of each face, (468, 2) pixels, with the detector's score; the net sees the face's surroundings only."""
    from mediapipe.python.solutions import face_mesh

    with face_mesh.FaceMesh(
        static_image_mode=True, max_num_faces=1, min_detection_confidence=confidence
    ) as mesher:
        for detection in _faces(picture, confidence, full_range=True):
            around = _grown(detection.box, picture.size)
            crop = picture.crop(around)
            found = mesher.process(_pixels(crop)).multi_face_landmarks
            if found:
                points = np.array([(point.x, point.y) for point in found[0].landmark]) * crop.size
                yield points + np.array(around[:2]), detection.confidence


def _polygons(size: tuple[int, int], polygons: Sequence[np.ndarray], score: float) -> Detection:
    mask = Image.new("L", size, 0)
    for polygon in polygons:
        ImageDraw.Draw(mask).polygon([tuple(point) for point in polygon.tolist()], fill=255)
    every = np.concatenate(polygons)
    box = (*every.min(axis=0).tolist(), *every.max(axis=0).tolist())
    return Detection(box=_clipped(box, size), mask=mask, confidence=score)


def _hull(points: np.ndarray) -> np.ndarray:
    """The corners of the convex hull of points, (n, 2), in order."""
    import cv2

    return np.asarray(cv2.convexHull(points.astype(np.float32))).reshape(-1, 2)


def _yolo(weights: Path, picture: Image.Image, confidence: float) -> Iterator[Detection]:
    from ultralytics import YOLO  # type: ignore[import-not-found]

    prediction = YOLO(weights)(picture, conf=confidence, verbose=False)[0]
    outlines = prediction.masks.xy if prediction.masks is not None else [None] * len(prediction.boxes.conf)
    for box, score, outline in zip(
        prediction.boxes.xyxy.tolist(), prediction.boxes.conf.tolist(), outlines, strict=True
    ):
        left, top, right, bottom = _clipped(box, picture.size)
        corners = np.array([(left, top), (right, top), (right, bottom), (left, bottom)])
        has_outline = outline is not None and len(outline) >= FEWEST_CORNERS
        found = _polygons(picture.size, [np.asarray(outline) if has_outline else corners], float(score))
        yield Detection(box=(left, top, right, bottom), mask=found.mask, confidence=float(score))


def _pixels(picture: Image.Image) -> np.ndarray:
    """The picture as (height, width, 3) uint8 RGB, enlarged to a side of 512 where it is smaller."""
    scale = SMALLEST_SIDE / min(picture.size)
    if scale > 1:
        size = (round(picture.width * scale), round(picture.height * scale))
        picture = picture.resize(size, Image.Resampling.BICUBIC)
    return np.asarray(picture.convert("RGB"))


def _in_pixels(box: Any, size: tuple[int, int]) -> tuple[float, float, float, float]:
    left, top = box.xmin * size[0], box.ymin * size[1]
    return left, top, left + box.width * size[0], top + box.height * size[1]


def _clipped(box: Sequence[float], size: tuple[int, int]) -> tuple[float, float, float, float]:
    left, top, right, bottom = box
    return max(0.0, left), max(0.0, top), min(float(size[0]), right), min(float(size[1]), bottom)


def _grown(box: tuple[float, float, float, float], size: tuple[int, int]) -> tuple[int, int, int, int]:
    margin = CROP_MARGIN * max(box[2] - box[0], box[3] - box[1])
    left, top, right, bottom = _clipped(
        (box[0] - margin, box[1] - margin, box[2] + margin, box[3] + margin), size
    )
    return int(left), int(top), int(np.ceil(right)), int(np.ceil(bottom))
