"""The recipe of a picture: everything that made it, kept inside the PNG beside A1111's infotext."""

from __future__ import annotations

import io
import json
import struct
import zlib
from collections.abc import Iterator
from typing import Any

from studio.errors import BadUpload

RECIPE_CHUNK, INFOTEXT_CHUNK = "sajin", "parameters"
LARGEST_TEXT = 4_000_000
PIXELS = frozenset({b"IHDR", b"acTL", b"fcTL", b"IDAT", b"fdAT", b"IEND"})
"""What a PNG's pixels are made of, and an animation's (PNG, 3rd edition, sections 5.6 and 11)."""
PNG_SIGNATURE, EIGHT_BIT_RGB = b"\x89PNG\r\n\x1a\n", b"\x08\x02"

Recipe = dict[str, Any]


def with_recipe(picture: bytes, infotext: str, recipe: Recipe) -> bytes:
    """The same pixels as a PNG that carries infotext and recipe; the same input gives the same bytes.

    An 8-bit RGB PNG, which is what a WebUI sends, keeps its compressed pixels: to compress them again takes longer
    than everything else that is done to a finished picture.
    """
    from PIL import PngImagePlugin

    texts = PngImagePlugin.PngInfo()
    texts.add_itxt(INFOTEXT_CHUNK, infotext)
    texts.add_itxt(RECIPE_CHUNK, json.dumps(recipe, ensure_ascii=False, sort_keys=True), zip=True)
    written = b"".join(_chunk(kind, data) for kind, data, *_ in texts.chunks)
    pixels = picture if picture[:8] == PNG_SIGNATURE and picture[24:26] == EIGHT_BIT_RGB else _as_png(picture)
    return PNG_SIGNATURE + b"".join(
        chunk + (written if chunk[4:8] == b"IHDR" else b"") for chunk in _pixel_chunks(pixels)
    )


def _pixel_chunks(png: bytes) -> Iterator[bytes]:
    """The chunks, each with length and check sum, that make the pixels of a PNG, still or animated."""
    start, kind = len(PNG_SIGNATURE), b""
    while kind != b"IEND":
        length, kind = struct.unpack_from(">I4s", png, start)
        end = start + 12 + length
        if kind in PIXELS:
            yield png[start:end]
        start = end


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I4s", len(data), kind) + data + struct.pack(">I", zlib.crc32(kind + data))


def _as_png(picture: bytes) -> bytes:
    from PIL import Image

    out = io.BytesIO()
    with Image.open(io.BytesIO(picture)) as image:
        image.convert("RGB").save(out, "PNG")
    return out.getvalue()


def texts_in(picture: bytes) -> dict[str, str]:
    """The text chunks of a PNG, or the user comment of another picture under "parameters".

    Raises BadUpload for what is no picture or holds too much text.
    """
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(io.BytesIO(picture)) as image:
            texts = {str(key): value for key, value in image.info.items() if isinstance(value, str)}
            comment = image.getexif().get_ifd(EXIF_IFD).get(USER_COMMENT)
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise BadUpload("not_a_picture", "", "The file is no picture that can be read.") from error
    if INFOTEXT_CHUNK not in texts and isinstance(comment, bytes):
        texts[INFOTEXT_CHUNK] = _user_comment(comment)
    return texts


def recipe_in(picture: bytes) -> Recipe | None:
    """The recipe a picture carries, None without one or with a broken one."""
    text = texts_in(picture).get(RECIPE_CHUNK)
    if text is None or len(text) > LARGEST_TEXT:
        return None
    try:
        recipe = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return recipe if isinstance(recipe, dict) else None


EXIF_IFD, USER_COMMENT = 0x8769, 0x9286


def _user_comment(value: bytes) -> str:
    """EXIF's user comment without its eight bytes of character code (Exif 2.3, section 4.6.5)."""
    code, text = value[:8], value[8:]
    if code.startswith(b"UNICODE"):
        return text.decode("utf-16-be", errors="replace")
    return text.decode("utf-8", errors="replace")
