"""Reading pictures that strangers send: size first, then content, and only pixels leave."""

from __future__ import annotations

import hashlib
import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from studio.intake.errors import BadPicture, BadPictureCode
from studio.intake.names import display_name

LARGEST_FILE_BYTES = 30 * 1024 * 1024
MOST_PIXELS = 100_000_000
LONGEST_SIDE = 4096
JPEG_QUALITY = 95
FORMATS = ("JPEG", "MPO", "PNG", "WEBP", "HEIF")
_PAPER = (255, 255, 255)


@dataclass(frozen=True, slots=True, kw_only=True)
class CleanPicture:
    """A picture that may be kept: upright, sRGB, without metadata.

    jpeg: the file, quality 95. width, height: pixels, at most 4096. sha256: of jpeg, in hexadecimal digits.
    filename: cleaned, for showing.
    """

    jpeg: bytes
    width: int
    height: int
    sha256: str
    filename: str


def decode(data: bytes, filename: str) -> CleanPicture:
    """Read an uploaded file by its content; the name only serves for showing.

    The number of pixels is taken from the header and refused above 100 million before anything is decoded.
    Raises BadPicture with a code of BadPictureCode.
    """
    name = display_name(filename)
    _refuse_by_size(data, name)
    with _reading(name):
        picture = _open(data, name)
        upright = _upright_rgb(picture)
    jpeg = _as_jpeg(upright)
    return CleanPicture(
        jpeg=jpeg,
        width=upright.width,
        height=upright.height,
        sha256=hashlib.sha256(jpeg).hexdigest(),
        filename=name,
    )


def _refuse_by_size(data: bytes, name: str) -> None:
    if not data:
        raise BadPicture(BadPictureCode.EMPTY_FILE, name)
    if len(data) > LARGEST_FILE_BYTES:
        raise BadPicture(BadPictureCode.TOO_LARGE, name, bytes=len(data), limit=LARGEST_FILE_BYTES)


@contextmanager
def _reading(name: str) -> Iterator[None]:
    """Translate the decoders' many ways of failing into BadPicture."""
    try:
        yield
    except (BadPicture, MemoryError):
        raise
    except (
        OSError,
        ValueError,
        SyntaxError,
        EOFError,
        IndexError,
        TypeError,
        ArithmeticError,
        RuntimeError,
    ) as error:
        raise BadPicture(BadPictureCode.TRUNCATED_PICTURE, name, reason=str(error)[:200]) from error


def _open(data: bytes, name: str) -> Image.Image:
    picture = _identify(data, name)
    pixels = picture.width * picture.height
    if pixels > MOST_PIXELS:
        raise BadPicture(BadPictureCode.TOO_MANY_PIXELS, name, pixels=pixels, limit=MOST_PIXELS)
    if picture.format not in FORMATS:
        animated = getattr(picture, "is_animated", False)
        code = BadPictureCode.ANIMATED_PICTURE if animated else BadPictureCode.UNSUPPORTED_FORMAT
        raise BadPicture(code, name, format=str(picture.format))
    if picture.format in {"PNG", "WEBP"} and getattr(picture, "is_animated", False):
        raise BadPicture(BadPictureCode.ANIMATED_PICTURE, name, format=picture.format)
    return picture


def _identify(data: bytes, name: str) -> Image.Image:
    import pillow_heif

    pillow_heif.register_heif_opener()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        try:
            return Image.open(io.BytesIO(data))
        except Image.DecompressionBombError as error:
            raise BadPicture(BadPictureCode.TOO_MANY_PIXELS, name, limit=MOST_PIXELS) from error
        except UnidentifiedImageError as error:
            raise BadPicture(_unreadable(data), name) from error


_MAGIC = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")


def _unreadable(data: bytes) -> BadPictureCode:
    """Whether an unreadable file at least begins like a picture that we read."""
    like_webp = data[:4] == b"RIFF" and data[8:12] in {b"WEBP", b""}
    like_heif = data[4:8] == b"ftyp"
    begins_well = data.startswith(_MAGIC) or like_webp or like_heif
    return BadPictureCode.TRUNCATED_PICTURE if begins_well else BadPictureCode.NOT_A_PICTURE


def _upright_rgb(picture: Image.Image) -> Image.Image:
    """Decode whole, turn upright, bring to sRGB and at most 4096 pixels a side."""
    profile = picture.info.get("icc_profile")
    if picture.format in {"JPEG", "MPO"}:
        picture.draft("RGB", (LONGEST_SIDE, LONGEST_SIDE))
    picture.load()
    ImageOps.exif_transpose(picture, in_place=True)
    if max(picture.size) > LONGEST_SIDE:
        picture.thumbnail((LONGEST_SIDE, LONGEST_SIDE), Image.Resampling.LANCZOS)
    return _to_srgb(_flattened(picture), profile)


def _flattened(picture: Image.Image) -> Image.Image:
    """Without transparency, on white; modes that carry a profile of their own (L, CMYK) stay as they are."""
    if picture.mode in {"RGB", "L", "CMYK"} and "transparency" not in picture.info:
        return picture
    if picture.mode.startswith("I"):
        return picture.point(lambda value: value / 256).convert("L")
    solid = picture.convert("RGBA")
    paper = Image.new("RGB", solid.size, _PAPER)
    paper.paste(solid, mask=solid.getchannel("A"))
    return paper


def _to_srgb(picture: Image.Image, profile: bytes | None) -> Image.Image:
    if profile:
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            converted = ImageCms.profileToProfile(
                picture, source, ImageCms.createProfile("sRGB"), outputMode="RGB"
            )
        except (ImageCms.PyCMSError, OSError):
            return picture.convert(
                "RGB"
            )  # a broken or unfitting profile: the plain values are the best guess
        if converted is not None:
            return converted
    return picture if picture.mode == "RGB" else picture.convert("RGB")


def _as_jpeg(picture: Image.Image) -> bytes:
    """The pixels alone: no EXIF, no GPS, no profile, no comment."""
    picture.info.clear()
    stream = io.BytesIO()
    picture.save(stream, "JPEG", quality=JPEG_QUALITY, subsampling=0, optimize=False)
    return stream.getvalue()
