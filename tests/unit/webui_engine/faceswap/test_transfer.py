"""A face laid onto another picture: it becomes that person, and nothing else of the picture changes."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from studio.faces.likeness import likeness
from tests.persons import as_jpeg, astronaut, hopper
from webui_engine.faceswap.transfer import FaceIn, Pixels, lay_face


def pixels_of(photo: bytes) -> Pixels:
    return np.asarray(Image.open(io.BytesIO(photo)).convert("RGB"))


def face_of(photo: bytes) -> FaceIn:
    face = FaceIn.nth(pixels_of(photo), 0)
    assert face is not None
    return face


@pytest.fixture(scope="module")
def person() -> bytes:
    return astronaut(1)[0]


@pytest.mark.parametrize("number", range(3), ids=["upright", "mirrored and tilted", "tilted and darker"])
def test_the_picture_shows_the_person_whose_face_was_laid_on(person: bytes, number: int) -> None:
    other = hopper(3)[number]
    laid = as_jpeg(Image.fromarray(lay_face(face_of(person), face_of(other))))
    assert likeness(other, [person]).score < 0.4
    assert likeness(laid, [person]).score > 0.8
    assert likeness(laid, [person]).score > likeness(laid, [other]).score


def test_what_lies_outside_the_face_stays_as_it_was(person: bytes) -> None:
    target = face_of(hopper(1)[0])
    laid = lay_face(face_of(person), target)
    changed = (laid != target.pixels).any(axis=2)
    low, high = target.mesh[:, :2].min(axis=0), target.mesh[:, :2].max(axis=0)
    rows, columns = np.nonzero(changed)
    assert changed.mean() > 0.03
    assert low[0] <= columns.min() <= columns.max() <= high[0]
    assert low[1] <= rows.min() <= rows.max() <= high[1]


def test_light_and_colour_are_those_of_the_picture(person: bytes) -> None:
    dark = pixels_of(hopper(1)[0]) // 3
    target = FaceIn.nth(dark, 0)
    assert target is not None
    laid = lay_face(face_of(person), target)
    changed = (laid != dark).any(axis=2)
    assert abs(float(laid[changed].mean()) - float(dark[changed].mean())) < 12


def test_a_face_laid_onto_itself_leaves_the_picture_as_good_as_unchanged(person: bytes) -> None:
    face = face_of(person)
    assert np.abs(lay_face(face, face).astype(int) - face.pixels).mean() < 1.0


def test_a_face_at_the_edge_of_the_picture_can_be_replaced(person: bytes) -> None:
    target = face_of(hopper(1)[0])
    left = int(target.mesh[:, 0].min() + np.ptp(target.mesh[:, 0]) * 0.1)
    cut = FaceIn(np.ascontiguousarray(target.pixels[:, left:]), target.mesh - [left, 0, 0])
    assert (lay_face(face_of(person), cut) != cut.pixels).any()


def test_a_picture_without_a_face_has_none() -> None:
    assert FaceIn.nth(np.full((128, 128, 3), 127, np.uint8), 0) is None


def test_one_face_is_not_two(person: bytes) -> None:
    assert FaceIn.nth(pixels_of(person), 1) is None
