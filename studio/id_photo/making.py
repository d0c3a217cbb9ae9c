"""From a photo to an ID photo: look, place, cut, change only what the rule allows, encode, look again."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from studio.errors import HeadCutOff, SideFace, Sunglasses
from studio.faces.process import FaceProcess
from studio.faces.similarity import Pixels, Similarity, warped
from studio.id_photo.background import on_colour
from studio.id_photo.check import LEAST_LENSES, SeenPicture, checked, only_head, see
from studio.id_photo.documents import DocumentSpec
from studio.id_photo.drawing import drawn_check
from studio.id_photo.jpeg import JpegFile, jpeg_within
from studio.id_photo.picture_measures import person_in
from studio.id_photo.placement import into_picture, place
from studio.id_photo.reading import IdDocument
from studio.id_photo.retouch import retouched
from studio.values import CheckReport

# Measured on press photos: heads that look clearly past the camera give a yaw of 19 degrees and more.
USABLE_YAW, USABLE_PITCH = 18.0, 24.0
# A face, brow to chin, takes up to 0.4 of a picture's height; half of it leaves room for sampling.
FACE_SHARE = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class MadePhoto:
    """An ID photo. jpeg: the file, its resolution written in it. report: its check. drawn: a JPEG that shows it."""

    jpeg: JpegFile
    width: int
    height: int
    dpi: int
    report: CheckReport
    drawn: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedPhoto:
    """The check of a photo as it is, and a JPEG that shows it."""

    report: CheckReport
    drawn: bytes


def make_id_photo(
    photo: bytes, document: IdDocument, faces: FaceProcess, dpi: int | None = None
) -> MadePhoto:
    """The photo as the document wants it. photo: clean, as studio.intake.decode gives it.

    Turned upright, cut to the rule, background replaced and skin corrected only where the document allows it; then
    looked at and measured anew. Raises NoFace, SeveralFaces, SideFace, Sunglasses, HeadCutOff, FileSizeImpossible.
    """
    dpi = dpi or document.spec.dpi
    size = document.spec.size(dpi)
    seen, scale = _looked_at(photo, faces, size[1])
    refuse_unfit(seen)
    way = into_picture(document.spec, seen.measures, dpi, place(document.spec, seen.measures))
    picture = _changed(document.spec, seen, way, size)
    jpeg = jpeg_within(Image.fromarray(picture), dpi, document.spec.kilobytes)
    result = see(_decoded(jpeg.content), faces.portrait(jpeg.content), len(jpeg.content))
    detail = 1 / (seen.head.to_frame.then(way).scale * scale)
    report = checked(document, result, detail=detail, outside=_outside(document.spec, seen, way, size))
    return MadePhoto(
        jpeg=jpeg, width=size[0], height=size[1], dpi=dpi, report=report,
        drawn=drawn_check(document.spec, result, report),
    )  # fmt: skip


def check_photo(photo: bytes, document: IdDocument, faces: FaceProcess, file_bytes: int) -> CheckedPhoto:
    """Whether a photo is acceptable for the document as it is. file_bytes: length of the file that was sent.

    Raises NoFace, SeveralFaces.
    """
    seen = see(_decoded(photo), faces.portrait(photo), file_bytes)
    report = checked(document, seen)
    return CheckedPhoto(report=report, drawn=drawn_check(document.spec, seen, report))


def refuse_unfit(seen: SeenPicture) -> None:
    """Raise SideFace, Sunglasses or HeadCutOff for a head of which no ID photo can be made."""
    measures = seen.measures
    for turn, limit in ((measures.yaw, USABLE_YAW), (measures.pitch, USABLE_PITCH)):
        if abs(turn) > limit:
            raise SideFace(measures.yaw, measures.pitch, limit)
    if seen.light.lenses < LEAST_LENSES:
        raise Sunglasses
    if measures.cut_off:
        raise HeadCutOff


def _decoded(jpeg: bytes) -> Pixels:
    return np.asarray(Image.open(io.BytesIO(jpeg)).convert("RGB"))


def _looked_at(photo: bytes, faces: FaceProcess, wanted_height: int) -> tuple[SeenPicture, float]:
    """The photo, decoded no larger than a picture of wanted_height needs it, and its scale against the photo."""
    portrait = faces.portrait(photo)
    only_head(portrait)
    image = Image.open(io.BytesIO(photo))
    width = image.width
    enough = FACE_SHARE * wanted_height / max(portrait.faces[0].box.height, 1)
    if enough < 1:
        image.draft("RGB", (round(image.width * enough), round(image.height * enough)))
    pixels = np.asarray(image.convert("RGB"))
    scale = pixels.shape[1] / width
    return see(pixels, portrait.resized(scale), len(photo)), scale


def _changed(document: DocumentSpec, seen: SeenPicture, way: Similarity, size: tuple[int, int]) -> Pixels:
    """The picture that way (from the frame) cuts out, with the changes that the document allows."""
    picture = warped(seen.pixels, seen.head.to_frame.then(way), size, repeat_edge=True)
    if document.changes == "none":
        return picture
    person = person_in(seen.head, way, size)
    if document.changes == "retouch":
        picture = retouched(picture, way(seen.head.mesh[:, :2]))
    return on_colour(picture, person, document.background.colours[0])


def _outside(document: DocumentSpec, seen: SeenPicture, way: Similarity, size: tuple[int, int]) -> float:
    """How much of the picture is missing in the photo.

    Where the background is kept: the share of the picture. Where it is replaced: the length along which the person ends
    at the photo's edge, by the picture's width.
    """
    beyond = _beyond(seen.pixels.shape[:2], seen.head.to_frame.then(way).inverse(), size)
    if document.changes == "none":
        return float(beyond.mean())
    person = person_in(seen.head, way, size) > 127
    ends = sum(
        int((person[near] & beyond[far]).sum())
        for near, far in (
            (np.s_[:-1], np.s_[1:]),
            (np.s_[:, 1:], np.s_[:, :-1]),
            (np.s_[:, :-1], np.s_[:, 1:]),
        )
    )
    return ends / size[0]


def _beyond(shape: tuple[int, int], to_photo: Similarity, size: tuple[int, int]) -> NDArray[np.bool_]:
    """Which pixels of a picture of that size lie beyond a photo of shape (height, width)."""
    columns, rows = np.meshgrid(np.arange(size[0]) + 0.5, np.arange(size[1]) + 0.5)
    places = to_photo(np.column_stack([columns.ravel(), rows.ravel()]))
    inside = (places >= 0).all(axis=1) & (places <= np.array([shape[1], shape[0]])).all(axis=1)
    return ~inside.reshape(size[1], size[0])
