"""What a finished picture carries, and that its pixels stay what they were."""

from __future__ import annotations

import io
import itertools
from typing import Any

import pytest
from PIL import Image, PngImagePlugin

from studio.recipes import recipe_in, texts_in, with_recipe

RECIPE = {"seed": 7, "request": {"options": {"prompt": "빨간 모자"}}}
INFOTEXT = "a portrait\nSteps: 20, Seed: 7"


def picture(mode: str = "RGB", form: str = "PNG", **options: Any) -> bytes:
    image = Image.new(mode, (24, 16))
    for x, y in itertools.product(range(24), range(16)):
        colour = (x * 10, y * 15, (x * y) % 256)
        image.putpixel((x, y), colour if mode == "RGB" else (*colour, 255))
    out = io.BytesIO()
    image.save(out, form, **options)
    return out.getvalue()


def pixels(content: bytes) -> Image.Image:
    with Image.open(io.BytesIO(content)) as image:
        return image.convert("RGB")


@pytest.mark.parametrize(
    "content",
    [picture(), picture("RGBA"), picture(form="WEBP", lossless=True)],
    ids=["a PNG as a WebUI sends it", "a PNG with alpha", "another format"],
)
def test_the_pixels_stay_and_the_recipe_can_be_read_back(content: bytes) -> None:
    made = with_recipe(content, INFOTEXT, RECIPE)
    assert list(pixels(made).get_flattened_data()) == list(pixels(content).get_flattened_data())
    assert recipe_in(made) == RECIPE
    assert texts_in(made)["parameters"] == INFOTEXT


def test_what_the_server_wrote_is_replaced_and_nothing_else_is_kept() -> None:
    texts = PngImagePlugin.PngInfo()
    texts.add_text("parameters", "an older text")
    texts.add_text("path", "/home/somebody")
    made = with_recipe(picture(pnginfo=texts), INFOTEXT, RECIPE)
    assert set(texts_in(made)) == {"parameters", "sajin"}
    assert b"somebody" not in made


def test_the_same_input_gives_the_same_bytes_with_the_compressed_pixels_of_the_server() -> None:
    content = picture()
    made = with_recipe(content, INFOTEXT, RECIPE)
    assert made == with_recipe(content, INFOTEXT, RECIPE)
    compressed = content[content.index(b"IDAT") : content.index(b"IEND")]
    assert compressed in made


def test_a_recipe_is_written_over_an_earlier_one() -> None:
    made = with_recipe(with_recipe(picture(), INFOTEXT, {"seed": 1}), INFOTEXT, RECIPE)
    assert recipe_in(made) == RECIPE
