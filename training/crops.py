"""Head-and-shoulders crops around a face, each a little different."""

from __future__ import annotations

import math
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
    box = face_box(photo, picture_size)
    aspect = crop_size[0] / crop_size[1]
    return [
        Frame(_frame(picture_size, box, aspect, source), mirrored=bool(number % 2)) for number in range(count)
    ]


def face_box(photo: TrainingPhoto, picture_size: tuple[int, int]) -> tuple[int, int, int, int]:
    """The photo's face, in the upper middle where it is unknown."""
    return photo.box or _likely_face(picture_size)


def cut(picture: Image.Image, frame: Frame, size: tuple[int, int]) -> Image.Image:
    """The framed part of an RGB picture, scaled to size."""
    part = picture.resize(size, Image.Resampling.LANCZOS, frame.corners, reducing_gap=3.0)
    return ImageOps.mirror(part) if frame.mirrored else part


def face_in(
    frame: Frame, box: tuple[int, int, int, int], cells: tuple[int, int]
) -> tuple[int, int, int, int]:
    """Where a face lies in the framed part, when that is cut into (width, height) cells: left, top, right, bottom.

    box: of the face, in pixels of the picture. Right and bottom exclusive; at least one cell.
    """
    left, top, right, bottom = frame.corners
    across = [(x - left) / (right - left) for x in (box[0], box[2])]
    down = [(y - top) / (bottom - top) for y in (box[1], box[3])]
    if frame.mirrored:
        across = [1 - share for share in reversed(across)]
    (start_x, end_x), (start_y, end_y) = _cells(across, cells[0]), _cells(down, cells[1])
    return start_x, start_y, end_x, end_y


def _cells(shares: list[float], count: int) -> tuple[int, int]:
    """The cells from the first to the second share of the way, at least one, none outside."""
    start = min(max(math.floor(shares[0] * count), 0), count - 1)
    return start, min(max(math.ceil(shares[1] * count), start + 1), count)


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
