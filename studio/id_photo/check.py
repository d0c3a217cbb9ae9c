"""The check of a picture against a document's rule: every value measured on the picture as it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from studio.errors import NoFace, SeveralFaces
from studio.faces.portrait import FRAME_SIDE, Portrait, SeenHead
from studio.faces.similarity import Pixels, warped
from studio.id_photo.documents import DocumentSpec
from studio.id_photo.head import HeadMeasures, measure_head
from studio.id_photo.picture_measures import FaceLight, background_difference, face_light, person_in
from studio.id_photo.reading import IdDocument
from studio.values import CheckCode, CheckReport, Finding

# ISO/IEC 19794-5:2011 allows 5 degrees either way; the mesh itself is sure to about 3.
MOST_TURN = 8.0
MOST_ROLL = 5.0
BYSTANDER_SHARE = 0.3
PROPORTION_SHARE = 0.02
# The middle of the face may be off by a tenth of the width (ISO/IEC 19794-5:2011: 45 to 55 % of it).
MOST_OFF_CENTRE = 0.05
LEAST_LIGHT, MOST_LIGHT = 70.0, 245.0
MOST_UNEVEN = 0.3
# Measured on the astronaut of scikit-image and Grace Hopper of matplotlib, sharp, blurred and with lenses drawn on.
LEAST_SHARPNESS = 25.0
LEAST_EYES_OPEN = 0.14
LEAST_LENSES = 0.5
MOST_MOUTH_OPEN = 0.08
LEAST_DETAIL = 0.5
MOST_OUTSIDE = 0.001


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenPicture:
    """A picture with what was seen in it. pixels: RGB, uint8. file_bytes: length of its file."""

    pixels: Pixels
    head: SeenHead
    measures: HeadMeasures
    light: FaceLight
    file_bytes: int


def see(pixels: Pixels, portrait: Portrait, file_bytes: int) -> SeenPicture:
    """Measure the one head of a picture. Raises NoFace, SeveralFaces."""
    head = only_head(portrait)
    frame = warped(pixels, head.to_frame, (FRAME_SIDE, FRAME_SIDE), repeat_edge=True)
    return SeenPicture(
        pixels=pixels,
        head=head,
        measures=measure_head(head),
        light=face_light(frame, head.mesh),
        file_bytes=file_bytes,
    )


def only_head(portrait: Portrait) -> SeenHead:
    """The head of the one person in a picture; faces far smaller than the main one do not count.

    Raises NoFace, SeveralFaces.
    """
    if portrait.head is None:
        raise NoFace
    main = portrait.faces[0].box.width
    beside = [face for face in portrait.faces[1:] if face.box.width >= BYSTANDER_SHARE * main]
    if beside:
        raise SeveralFaces(len(beside) + 1)
    return portrait.head


def checked(
    document: IdDocument, seen: SeenPicture, *, detail: float | None = None, outside: float = 0.0
) -> CheckReport:
    """The report on a picture that is taken as the whole picture of the document.

    detail: pixels of the photo that a pixel of the picture was made from, None where it was not made. outside: share of
    the picture that lies beyond the photo it was cut from.
    """
    height, width = seen.pixels.shape[:2]
    return CheckReport(
        document=document.name,
        width=width,
        height=height,
        findings=tuple(
            finding
            for findings in (
                _file(document.spec, seen),
                _composition(document.spec, seen),
                _made_from(detail, outside),
                _pose(seen),
                _background(document.spec, seen),
                _face(document.spec, seen),
            )
            for finding in findings
        ),
    )


def _file(spec: DocumentSpec, seen: SeenPicture) -> Iterator[Finding]:
    height, width = seen.pixels.shape[:2]
    wanted = spec.width / spec.height
    yield _finding(
        CheckCode.PROPORTIONS,
        width / height,
        "factor",
        wanted * (1 - PROPORTION_SHARE),
        wanted * (1 + PROPORTION_SHARE),
    )
    if spec.pixels:
        sides = list(zip((width, height), spec.pixels.min, spec.pixels.max))
        missing = [(side, least, most) for side, least, most in sides if not least <= side <= most]
        side, least, most = (missing or sides)[-1]
        yield _finding(CheckCode.PIXELS, side, "pixels", least, most)
    if spec.kilobytes:
        least_bytes = spec.kilobytes.least_bytes or None
        yield _finding(CheckCode.FILE_SIZE, seen.file_bytes, "bytes", least_bytes, spec.kilobytes.most_bytes)


def _composition(spec: DocumentSpec, seen: SeenPicture) -> Iterator[Finding]:
    lengths = lengths_on_paper(spec, seen)
    yield _finding(CheckCode.HEAD_HEIGHT, lengths.head, "mm", spec.head.min, spec.head.max)
    if spec.eyes:
        yield _finding(CheckCode.EYE_LINE, lengths.eyes, "mm", spec.eyes.min, spec.eyes.max)
    if spec.top:
        yield _finding(CheckCode.TOP_MARGIN, lengths.top, "mm", spec.top.min, spec.top.max)
    most = MOST_OFF_CENTRE * spec.width
    yield _finding(CheckCode.CENTRED, lengths.off_centre, "mm", None, most)


def _made_from(detail: float | None, outside: float) -> Iterator[Finding]:
    yield _finding(CheckCode.INSIDE, outside, "share", None, MOST_OUTSIDE)
    if detail is not None:
        yield _finding(CheckCode.DETAIL, detail, "factor", LEAST_DETAIL, None)


def _pose(seen: SeenPicture) -> Iterator[Finding]:
    roll = abs(seen.measures.roll + np.degrees(-seen.head.to_frame.radians))
    yield _finding(CheckCode.ROLL, float(roll), "degrees", None, MOST_ROLL)
    yield _finding(CheckCode.YAW, abs(seen.measures.yaw), "degrees", None, MOST_TURN)
    yield _finding(CheckCode.PITCH, abs(seen.measures.pitch), "degrees", None, MOST_TURN)


def _background(spec: DocumentSpec, seen: SeenPicture) -> Iterator[Finding]:
    height, width = seen.pixels.shape[:2]
    person = person_in(seen.head, seen.head.to_frame.inverse(), (width, height))
    difference = background_difference(seen.pixels, person, spec.background.colours)
    yield _finding(CheckCode.BACKGROUND, difference, "delta_e", None, spec.background.tolerance)


def _face(spec: DocumentSpec, seen: SeenPicture) -> Iterator[Finding]:
    light, measures = seen.light, seen.measures
    yield _finding(CheckCode.LIGHT, light.light, "levels", LEAST_LIGHT, MOST_LIGHT)
    yield _finding(CheckCode.EVEN_LIGHT, light.unevenness, "share", None, MOST_UNEVEN)
    yield _finding(CheckCode.SHARPNESS, light.sharpness, "levels", LEAST_SHARPNESS, None)
    yield _finding(CheckCode.DARK_GLASSES, light.lenses, "share", LEAST_LENSES, None)
    yield _finding(CheckCode.EYES_OPEN, measures.eyes_open, "share", LEAST_EYES_OPEN, None)
    if spec.expression == "neutral":
        yield _finding(CheckCode.EXPRESSION, measures.mouth_open, "share", None, MOST_MOUTH_OPEN)


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperLengths:
    """Lengths in mm on the document's paper. off_centre: of the face's middle from the picture's, without sign."""

    head: float
    eyes: float
    top: float
    off_centre: float


def lengths_on_paper(spec: DocumentSpec, seen: SeenPicture) -> PaperLengths:
    """What the picture's head measures when the picture is printed at the document's height."""
    height, width = seen.pixels.shape[:2]
    back = seen.head.to_frame.inverse()
    places = np.array(
        [(seen.measures.middle, y) for y in (seen.measures.crown, seen.measures.eyes, seen.measures.chin)]
    )
    crown, eyes, chin = back(places)
    mm = spec.height / height
    return PaperLengths(
        head=float(np.linalg.norm(chin - crown)) * mm,
        eyes=(height - float(eyes[1])) * mm,
        top=float(crown[1]) * mm,
        off_centre=abs(float(eyes[0]) - width / 2) * mm,
    )


def _finding(code: CheckCode, value: float, unit: str, least: float | None, most: float | None) -> Finding:
    return Finding.model_validate(
        {"code": code, "value": round(float(value), 3), "unit": unit, "least": least, "most": most}
    )
