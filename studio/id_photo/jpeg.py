"""A JPEG file of a picture within a size in bytes: by search over quality and subsampling, never by padding."""

from __future__ import annotations

import io
from dataclasses import dataclass

from PIL import Image

from studio.errors import FileSizeImpossible
from studio.id_photo.documents import Kilobytes

BEST_QUALITY, LEAST_QUALITY = 100, 20
USUAL_QUALITY = 95
FULL_COLOUR, HALF_COLOUR = 0, 2  # 4:4:4 and 4:2:0 in Pillow's counting
WORTH_FULL_COLOUR = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class JpegFile:
    """An encoded picture. quality: 1 to 100, as libjpeg counts. full_colour: 4:4:4, else 4:2:0."""

    content: bytes
    quality: int
    full_colour: bool


def jpeg_within(picture: Image.Image, dpi: int, limits: Kilobytes | None) -> JpegFile:
    """The best JPEG of an RGB picture within limits, its resolution written in it.

    Full colour at quality 95 where the limits allow it; less where that is too large, more where it is too small.
    Raises FileSizeImpossible with the smallest and largest file that could be made.
    """
    usual = _encoded(picture, dpi, USUAL_QUALITY, FULL_COLOUR)
    if limits is None or limits.least_bytes <= len(usual.content) <= limits.most_bytes:
        return usual
    if len(usual.content) < limits.least_bytes:
        return _larger(picture, dpi, limits)
    return _smaller(picture, dpi, limits)


def _larger(picture: Image.Image, dpi: int, limits: Kilobytes) -> JpegFile:
    """The first quality above the usual one whose file is large enough."""
    for quality in range(USUAL_QUALITY + 1, BEST_QUALITY + 1):
        made = _encoded(picture, dpi, quality, FULL_COLOUR)
        if limits.least_bytes <= len(made.content) <= limits.most_bytes:
            return made
    raise _impossible(picture, dpi, limits)


def _smaller(picture: Image.Image, dpi: int, limits: Kilobytes) -> JpegFile:
    """Full colour while its quality stays worth it, else halved colour at the best quality that fits."""
    full = _best_below(picture, dpi, FULL_COLOUR, limits)
    if full is not None and full.quality >= WORTH_FULL_COLOUR:
        return full
    made = _best_below(picture, dpi, HALF_COLOUR, limits) or full
    if made is None:
        raise _impossible(picture, dpi, limits)
    return made


def _best_below(picture: Image.Image, dpi: int, colour: int, limits: Kilobytes) -> JpegFile | None:
    """The highest quality whose file is within limits, found by halving; None where there is none."""
    low, high, best = LEAST_QUALITY, USUAL_QUALITY, None
    while low <= high:
        made = _encoded(picture, dpi, (low + high) // 2, colour)
        if len(made.content) > limits.most_bytes:
            high = made.quality - 1
        else:
            low, best = made.quality + 1, made
    return best if best and len(best.content) >= limits.least_bytes else None


def _impossible(picture: Image.Image, dpi: int, limits: Kilobytes) -> FileSizeImpossible:
    smallest = _encoded(picture, dpi, LEAST_QUALITY, HALF_COLOUR)
    largest = _encoded(picture, dpi, BEST_QUALITY, FULL_COLOUR)
    return FileSizeImpossible(
        least=limits.least_bytes,
        most=limits.most_bytes,
        smallest=len(smallest.content),
        largest=len(largest.content),
    )


def _encoded(picture: Image.Image, dpi: int, quality: int, colour: int) -> JpegFile:
    stream = io.BytesIO()
    picture.save(stream, "JPEG", quality=quality, subsampling=colour, optimize=True, dpi=(dpi, dpi))
    return JpegFile(content=stream.getvalue(), quality=quality, full_colour=colour == FULL_COLOUR)
