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
from PIL import Image, ImageFilter
from skimage.transform import PiecewiseAffineTransform, warp

from studio.errors import HeadCutOff, NoFace, SeveralFaces, SideFace, Sunglasses
from studio.faces.colours import rgb
from studio.faces.embeddings import _landmarks
from studio.faces.portrait import Portrait
from studio.faces.pose import LEFT_EYE_CORNERS, RIGHT_EYE_CORNERS, eye_centre
from studio.faces.process import FaceProcess
from studio.faces.similarity import warped
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
MEASURED = tuple(variation for variation in VARIATIONS if variation.name != "larger")
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


@pytest.mark.xdist_group("id photos")
@pytest.mark.parametrize("variation", MEASURED, ids=lambda variation: variation.name)
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


def made_for(name: str, jpeg: bytes, documents: Mapping[str, IdDocument], faces: FaceProcess) -> MadePhoto:
    return make_id_photo(jpeg, documents[name], faces)


def test_the_background_is_the_rules_colour_up_to_the_hair(
    photos: Mapping[str, bytes], documents: Mapping[str, IdDocument], faces: FaceProcess
) -> None:
    made = made_for("kr-resume-35x45", photos["as it is"], documents, faces)
    pixels = pixels_of(made).astype(np.int16)
    assert np.abs(pixels[: pixels.shape[0] // 12] - 255).max() <= 3
    background = made.report.finding(CheckCode.BACKGROUND)
    assert background is not None
    assert background.value < 2


def test_no_halo_of_the_old_background_stays_around_the_hair(
    documents: Mapping[str, IdDocument], faces: FaceProcess
) -> None:
    """The wall is repainted green: what is green in the result would be its halo."""
    source = np.asarray(Image.open(io.BytesIO(photo(VARIATIONS[1]))).convert("RGB")).copy()
    head = faces.portrait(persons.as_jpeg(Image.fromarray(source))).head
    assert head is not None
    person = warped(
        head.matte, head.to_frame.inverse(), (source.shape[1], source.shape[0]), repeat_edge=False
    )
    share = person.astype(np.float32)[..., None] / 255
    green = (source * share + np.array([40, 200, 60]) * (1 - share)).round().astype(np.uint8)
    made = made_for("kr-resume-35x45", persons.as_jpeg(Image.fromarray(green)), documents, faces)
    pixels = pixels_of(made).astype(np.int16)
    greener = pixels[..., 1] - np.maximum(pixels[..., 0], pixels[..., 2])
    assert (greener > 40).mean() < 0.0005


def test_a_document_that_forbids_changes_gets_the_photos_own_pixels(
    photos: Mapping[str, bytes], documents: Mapping[str, IdDocument], faces: FaceProcess
) -> None:
    made = made_for("us-passport", photos["as it is"], documents, faces)
    corner = pixels_of(made)[10:60, 10:60].reshape(-1, 3).mean(axis=0)
    assert np.abs(corner - 255).max() > 30
    background = made.report.finding(CheckCode.BACKGROUND)
    assert background is not None
    assert not background.passed


@pytest.mark.parametrize("dpi", [200, 600])
def test_the_resolution_asked_for_is_written_in_the_file(
    dpi: int, photos: Mapping[str, bytes], documents: Mapping[str, IdDocument], faces: FaceProcess
) -> None:
    document = documents["jp-resume"]
    made = make_id_photo(photos["larger"], document, faces, dpi)
    opened = Image.open(io.BytesIO(made.jpeg.content))
    assert opened.size == document.spec.size(dpi)
    assert opened.info["dpi"] == (dpi, dpi)


def test_a_finished_photo_passes_the_check_of_its_own_document(
    photos: Mapping[str, bytes], documents: Mapping[str, IdDocument], faces: FaceProcess
) -> None:
    document = documents["kr-resume-3x4"]
    made = make_id_photo(photos["larger"], document, faces)
    again = check_photo(made.jpeg.content, document, faces, len(made.jpeg.content))
    assert [finding.code for finding in again.report.findings if not finding.passed] == []
    assert Image.open(io.BytesIO(again.drawn)).format == "JPEG"


def test_a_photo_as_it_comes_from_the_camera_fails_with_what_is_wrong(
    photos: Mapping[str, bytes], documents: Mapping[str, IdDocument], faces: FaceProcess
) -> None:
    checked = check_photo(photos["turned left"], documents["kr-passport"], faces, 700_000)
    failed = {finding.code for finding in checked.report.findings if not finding.passed}
    assert {
        CheckCode.PROPORTIONS, CheckCode.HEAD_HEIGHT, CheckCode.ROLL, CheckCode.BACKGROUND, CheckCode.FILE_SIZE,
        CheckCode.EXPRESSION,
    } <= failed  # fmt: skip
    assert CheckCode.YAW not in failed
    roll = checked.report.finding(CheckCode.ROLL)
    assert roll is not None
    assert 9 < roll.value < 18


def test_a_blurred_photo_fails_for_its_sharpness(
    photos: Mapping[str, bytes], documents: Mapping[str, IdDocument], faces: FaceProcess
) -> None:
    sharp = Image.open(io.BytesIO(photos["larger"]))
    blurred = persons.as_jpeg(sharp.filter(ImageFilter.GaussianBlur(6)))
    found = check_photo(blurred, documents["kr-resume-3x4"], faces, len(blurred)).report.finding(
        CheckCode.SHARPNESS
    )
    assert found is not None
    assert not found.passed


def test_a_photo_without_a_face_is_refused(documents: Mapping[str, IdDocument], faces: FaceProcess) -> None:
    with pytest.raises(NoFace):
        made_for(
            "kr-passport", persons.as_jpeg(Image.new("RGB", (600, 800), (90, 120, 150))), documents, faces
        )


def test_two_people_are_refused(
    photos: Mapping[str, bytes], documents: Mapping[str, IdDocument], faces: FaceProcess
) -> None:
    one = Image.open(io.BytesIO(photos["as it is"]))
    pair = Image.new("RGB", (one.width * 2, one.height))
    pair.paste(one)
    pair.paste(one, (one.width, 0))
    with pytest.raises(SeveralFaces) as refused:
        made_for("kr-passport", persons.as_jpeg(pair), documents, faces)
    assert refused.value.data["faces"] == 2


def test_sunglasses_are_refused(
    photos: Mapping[str, bytes], documents: Mapping[str, IdDocument], faces: FaceProcess
) -> None:
    head = faces.portrait(photos["larger"]).head
    assert head is not None
    back = head.to_frame.inverse()
    corners = (RIGHT_EYE_CORNERS, LEFT_EYE_CORNERS)
    right, left = (back(eye_centre(head.mesh, one)[None])[0] for one in corners)
    shaded = with_lenses(photos["larger"], ((right[0], right[1]), (left[0], left[1])))
    with pytest.raises(Sunglasses):
        made_for("kr-passport", shaded, documents, faces)


def test_a_side_face_is_refused(
    photos: Mapping[str, bytes], documents: Mapping[str, IdDocument], faces: FaceProcess
) -> None:
    with pytest.raises(SideFace) as refused:
        made_for("kr-passport", turned_aside(photos["as it is"], faces), documents, faces)
    assert int(refused.value.data["yaw"] or 0) >= int(refused.value.data["limit"] or 0)


def turned_aside(jpeg: bytes, faces: FaceProcess, degrees: float = 40) -> bytes:
    """The photo with its face turned about its upright axis, by the depth of its mesh."""
    pixels = np.asarray(Image.open(io.BytesIO(jpeg)).convert("RGB"))
    head = faces.portrait(jpeg).head
    assert head is not None
    back = head.to_frame.inverse()
    flat, depth = back(head.mesh[:468:4, :2]), head.mesh[:468:4, 2] * back.scale
    middle, turn = flat[:, 0].mean(), np.radians(degrees)
    turned = flat.copy()
    turned[:, 0] = middle + (flat[:, 0] - middle) * np.cos(turn) - depth * np.sin(turn)
    border = np.array([(x, y) for x in (0, pixels.shape[1]) for y in (0, pixels.shape[0])], dtype=np.float64)
    way = PiecewiseAffineTransform.from_estimate(np.vstack([turned, border]), np.vstack([flat, border]))
    return persons.as_jpeg(Image.fromarray((warp(pixels, way, order=1) * 255).astype(np.uint8)))


@pytest.mark.parametrize("side", ["top", "left"])
def test_a_head_that_is_cut_off_is_refused(
    side: str, photos: Mapping[str, bytes], documents: Mapping[str, IdDocument], faces: FaceProcess
) -> None:
    picture = Image.open(io.BytesIO(photos["larger"])).convert("RGB")
    head = faces.portrait(photos["larger"]).head
    assert head is not None
    measures = measure_head(head)
    back = head.to_frame.inverse()
    crown = back(np.array([(measures.middle, measures.crown)]))[0]
    eye = back(eye_centre(head.mesh, RIGHT_EYE_CORNERS)[None])[0]
    cut = (0, round(crown[1]) + 30, picture.width, picture.height)
    if side == "left":
        cut = (round(eye[0]) - 25, 0, picture.width, picture.height)
    with pytest.raises(HeadCutOff):
        made_for("kr-passport", persons.as_jpeg(picture.crop(cut)), documents, faces)


def test_the_same_photo_always_gives_the_same_file(
    photos: Mapping[str, bytes], documents: Mapping[str, IdDocument]
) -> None:
    with FaceProcess() as one, FaceProcess() as other:
        files = [
            made_for("kr-resume-3x4", photos["as it is"], documents, faces).jpeg for faces in (one, other)
        ]
    assert files[0] == files[1]
