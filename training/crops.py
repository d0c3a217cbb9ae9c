"""Head-and-shoulders crops around a face, each a little different."""

from __future__ import annotations

import random
from dataclasses import dataclass

from PIL import Image, ImageOps

from training.port import TrainingPhoto

WIDTH_IN_FACES = (2.1, 2.9)
FACE_HEIGHT_IN_CROP = 0.44
JITTER = 0.06
UNKNOWN_FACE_SHARE = 0.36

Corners = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Frame:
    """A part of a picture, left, top, right, bottom in pixels, and whether it is mirrored."""

    corners: Corners
    mirrored: bool


def draw_frames(
    picture_size: tuple[int, int],
    photo: TrainingPhoto,
    crop_size: tuple[int, int],
    count: int,
    source: random.Random,
) -> list[Frame]:
    """count frames of crop_size's shape around the photo's face, wholly inside the picture; every second is mirrored.

    Where the face is unknown it is taken to be in the upper middle.
    """
    box = photo.box or _likely_face(picture_size)
    aspect = crop_size[0] / crop_size[1]
    return [
        Frame(_frame(picture_size, box, aspect, source), mirrored=bool(number % 2)) for number in range(count)
    ]


def cut(picture: Image.Image, frame: Frame, size: tuple[int, int]) -> Image.Image:
    """The framed part of an RGB picture, scaled to size."""
    part = picture.resize(size, Image.Resampling.LANCZOS, frame.corners, reducing_gap=3.0)
    return ImageOps.mirror(part) if frame.mirrored else part


def _likely_face(size: tuple[int, int]) -> tuple[int, int, int, int]:
    width, height = size
    half = min(size) * UNKNOWN_FACE_SHARE / 2
    x, y = width / 2, min(height * 0.42, min(size) * 0.5)
    return round(x - half), round(y - half), round(x + half), round(y + half)


def _frame(
    picture_size: tuple[int, int], box: tuple[int, int, int, int], aspect: float, source: random.Random
) -> Corners:
    left, top, right, bottom = box
    width = (right - left) * source.uniform(*WIDTH_IN_FACES)
    width = min(width, picture_size[0], picture_size[1] * aspect)
    height = width / aspect
    x = (left + right) / 2 + width * source.uniform(-JITTER, JITTER)
    y = (top + bottom) / 2 + height * (0.5 - FACE_HEIGHT_IN_CROP + source.uniform(-JITTER, JITTER))
    start_x = min(max(x - width / 2, 0.0), picture_size[0] - width)
    start_y = min(max(y - height / 2, 0.0), picture_size[1] - height)
    return start_x, start_y, min(start_x + width, picture_size[0]), min(start_y + height, picture_size[1])
