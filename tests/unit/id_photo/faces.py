"""Faces made from one public-domain portrait, by scale, shift, rotation and light: photos whose truth is known."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
import skimage.data
from PIL import Image, ImageDraw, ImageEnhance

from tests.persons import as_jpeg

ROOM = 160
# The wall behind the astronaut, as it looks in the picture's upper left.
WALL = (205, 200, 196)


@dataclass(frozen=True)
class Variation:
    """How a photo differs from the original. shift: of the middle, in pixels. degrees: positive turns to the left."""

    name: str
    scale: float = 1.0
    shift: tuple[int, int] = (0, 0)
    degrees: float = 0.0
    light: float = 1.0


VARIATIONS = (
    Variation("as it is"),
    Variation("larger", scale=1.7),
    Variation("smaller and shifted", scale=0.8, shift=(60, 40)),
    Variation("turned left", degrees=15),
    Variation("turned right", degrees=-15, shift=(-40, 20)),
    Variation("dark", light=0.6, degrees=5),
    Variation("bright", light=1.25, scale=1.3, degrees=-8),
)


def photo(variation: Variation) -> bytes:
    """A JPEG photo of the astronaut with room around her."""
    picture = with_room(Image.fromarray(skimage.data.astronaut()))
    turned = picture.rotate(variation.degrees, Image.Resampling.BICUBIC, fillcolor=WALL)
    moved = turned.transform(
        turned.size,
        Image.Transform.AFFINE,
        (1, 0, variation.shift[0], 0, 1, variation.shift[1]),
        Image.Resampling.BICUBIC,
        fillcolor=WALL,
    )
    size = (round(moved.width * variation.scale), round(moved.height * variation.scale))
    resized = moved.resize(size, Image.Resampling.LANCZOS)
    return as_jpeg(ImageEnhance.Brightness(resized).enhance(variation.light))


def with_room(picture: Image.Image) -> Image.Image:
    """The picture with the wall continued above and beside it."""
    larger = Image.new("RGB", (picture.width + 2 * ROOM, picture.height + ROOM), WALL)
    larger.paste(picture, (ROOM, ROOM))
    return larger


def with_lenses(jpeg: bytes, eyes: tuple[tuple[float, float], tuple[float, float]]) -> bytes:
    """The photo with dark round glasses drawn over eyes, as (x, y) of each."""
    picture = Image.open(io.BytesIO(jpeg)).convert("RGB")
    pen = ImageDraw.Draw(picture)
    apart = float(np.hypot(eyes[1][0] - eyes[0][0], eyes[1][1] - eyes[0][1]))
    for x, y in eyes:
        reach = apart * 0.42
        pen.ellipse((x - reach, y - reach * 0.8, x + reach, y + reach), fill=(18, 16, 20))
    pen.line([eyes[0], eyes[1]], fill=(18, 16, 20), width=max(round(apart * 0.08), 2))
    return as_jpeg(picture)
