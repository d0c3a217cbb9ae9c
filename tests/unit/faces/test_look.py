"""What is measured of a head beyond who it is: angle, mouth, light, clothes, background."""

from __future__ import annotations

import io
import math
from functools import cache

import numpy as np
import pytest
import skimage.data
from PIL import Image

from studio.faces.check import check
from studio.faces.colours import EXAMPLES, colour_shares, rgb
from studio.faces.measures import blockiness, luma
from studio.faces.portrait import UprightHead, upright_head
from studio.faces.pose import Mesh, face_pose
from studio.faces.values import HeadLook
from studio.intake import decode
from tests.persons import as_jpeg, astronaut, hopper


def picture(photo: bytes) -> Image.Image:
    return Image.open(io.BytesIO(photo)).convert("RGB")


@cache
def look(photo: bytes) -> HeadLook:
    found = check(decode(photo, "photo.jpg").jpeg).look
    assert found is not None
    return found


@pytest.fixture(scope="module")
def head() -> UprightHead:
    pixels = np.asarray(picture(hopper(1)[0]))
    box = check(decode(hopper(1)[0], "photo.jpg").jpeg).faces[0].box
    found = upright_head(pixels, box)
    assert found is not None
    return found


def turned(mesh: Mesh, degrees: float, axes: tuple[int, int]) -> Mesh:
    """mesh turned in the plane of two axes, the first towards the second."""
    one, other = axes
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    moved = mesh.copy()
    moved[:, one] = cosine * mesh[:, one] - sine * mesh[:, other]
    moved[:, other] = sine * mesh[:, one] + cosine * mesh[:, other]
    return moved


@pytest.mark.parametrize("degrees", [-30, -10, 10, 30])
def test_a_turned_head_is_turned_by_as_many_degrees(head: UprightHead, degrees: float) -> None:
    straight = face_pose(head.mesh)
    aside, nodding = (face_pose(turned(head.mesh, degrees, axes)) for axes in ((0, 2), (1, 2)))
    assert aside.yaw - straight.yaw == pytest.approx(degrees, abs=1)
    assert nodding.pitch - straight.pitch == pytest.approx(degrees, abs=1)


@pytest.mark.parametrize("degrees", [-25, 15, 40])
def test_a_tilted_photo_is_tilted_by_as_many_degrees(degrees: float) -> None:
    photo = hopper(1)[0]
    tilted = look(as_jpeg(picture(photo).rotate(-degrees, Image.Resampling.BICUBIC)))
    assert tilted.roll - look(photo).roll == pytest.approx(degrees, abs=3)
    assert abs(tilted.yaw) < 5


def test_a_smile_shows_at_the_corners_of_the_mouth() -> None:
    assert all(look(photo).smile > 0.1 for photo in astronaut(4))
    assert all(abs(look(photo).smile) < 0.05 for photo in hopper(4))


def test_light_from_one_side_is_told_with_its_side() -> None:
    photo = picture(hopper(1)[0])
    shade = Image.linear_gradient("L").rotate(90).resize(photo.size)  # dark at one edge, light at the other
    lit = look(as_jpeg(Image.composite(photo, Image.new("RGB", photo.size), shade)))
    other = look(as_jpeg(Image.composite(photo, Image.new("RGB", photo.size), shade.rotate(180))))
    assert lit.light_side * other.light_side < 0
    assert min(abs(lit.light_side), abs(other.light_side)) > 0.2


def test_a_mirrored_photo_turns_sides_round() -> None:
    photo = picture(astronaut(1)[0])
    mirrored = look(as_jpeg(photo.transpose(Image.Transpose.FLIP_LEFT_RIGHT)))
    assert mirrored.light_side == pytest.approx(-look(as_jpeg(photo)).light_side, abs=0.03)
    assert mirrored.roll == pytest.approx(-look(as_jpeg(photo)).roll, abs=2)


def test_clothes_and_background_have_the_colours_that_people_see() -> None:
    assert "orange" in {colour.name for colour in look(astronaut(1)[0]).attire}
    assert look(astronaut(1)[0]).background[0].name == "light grey"
    assert look(hopper(1)[0]).attire[0].name == "black"
    assert look(hopper(1)[0]).background[0].name == "blue"


def test_a_close_picture_goes_on_less_below_the_chin() -> None:
    photo = picture(astronaut(10)[5])
    whole, cut = look(as_jpeg(photo)), look(as_jpeg(photo.crop((0, 0, photo.width, photo.height * 3 // 4))))
    assert 2.5 < whole.below_chin < 3.5
    assert cut.below_chin < whole.below_chin - 1


def test_every_colour_is_named_by_its_own_examples() -> None:
    for name, examples in EXAMPLES.items():
        pixels = np.array([rgb(code) for code in examples], dtype=np.uint8)
        assert colour_shares(pixels) == [(name, 1.0)]


def test_shares_of_colours_add_up() -> None:
    pixels = np.array([(196, 22, 28)] * 3 + [(240, 240, 240)], dtype=np.uint8)
    assert colour_shares(pixels) == [("red", 0.75), ("white", 0.25)]
    assert colour_shares(pixels[:0]) == []


@pytest.mark.parametrize("offset", [0, 3])
def test_blocks_stand_out_the_more_a_picture_is_compressed(offset: int) -> None:
    whole = Image.fromarray(skimage.data.astronaut())
    blocks = [
        blockiness(luma(np.asarray(picture(as_jpeg(whole, quality=quality)))[offset:, offset:]))
        for quality in (95, 50, 20, 8)
    ]
    assert blocks == sorted(blocks)
    assert blocks[0] < 1.2
    assert blocks[-1] > 2


def test_a_plain_picture_has_no_blocks() -> None:
    assert blockiness(np.zeros((4, 4), dtype=np.float32)) == 1.0
    assert blockiness(np.full((64, 64), 128, dtype=np.float32)) < 1.2
