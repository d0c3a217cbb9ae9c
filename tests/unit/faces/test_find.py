"""Finding faces in pictures of any shape."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from studio.faces.find import find_faces
from tests.persons import astronaut


def _pixels(photo: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(photo)).convert("RGB"))


@pytest.mark.parametrize(("width", "height"), [(1, 1), (31, 4000), (33, 4000), (4000, 33), (2, 900)])
def test_a_picture_of_an_odd_shape_shows_no_face_and_harms_no_later_one(width: int, height: int) -> None:
    odd = np.random.default_rng(1).integers(0, 255, (height, width, 3), dtype=np.uint8)

    assert find_faces(odd) == ()
    assert len(find_faces(_pixels(astronaut(1)[0]))) == 1


def test_two_people_give_two_boxes_the_wider_first() -> None:
    photo = Image.open(io.BytesIO(astronaut(1)[0]))
    scene = Image.new("RGB", (1400, 800), (60, 60, 60))
    scene.paste(photo.resize((500, 480)), (800, 100))
    scene.paste(photo, (0, 0))
    wider, other = find_faces(np.asarray(scene))

    assert wider.box.width > other.box.width
    assert wider.box.right < other.box.left


def test_a_face_in_a_twentieth_of_the_picture_is_seen() -> None:
    scene = np.full((1600, 2400, 3), 110, dtype=np.uint8)
    small = Image.open(io.BytesIO(astronaut(1)[0])).resize((400, 385))
    scene[1000:1385, 1700:2100] = np.asarray(small)
    (face,) = find_faces(scene)

    assert 1700 < face.box.left < face.box.right < 2100
    assert face.confirmed


def test_the_box_of_a_face_at_the_edge_reaches_beyond_the_picture() -> None:
    whole = find_faces(_pixels(astronaut(1)[0]))[0].box
    cut = find_faces(_pixels(astronaut(1)[0])[:, whole.left + whole.width // 3 :])[0].box

    assert cut.left < 0
