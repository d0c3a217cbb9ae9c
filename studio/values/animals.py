"""Faces and animals: what is measured of a face, and how near it comes to each animal."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field

from studio.values.base import Fraction, Value, Words


class Traits(Value):
    """What stands out in a face, measured. Shares are of the face's width (across) or height (down).

    eye_droop: degrees by which the outer eye corners lie below the inner ones. eye_size: area of the eyes, percent of
    the face. eye_distance, jaw_width, nose_width, mouth_width: shares across. face_length: height by width.
    nose_length, brow_height: shares down. ear_visibility: 0 covered, about 1 wholly seen. hair_length: 0 above the
    eyes, 1 to the chin, at most 2. hair_volume: area of the hair by that of the face. hair_lightness, hair_redness:
    CIE L* (0 to 100) and a* of the hair.
    """

    eye_droop: float
    eye_size: float
    eye_distance: float
    face_length: float
    jaw_width: float
    nose_width: float
    nose_length: float
    mouth_width: float
    brow_height: float
    ear_visibility: float
    hair_length: float
    hair_volume: float
    hair_lightness: float
    hair_redness: float


class AnimalMatch(Value):
    """How near a face comes to an animal. nearness: 0 to 1 (the same features). reasons: shared ones, strongest first.

    rationale: what of the animal its features stand for. demonstrated: the demonstration model has learnt to draw it.
    """

    animal: str
    kind: str
    title: Words
    nearness: Fraction
    reasons: tuple[Words, ...]
    rationale: Words
    demonstrated: bool


class FacePhoto(Value):
    """The kept square around a person's head, from which jobs work. width, height: pixels.

    subject_id: the person, where it is one of the subjects; erasing the subject erases the photo.
    """

    id: str
    subject_id: str | None
    width: int
    height: int
    traits: Traits
    created_at: datetime


class FacePhotoQuery(Value):
    """Which face photos to list."""

    limit: Annotated[int, Field(ge=1, le=200)] = 50
    cursor: str | None = None


class FacePhotoPage(Value):
    """Face photos, newest first, and the cursor to the rest."""

    items: tuple[FacePhoto, ...]
    next: str | None


class LandmarkDistance(Value):
    """How far the landmarks of a finished picture are from those of the photo it was made from.

    found: whether landmarks fit a face in the picture; without, there are no distances. Distances are means over the
    mesh by the distance of the person's eyes. in_place: as both lie in their frames. in_shape: after turning, scaling
    and moving one onto the other, which leaves the features alone.
    """

    found: bool
    in_place: float | None = None
    in_shape: float | None = None
