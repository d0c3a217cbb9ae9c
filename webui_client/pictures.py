"""Pictures as a WebUI sent them: the bytes are kept, what must be known of them is read once."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass

from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

LARGEST_PIXELS = 200_000_000
JPEG_QUALITY = 95
STILL_FORMATS = ("PNG", "JPEG", "WEBP")


class BadPicture(ValueError):
    """Bytes that are no still picture of a kind a WebUI makes. reason: what is wrong with them."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"Not a usable picture: {reason}.")
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """One picture, unchanged as it came.

    data: the encoded file. format: "PNG", "JPEG" or "WEBP". width, height: pixels. infotext: the generation
    parameters written in it, or None. is_black: every pixel is 0, as when the numbers of a run overflow.
    """

    data: bytes
    format: str
    width: int
    height: int
    infotext: str | None
    is_black: bool

    @classmethod
    def read(cls, data: bytes) -> Picture:
        """Decode data wholly once, so that a picture that exists is known to be whole.

        Raises BadPicture if it is none, is broken, has more than 200 megapixels (the WebUI's own limit), or
        moves.
        """
        try:
            with Image.open(io.BytesIO(data), formats=STILL_FORMATS) as image:
                if image.width * image.height > LARGEST_PIXELS:
                    raise BadPicture(f"{image.width}x{image.height} pixels are too many")
                if getattr(image, "n_frames", 1) > 1:
                    raise BadPicture("it has several frames")
                image.load()
                return cls(
                    data=data,
                    format=str(image.format),
                    width=image.width,
                    height=image.height,
                    infotext=_infotext_of(image),
                    is_black=image.convert("L").getextrema() == (0, 0),
                )
        except UnidentifiedImageError as error:
            raise BadPicture("it is neither PNG, JPEG nor WebP") from error
        except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
            raise error if isinstance(error, BadPicture) else BadPicture(str(error)) from error

    def open(self) -> Image.Image:
        """Return the decoded picture, RGB."""
        with Image.open(io.BytesIO(self.data), formats=STILL_FORMATS) as image:
            return image.convert("RGB")


def size_of(data: bytes) -> tuple[int, int]:
    """Return (width, height) in pixels of an encoded picture of ours, as it is seen (EXIF orientation
    applied).

    Raises BadPicture if it cannot be read.
    """
    try:
        with Image.open(io.BytesIO(data)) as image:
            turned = image.getexif().get(ExifTags.Base.Orientation, 1) in (5, 6, 7, 8)
            return (image.height, image.width) if turned else (image.width, image.height)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise BadPicture(str(error)) from error


def upright_png(data: bytes) -> bytes:
    """Return the picture as an opaque, upright RGB PNG, the form every WebUI reads alike.

    A PNG that already is one is returned unchanged. An alpha channel is laid on white: ControlNet would
    otherwise take the alpha for the drawing. Raises BadPicture if it cannot be read.
    """
    try:
        with Image.open(io.BytesIO(data)) as image:
            upright = ImageOps.exif_transpose(image)
            if image.format == "PNG" and image.mode in ("RGB", "L") and upright.size == image.size:
                return data
            return _encoded(_opaque(upright))
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise BadPicture(str(error)) from error


def upright_jpeg(data: bytes, longest_side: int) -> bytes:
    """Return the picture as an upright RGB JPEG of at most longest_side pixels; raises BadPicture if it cannot be read.

    An alpha channel is laid on white.
    """
    try:
        with Image.open(io.BytesIO(data)) as image:
            upright = _opaque(ImageOps.exif_transpose(image)).convert("RGB")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise BadPicture(str(error)) from error
    upright.thumbnail((longest_side, longest_side), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    upright.save(buffer, format="JPEG", quality=JPEG_QUALITY)
    return buffer.getvalue()


def _opaque(image: Image.Image) -> Image.Image:
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        layer = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer).convert("RGB")
    return image if image.mode == "L" else image.convert("RGB")


def _encoded(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format="PNG", compress_level=1)
    return buffer.getvalue()


def _infotext_of(image: Image.Image) -> str | None:
    text = image.info.get("parameters")
    if isinstance(text, str):
        return text
    comment = image.getexif().get_ifd(ExifTags.IFD.Exif).get(ExifTags.Base.UserComment)
    return _user_comment(comment) if isinstance(comment, bytes) else None


def _user_comment(comment: bytes) -> str | None:
    """Read an EXIF UserComment: eight bytes name the code, then UTF-16 (big-endian from A1111) or ASCII
    text.
    """
    code, text = comment[:8], comment[8:]
    if code == b"UNICODE\0":
        return text.decode("utf-16-be", errors="replace").strip("\0") or None
    if code == b"ASCII\0\0\0":
        return text.decode("ascii", errors="replace").strip("\0") or None
    return None


def text_chunks(items: object) -> dict[str, str]:
    """Return the textual entries of a png-info answer's ``items``; what is no text is written as JSON."""
    if not isinstance(items, dict):
        return {}
    return {str(key): value if isinstance(value, str) else json.dumps(value) for key, value in items.items()}
