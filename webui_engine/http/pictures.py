"""Pictures on the wire: base64 in, base64 out, with the infotext inside the file.

Source: the A1111 contract notes, webui-core sections 1 and 4.
"""

from __future__ import annotations

import base64
import binascii
import io
from dataclasses import dataclass
from typing import Any

from PIL import Image, ImageColor, ImageOps, PngImagePlugin, UnidentifiedImageError

from webui_engine.errors import BadValue
from webui_engine.http.faults import Refused

MAX_PIXELS = 100_000_000
FORMATS = {"png": "PNG", "jpg": "JPEG", "jpeg": "JPEG", "webp": "WEBP"}
EXIF_IFD = 0x8769
USER_COMMENT = 0x9286
UNICODE_MARK = b"UNICODE\0"
NOT_TEXT = frozenset(
    {"jfif", "jfif_version", "jfif_unit", "jfif_density", "dpi", "exif", "loop", "background", "timestamp"}
    | {"duration", "progressive", "progression", "icc_profile", "chromaticity", "photoshop", "transparency"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FileForm:
    """How answers are written. kind: png, jpg or webp. quality: 1 to 100, for jpg and webp."""

    kind: str = "png"
    quality: int = 80
    lossless_webp: bool = False
    with_infotext: bool = True

    def __post_init__(self) -> None:
        """Raises BadValue for a kind that cannot be written."""
        if self.kind.lower() not in FORMATS:
            raise BadValue("samples_format", self.kind, f"known: {', '.join(FORMATS)}")


def decode(text: str | None) -> Image.Image:
    """The picture of a base64 string or data URI, turned upright, whatever its mode.

    Raises Refused with A1111's wording for anything that is no picture and for an address (nothing is fetched), OSError
    for a truncated file.
    """
    if not isinstance(text, str):
        raise AttributeError("a picture has to be a base64 string")
    if text.startswith(("http://", "https://")):
        raise Refused(
            500,
            "Request to local resource not allowed" if _is_local(text) else "URL pictures are not fetched",
        )
    image = _opened(_bytes(text))
    if image.width * image.height > MAX_PIXELS:
        raise Refused(
            500, f"Picture of {image.width}x{image.height} pixels is over the limit of {MAX_PIXELS}"
        )
    image.load()
    return ImageOps.exif_transpose(image)


def flat(image: Image.Image, background: str = "#ffffff") -> Image.Image:
    """The picture in RGB, transparency laid over background (a CSS colour)."""
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        layer = image.convert("RGBA")
        base = Image.new("RGBA", image.size, (*ImageColor.getrgb(background)[:3], 255))
        return Image.alpha_composite(base, layer).convert("RGB")
    return image.convert("RGB")


def as_mask(image: Image.Image) -> Image.Image:
    """A mask in mode "L", white is repainted; a transparent drawing counts by its alpha where that says something."""
    if image.mode in ("RGBA", "LA") and image.getchannel("A").getextrema() != (255, 255):
        return Image.composite(image.convert("L"), Image.new("L", image.size, 0), image.getchannel("A"))
    return image.convert("L")


def encode(image: Image.Image, form: FileForm, texts: dict[str, str] | None = None) -> str:
    """The picture as base64 without a prefix; see file_bytes."""
    return base64.b64encode(file_bytes(image, form, texts)).decode("ascii")


def file_bytes(image: Image.Image, form: FileForm, texts: dict[str, str] | None = None) -> bytes:
    """The picture as a file; texts become PNG chunks, or ``parameters`` the EXIF user comment of a JPEG or WebP."""
    kind = FORMATS[form.kind.lower()]
    texts = texts if form.with_infotext and texts else {}
    out = io.BytesIO()
    if kind == "PNG":
        image.save(out, kind, pnginfo=_chunks(texts))
        return out.getvalue()
    picture = flat(image) if kind == "JPEG" else image
    extra: dict[str, Any] = {"lossless": form.lossless_webp} if kind == "WEBP" else {}
    if "parameters" in texts:
        extra["exif"] = exif_of(texts["parameters"])
    picture.save(out, kind, quality=form.quality, **extra)
    return out.getvalue()


def exif_of(text: str) -> bytes:
    """The EXIF block in which a JPEG or WebP keeps its infotext."""
    exif = Image.Exif()
    exif.get_ifd(EXIF_IFD)[USER_COMMENT] = UNICODE_MARK + text.encode("utf-16-be")
    return exif.tobytes()


def data_uri(image: Image.Image) -> str:
    """The picture as a PNG data URI."""
    return "data:image/png;base64," + encode(image, FileForm())


def read_texts(image: Image.Image) -> tuple[str, dict[str, str]]:
    """The infotext of a picture, "" where it has none, and its other text items."""
    items = {
        key: value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
        for key, value in image.info.items()
        if key not in NOT_TEXT and isinstance(key, str) and isinstance(value, (str, bytes, int, float))
    }
    infotext = items.pop("parameters", "") or _user_comment(image)
    return infotext, items


def _bytes(text: str) -> bytes:
    if text.startswith("data:image/"):
        text = text.partition(";")[2].partition(",")[2]
    try:
        return base64.b64decode(text, validate=False)
    except (binascii.Error, ValueError) as error:
        raise Refused(500, "Invalid encoded image") from error


def _opened(data: bytes) -> Image.Image:
    try:
        return Image.open(io.BytesIO(data))
    except (UnidentifiedImageError, Image.DecompressionBombError, SyntaxError, ValueError, EOFError) as error:
        raise Refused(500, "Invalid encoded image") from error


def _is_local(address: str) -> bool:
    host = address.split("/", 3)[2].rpartition("@")[2].partition(":")[0]
    return host in {"localhost", "0.0.0.0", "[::1]"} or host.startswith(("127.", "10.", "192.168."))


def _chunks(texts: dict[str, str]) -> PngImagePlugin.PngInfo:
    info = PngImagePlugin.PngInfo()
    for key, value in texts.items():
        info.add_text(key, value)
    return info


def _user_comment(image: Image.Image) -> str:
    raw = image.getexif().get_ifd(EXIF_IFD).get(USER_COMMENT, b"")
    if not isinstance(raw, bytes) or not raw.startswith(UNICODE_MARK):
        return raw if isinstance(raw, str) else ""
    return raw[len(UNICODE_MARK) :].decode("utf-16-be", "replace")
