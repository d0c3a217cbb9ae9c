"""Photos of two real people for tests: two public-domain portraits that lie in installed packages, each varied.

"Astronaut" is Eileen Collins (scikit-image), "hopper" Grace Hopper (matplotlib); both photographs are NASA's and the US
Navy's.
"""

from __future__ import annotations

import io
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

import skimage.data
from PIL import Image, ImageEnhance, ImageOps

# (left, top, right, bottom) as shares of the picture, mirrored, degrees, brightness: no two are near-duplicates.
_ASTRONAUT = (
    (0.15, 0.00, 0.80, 0.62, False, 0, 1.0),
    (0.10, 0.00, 0.75, 0.65, True, 3, 1.1),
    (0.20, 0.02, 0.74, 0.55, False, -6, 0.9),
    (0.05, 0.00, 0.70, 0.60, True, -2, 0.8),
    (0.22, 0.00, 0.82, 0.60, False, 8, 1.15),
    (0.00, 0.00, 0.85, 0.80, True, 0, 1.0),
    (0.18, 0.03, 0.70, 0.52, True, 10, 0.95),
    (0.12, 0.00, 0.90, 0.75, False, -4, 1.05),
    (0.24, 0.00, 0.78, 0.54, False, 4, 0.85),
    (0.08, 0.00, 0.78, 0.70, False, 12, 1.0),
)
_HOPPER = (
    (0.00, 0.00, 1.00, 1.00, False, 0, 1.0),
    (0.05, 0.00, 0.95, 0.85, True, 3, 1.1),
    (0.10, 0.05, 0.98, 0.80, False, -6, 0.9),
    (0.00, 0.00, 0.90, 0.78, True, -2, 0.8),
    (0.12, 0.04, 0.92, 0.75, False, 8, 1.15),
    (0.00, 0.00, 1.00, 0.90, True, 6, 1.0),
    (0.08, 0.02, 0.94, 0.72, True, 10, 0.95),
    (0.03, 0.00, 0.97, 0.95, False, -4, 1.05),
    (0.10, 0.00, 0.90, 0.70, False, 4, 0.85),
    (0.02, 0.03, 0.92, 0.88, False, 12, 1.0),
)


def astronaut(count: int = 10, side: int = 768) -> list[bytes]:
    """Up to ten different JPEG photos of the astronaut, side pixels wide."""
    return [_photo(_astronaut_picture(), side, *how) for how in _ASTRONAUT[:count]]


def hopper(count: int = 10, side: int = 768) -> list[bytes]:
    """Up to ten different JPEG photos of Grace Hopper, side pixels wide."""
    return [_photo(_hopper_picture(), side, *how) for how in _HOPPER[:count]]


def as_jpeg(picture: Image.Image, quality: int = 95) -> bytes:
    """picture as a JPEG file."""
    stream = io.BytesIO()
    picture.convert("RGB").save(stream, "JPEG", quality=quality)
    return stream.getvalue()


@lru_cache(maxsize=1)
def _astronaut_picture() -> Image.Image:
    return Image.fromarray(skimage.data.astronaut())


@lru_cache(maxsize=1)
def _hopper_picture() -> Image.Image:
    spec = find_spec("matplotlib")
    assert spec is not None
    assert spec.origin is not None
    path = Path(spec.origin).parent / "mpl-data" / "sample_data" / "grace_hopper.jpg"
    return Image.open(path).convert("RGB")


def _photo(
    picture: Image.Image,
    side: int,
    left: float,
    top: float,
    right: float,
    bottom: float,
    mirrored: bool,
    degrees: float,
    brightness: float,
) -> bytes:
    middle = (picture.width * (left + right) / 2, picture.height * (top + bottom) / 2)
    turned = picture.rotate(degrees, Image.Resampling.BICUBIC, center=middle)
    box = (left * picture.width, top * picture.height, right * picture.width, bottom * picture.height)
    height = round(side * (box[3] - box[1]) / (box[2] - box[0]))
    part = turned.resize((side, height), Image.Resampling.LANCZOS, box)
    lit = ImageEnhance.Brightness(part).enhance(brightness)
    return as_jpeg(ImageOps.mirror(lit) if mirrored else lit)
