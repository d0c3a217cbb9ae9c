"""Likeness by face, and by colours and shapes where no face can be told."""

from __future__ import annotations

import io

import pytest
from PIL import Image, ImageDraw, ImageFilter

from studio.faces.likeness import face_score, likeness
from tests.persons import as_jpeg, astronaut, hopper

Colour = tuple[int, int, int]
RED, GREY, GREEN, BLUE = (170, 60, 30), (150, 150, 150), (60, 120, 70), (40, 60, 140)


def _painted(hair: Colour, background: Colour, shift: int = 0) -> bytes:
    """A figure without features, 128 pixels a side."""
    picture = Image.new("RGB", (128, 128), background)
    draw = ImageDraw.Draw(picture)
    draw.ellipse((36 + shift, 20, 92 + shift, 90), fill=hair)
    draw.ellipse((44 + shift, 36, 84 + shift, 88), fill=(224, 180, 150))
    draw.rectangle((24 + shift, 92, 104 + shift, 128), fill=(30, 30, 40))
    return as_jpeg(picture)


def test_without_a_face_the_picture_of_the_same_colours_is_nearer() -> None:
    picture = _painted(RED, GREEN)
    own, other = likeness(picture, [_painted(RED, GREEN, shift=4)]), likeness(picture, [_painted(GREY, BLUE)])

    assert (own.measure, other.measure) == ("colours", "colours")
    assert own.score > other.score + 0.2


def test_a_figure_a_little_beside_the_middle_is_nearer_than_one_of_another_hair_colour() -> None:
    beside = _painted(RED, GREEN, shift=12)
    own, other = likeness(beside, [_painted(RED, GREEN)]), likeness(beside, [_painted(GREY, GREEN, shift=12)])

    assert own.score > other.score


def test_the_same_picture_is_entirely_alike() -> None:
    assert likeness(_painted(RED, GREEN), [_painted(RED, GREEN)]).score == 1.0


def test_a_face_too_blurred_to_be_told_is_compared_by_colours() -> None:
    photo = Image.open(io.BytesIO(astronaut(1)[0])).filter(ImageFilter.GaussianBlur(10))

    assert likeness(as_jpeg(photo), astronaut(2)).measure == "colours"


def test_a_small_sharp_face_is_still_compared_as_a_face() -> None:
    photo = Image.open(io.BytesIO(hopper(1)[0])).resize((160, 188))
    same, other = likeness(as_jpeg(photo), hopper(3)), likeness(as_jpeg(photo), astronaut(3))

    assert (same.measure, other.measure) == ("face", "face")
    assert same.score > 0.8 > other.score


@pytest.mark.parametrize(("apart", "score"), [(0.3, 0.977), (0.6, 0.5), (0.85, 0.042)])
def test_the_score_of_a_face_distance_is_as_documented(apart: float, score: float) -> None:
    assert face_score(apart) == pytest.approx(score, abs=0.001)


def test_a_likeness_to_nobody_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        likeness(_painted(RED, GREEN), [])
