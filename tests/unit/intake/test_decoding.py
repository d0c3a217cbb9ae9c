"""Untrusted uploads: what is refused, and what is left of those that are kept."""

from __future__ import annotations

import io
import struct
import time
import zlib
from collections.abc import Callable

import numpy as np
import pillow_heif
import pytest
from PIL import Image, ImageCms

from studio.intake import BadPicture, decode
from tests.persons import as_jpeg


def _encoded(picture: Image.Image, form: str, **options: object) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, form, **options)
    return stream.getvalue()


def _two_halves(width: int = 64, height: int = 32) -> Image.Image:
    picture = Image.new("RGB", (width, height), (200, 30, 30))
    picture.paste((30, 30, 200), (width // 2, 0, width, height))
    return picture


def _pixel(jpeg: bytes, x: int, y: int) -> tuple[int, ...]:
    value = Image.open(io.BytesIO(jpeg)).getpixel((x, y))
    assert isinstance(value, tuple)
    return value


def _heif(picture: Image.Image) -> bytes:
    stream = io.BytesIO()
    pillow_heif.from_pillow(picture).save(stream, quality=90)
    return stream.getvalue()


@pytest.mark.parametrize(
    "encode",
    [
        lambda picture: _encoded(picture, "JPEG", quality=95),
        lambda picture: _encoded(picture, "PNG"),
        lambda picture: _encoded(picture, "WEBP", quality=95),
        _heif,
    ],
    ids=["jpeg", "png", "webp", "heic"],
)
def test_each_promised_format_is_read(encode: Callable[[Image.Image], bytes]) -> None:
    clean = decode(encode(_two_halves()), "photo")

    assert (clean.width, clean.height) == (64, 32)
    assert _pixel(clean.jpeg, 5, 5)[0] > 150
    assert _pixel(clean.jpeg, 60, 5)[2] > 150


def _code(data: bytes, name: str = "photo.jpg") -> str:
    with pytest.raises(BadPicture) as refused:
        decode(data, name)
    return refused.value.code


def test_an_empty_file_is_named_as_empty() -> None:
    assert _code(b"") == "empty_file"


def test_a_text_named_jpg_is_no_picture() -> None:
    assert _code(b"Dear studio, this is only a letter." * 20, "letter.jpg") == "not_a_picture"


@pytest.mark.parametrize("kept", [0.02, 0.3, 0.7, 0.98])
@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
def test_a_picture_cut_short_is_named_as_truncated(form: str, kept: float) -> None:
    noise = Image.fromarray(np.random.default_rng(1).integers(0, 255, (120, 160, 3), dtype=np.uint8))
    whole = _encoded(noise, form)

    assert _code(whole[: int(len(whole) * kept)]) == "truncated_picture"


def test_a_heic_cut_short_is_named_as_truncated() -> None:
    whole = _heif(_two_halves(256, 256))

    assert _code(whole[: len(whole) // 2], "photo.heic") == "truncated_picture"


def test_the_content_decides_and_not_the_name() -> None:
    assert decode(_encoded(_two_halves(), "PNG"), "really-a-png.jpg").width == 64


def test_a_format_we_do_not_read_is_named_as_unsupported() -> None:
    assert _code(_encoded(_two_halves(), "BMP"), "scan.bmp") == "unsupported_format"


@pytest.mark.parametrize("form", ["GIF", "PNG", "WEBP"])
def test_an_animation_is_refused(form: str) -> None:
    frames = [Image.new("RGB", (20, 20), (number * 60, 0, 0)) for number in range(3)]
    moving = _encoded(frames[0], form, save_all=True, append_images=frames[1:])

    assert _code(moving, "moving") == "animated_picture"


def _png_that_claims(width: int, height: int) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    rows = zlib.compress(b"\0" * 1_000_000)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


@pytest.mark.parametrize(("width", "height"), [(20_000, 15_000), (60_000, 60_000)])
def test_a_decompression_bomb_is_refused_by_its_header(width: int, height: int) -> None:
    began = time.monotonic()

    assert _code(_png_that_claims(width, height), "bomb.png") == "too_many_pixels"
    assert time.monotonic() - began < 0.5


def test_a_file_beyond_the_limit_is_refused() -> None:
    assert _code(b"\xff\xd8\xff" + bytes(30 * 1024 * 1024)) == "too_large"


def test_the_orientation_is_applied_and_all_metadata_is_gone() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by a quarter, clockwise
    exif[0x010F] = "Maker of cameras"
    exif.get_ifd(0x8825)[1] = "N"
    clean = decode(_encoded(_two_halves(), "JPEG", exif=exif, comment=b"secret"), "turned.jpg")
    kept = Image.open(io.BytesIO(clean.jpeg))

    assert (clean.width, clean.height) == (32, 64) == kept.size
    assert _pixel(clean.jpeg, 5, 60)[2] > 150
    assert not kept.getexif()
    assert b"Maker" not in clean.jpeg
    assert b"secret" not in clean.jpeg
    assert "icc_profile" not in kept.info


def _profile_with_red_and_blue_exchanged() -> bytes:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return profile.replace(b"rXYZ", b"xxxx", 1).replace(b"bXYZ", b"rXYZ", 1).replace(b"xxxx", b"bXYZ", 1)


def test_a_colour_profile_is_brought_to_srgb() -> None:
    odd = _encoded(_two_halves(), "PNG", icc_profile=_profile_with_red_and_blue_exchanged())
    clean = decode(odd, "odd.png")

    assert _pixel(clean.jpeg, 5, 5)[2] > 150
    assert _pixel(clean.jpeg, 60, 5)[0] > 150


def test_a_broken_colour_profile_does_not_matter() -> None:
    data = _encoded(_two_halves(), "PNG", icc_profile=b"this is no profile" * 20)

    assert _pixel(decode(data, "a.png").jpeg, 5, 5)[0] > 150


def test_transparency_becomes_white_paper() -> None:
    clean = decode(_encoded(Image.new("RGBA", (16, 16), (255, 0, 0, 0)), "PNG"), "clear.png")

    assert _pixel(clean.jpeg, 8, 8) == (255, 255, 255)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "I;16", "CMYK"])
def test_pictures_of_any_colour_mode_are_read(mode: str) -> None:
    form = "JPEG" if mode == "CMYK" else "PNG"

    assert decode(_encoded(Image.new(mode, (16, 16)), form), "any").width == 16


def test_a_large_picture_is_kept_at_4096_pixels_a_side() -> None:
    clean = decode(as_jpeg(Image.new("RGB", (6000, 3000)), quality=30), "wide.jpg")

    assert (clean.width, clean.height) == (4096, 2048)


def test_the_same_file_gives_the_same_hash() -> None:
    data = _encoded(_two_halves(), "PNG")

    assert decode(data, "a").sha256 == decode(data, "b").sha256
