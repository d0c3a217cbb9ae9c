"""Pictures on the wire."""

from __future__ import annotations

import base64
import io

import pytest
from PIL import Image

from tests.unit.webui_engine.http.conftest import decoded, encoded
from webui_engine.errors import BadValue
from webui_engine.http import pictures
from webui_engine.http.faults import Refused
from webui_engine.http.pictures import FileForm

TEXT = "초상화, 사진\nSteps: 2, Sampler: Euler, Seed: 1"


@pytest.mark.parametrize(
    "text", ["", "zzz", base64.b64encode(b"no picture").decode(), "data:image/png;base64,AAAA"]
)
def test_what_is_no_picture_is_refused_in_the_real_servers_words(text: str) -> None:
    with pytest.raises(Refused, match="Invalid encoded image"):
        pictures.decode(text)


@pytest.mark.parametrize(
    "address", ["http://127.0.0.1/a.png", "https://example.org/a.png", "http://10.0.0.1/x"]
)
def test_addresses_are_never_fetched(address: str) -> None:
    with pytest.raises(Refused):
        pictures.decode(address)


def test_a_picture_of_too_many_pixels_is_refused_before_it_is_unpacked() -> None:
    bomb = encoded(Image.new("1", (20_000, 6_000)))
    with pytest.raises(Refused, match="over the limit"):
        pictures.decode(bomb)


def test_a_truncated_file_is_an_error() -> None:
    whole = base64.b64decode(encoded(Image.effect_noise((64, 64), 50).convert("RGB")))
    with pytest.raises(OSError, match="truncated"):
        pictures.decode(base64.b64encode(whole[: len(whole) // 2]).decode())


def test_a_photo_taken_sideways_is_turned_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    out = io.BytesIO()
    Image.new("RGB", (40, 20)).save(out, "JPEG", exif=exif)
    assert pictures.decode(base64.b64encode(out.getvalue()).decode()).size == (20, 40)


@pytest.mark.parametrize("kind", ["png", "jpg", "webp"])
def test_the_infotext_can_be_read_back_from_every_format(kind: str) -> None:
    text = pictures.encode(Image.new("RGB", (16, 16)), FileForm(kind=kind), {"parameters": TEXT})
    assert pictures.read_texts(decoded(text))[0] == TEXT


def test_pictures_carry_no_infotext_when_it_is_switched_off() -> None:
    text = pictures.encode(Image.new("RGB", (16, 16)), FileForm(with_infotext=False), {"parameters": TEXT})
    assert pictures.read_texts(decoded(text)) == ("", {})


def test_a_format_that_cannot_be_written_is_refused() -> None:
    with pytest.raises(BadValue, match="samples_format"):
        FileForm(kind="avif")


def test_transparency_is_laid_on_the_background() -> None:
    assert pictures.flat(Image.new("RGBA", (1, 1), (0, 0, 0, 0)), "#ff0000").getpixel((0, 0)) == (255, 0, 0)


def test_a_mask_drawn_on_transparency_is_white_only_where_it_was_drawn() -> None:
    drawn = Image.new("RGBA", (2, 1), (255, 255, 255, 0))
    drawn.putpixel((1, 0), (255, 255, 255, 255))
    assert list(pictures.as_mask(drawn).get_flattened_data()) == [0, 255]
