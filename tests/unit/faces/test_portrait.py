"""A head seen upright: the same head, however the photo is turned and scaled."""

from __future__ import annotations

import io
import math
from collections.abc import Iterator

import numpy as np
import pytest
import skimage.data
from PIL import Image

from studio.faces.portrait import FRAME_SIDE, SeenHead
from studio.faces.pose import CHIN, LEFT_EYE_CORNERS, RIGHT_EYE_CORNERS, eye_centre
from studio.faces.process import FaceProcess
from tests.persons import as_jpeg


@pytest.fixture(scope="module")
def faces() -> Iterator[FaceProcess]:
    with FaceProcess() as process:
        yield process


def astronaut(degrees: float = 0, scale: float = 1) -> bytes:
    picture = Image.fromarray(skimage.data.astronaut()).rotate(
        degrees, Image.Resampling.BICUBIC, fillcolor=(200, 195, 190)
    )
    size = round(picture.width * scale), round(picture.height * scale)
    return as_jpeg(picture.resize(size, Image.Resampling.LANCZOS))


def head_in(faces: FaceProcess, photo: bytes) -> SeenHead:
    head = faces.portrait(photo).head
    assert head is not None
    return head


@pytest.mark.parametrize(("degrees", "scale"), [(0, 1), (12, 1), (-15, 1.4), (5, 0.7)])
def test_the_eyes_are_level_and_the_face_has_one_size(
    faces: FaceProcess, degrees: float, scale: float
) -> None:
    head = head_in(faces, astronaut(degrees, scale))
    right, left = (eye_centre(head.mesh, corners) for corners in (RIGHT_EYE_CORNERS, LEFT_EYE_CORNERS))
    assert abs(math.degrees(math.atan2(left[1] - right[1], left[0] - right[0]))) < 1.5
    assert math.dist((right + left) / 2, head.mesh[CHIN, :2]) == pytest.approx(0.2 * FRAME_SIDE, rel=0.06)
    assert head.to_frame.radians == pytest.approx(math.radians(degrees) - 0.048, abs=0.02)


def test_the_matte_holds_face_and_hair_but_not_the_wall(faces: FaceProcess) -> None:
    head = head_in(faces, astronaut())
    assert head.matte.shape == head.inside.shape == (FRAME_SIDE, FRAME_SIDE)
    x, y = head.mesh[:468, 0].astype(int), head.mesh[:468, 1].astype(int)
    assert (head.matte[y, x] > 250).mean() > 0.97
    wall = head.to_frame(np.array([(130.0, 60.0), (330.0, 40.0), (300.0, 110.0)])).astype(int)
    assert [int(head.matte[row, column]) for column, row in wall] == [0, 0, 0]


def test_nobody_is_beyond_the_photo(faces: FaceProcess) -> None:
    head = head_in(faces, astronaut())
    assert (head.inside == 0).any()
    assert head.matte[head.inside == 0].max() == 0


def test_a_resized_portrait_is_that_of_the_resized_photo(faces: FaceProcess) -> None:
    seen = faces.portrait(astronaut()).resized(0.5)
    assert (seen.width, seen.height) == (256, 256)
    assert seen.head is not None
    corner = seen.head.to_frame(np.array([(10.0, 20.0)]))
    assert corner == pytest.approx(head_in(faces, astronaut()).to_frame(np.array([(20.0, 40.0)])))


def test_without_a_face_there_is_no_head(faces: FaceProcess) -> None:
    stream = io.BytesIO()
    Image.new("RGB", (300, 400), (120, 140, 160)).save(stream, "JPEG")
    seen = faces.portrait(stream.getvalue())
    assert (seen.faces, seen.head) == ((), None)
