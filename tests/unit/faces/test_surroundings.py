"""The colours round a face, on photos of two people whose clothes and walls everybody can name."""

from __future__ import annotations

from PIL import Image

from studio.faces.likeness import resemblance, variety
from studio.faces.surroundings import surroundings
from tests.persons import as_jpeg, astronaut, hopper


def test_an_orange_suit_before_a_pale_wall_is_seen_as_such() -> None:
    (photo,) = astronaut(1, side=384)
    seen = surroundings(photo)
    assert seen.clothes is not None
    assert seen.background is not None
    assert min(seen.clothes[1:]) > 20
    assert seen.background[0] > 65
    assert max(map(abs, seen.background[1:])) < 10


def test_a_black_uniform_before_a_blue_wall_is_seen_as_such() -> None:
    (photo,) = hopper(1, side=384)
    seen = surroundings(photo)
    assert seen.clothes is not None
    assert seen.background is not None
    assert seen.clothes[0] < 15
    assert seen.background[2] < -20


def test_a_wall_without_anybody_has_no_clothes() -> None:
    seen = surroundings(as_jpeg(Image.new("RGB", (300, 300), (44, 84, 190))))
    assert seen.clothes is None
    assert seen.background is not None


def test_a_head_resembles_its_own_photos_more_than_another_person_s_by_both_measures() -> None:
    first, *own = astronaut(4, side=384)
    to_own, to_other = resemblance(first, own), resemblance(first, hopper(3, side=384))
    assert to_own.face is not None
    assert to_other.face is not None
    assert to_own.face > to_other.face
    assert to_own.head > to_other.head


def test_the_same_picture_again_has_no_variety_and_two_people_have_much() -> None:
    (one,), (other,) = astronaut(1, side=384), hopper(1, side=384)
    assert variety([one]) == 0.0
    assert variety([one, one]) == 0.0
    assert variety([one, other]) > 0.5
