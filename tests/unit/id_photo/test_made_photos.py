"""ID photos measured again on the finished picture, by means that the making did not use where there are such.

Eye line: the eye corners of dlib's five-point predictor. Crown: the first row that differs from the plain background,
where it was replaced, else a fresh look. Chin: a fresh look at the finished picture.
"""

from __future__ import annotations

import io
from collections.abc import Mapping

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from studio.errors import HeadCutOff, NoFace, SeveralFaces, SideFace, Sunglasses
from studio.faces.embeddings import _landmarks
from studio.faces.portrait import LEFT_EYE_CORNERS, RIGHT_EYE_CORNERS, Portrait, eye_centre
from studio.faces.process import FaceProcess
from studio.id_photo.background import rgb
from studio.id_photo.documents import DocumentSpec
from studio.id_photo.head import measure_head
from studio.id_photo.making import MadePhoto, check_photo, make_id_photo
from studio.id_photo.placement import place
from studio.id_photo.reading import IdDocument
from studio.settings import REPOSITORY
from studio.values import CheckCode
from tests import persons
from tests.unit.id_photo.faces import VARIATIONS, Variation, photo, with_lenses

WITHIN = 0.01
DOCUMENTS = sorted(file.stem for file in (REPOSITORY / "presets" / "id").glob("*.yaml"))


@pytest.fixture(scope="session")
def photos() -> dict[str, bytes]:
    """The varied photos, by name."""
    return {variation.name: photo(variation) for variation in VARIATIONS}


def pixels_of(made: MadePhoto) -> NDArray[np.uint8]:
    return np.asarray(Image.open(io.BytesIO(made.jpeg.content)).convert("RGB"))


def eye_line(pixels: NDArray[np.uint8], portrait: Portrait) -> float:
    """Rows from the upper edge to the middle of the four eye corners that dlib finds."""
    import dlib

    left, top, right, bottom = portrait.faces[0].box.corners()
    points = _landmarks()(pixels, dlib.rectangle(left, top, right, bottom))
    corners = [points.part(number) for number in range(4)]
    return float(np.mean([corner.y for corner in corners])) + 0.5


def first_row_of_hair(pixels: NDArray[np.uint8], spec: DocumentSpec) -> float:
    """The first row in which more than a fiftieth of the width differs clearly from the plain background."""
    plain = np.array(rgb(spec.background.colours[0]), dtype=np.int16)
    differs = np.abs(pixels.astype(np.int16) - plain).max(axis=2) > 64
    return float(np.flatnonzero(differs.mean(axis=1) > 0.02)[0])


def seen_again(portrait: Portrait) -> tuple[float, float]:
    """Rows of crown and chin in the picture, from a fresh look."""
    head = portrait.head
    assert head is not None
    measures = measure_head(head)
    back = head.to_frame.inverse()
    places = back(np.array([(measures.middle, measures.crown), (measures.middle, measures.chin)]))
    return float(places[0, 1]), float(places[1, 1])


@pytest.mark.parametrize("variation", VARIATIONS, ids=lambda variation: variation.name)
@pytest.mark.parametrize("name", DOCUMENTS)
def test_head_height_and_eye_line_are_within_one_percent_of_what_the_rule_asks(
    name: str,
    variation: Variation,
    photos: Mapping[str, bytes],
    documents: Mapping[str, IdDocument],
    faces: FaceProcess,
) -> None:
    document = documents[name]
    spec = document.spec
    made = make_id_photo(photos[variation.name], document, faces)
    pixels = pixels_of(made)
    assert pixels.shape == (*spec.size()[::-1], 3)
    portrait = faces.portrait(made.jpeg.content)
    mm = spec.height / pixels.shape[0]
    crown, chin = seen_again(portrait)
    if spec.changes != "none":
        crown = first_row_of_hair(pixels, spec)
    head, eyes = (chin - crown) * mm, (pixels.shape[0] - eye_line(pixels, portrait)) * mm
    allowed = WITHIN * spec.height
    assert abs(head - spec.head.middle) <= allowed
    assert spec.head.min - allowed <= head <= spec.head.max + allowed
    if spec.eyes:
        assert spec.eyes.min - allowed <= eyes <= spec.eyes.max + allowed
    if spec.top:
        assert spec.top.min - allowed <= crown * mm <= spec.top.max + allowed
    source = faces.portrait(photos[variation.name]).head
    assert source is not None
    assert abs(eyes - place(spec, measure_head(source)).eyes) <= allowed
    file_size = made.report.finding(CheckCode.FILE_SIZE)
    assert file_size is None or file_size.passed
    roll = made.report.finding(CheckCode.ROLL)
    assert roll is not None
    assert roll.value < 1.5
