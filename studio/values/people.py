"""Subjects, their photos, and what was learned of them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from studio.intake.captions import LONGEST_CAPTION
from studio.intake.looks import PhotoLook
from studio.values.base import (
    MAX_SEED,
    NEEDED_PHOTOS,
    NO_NUL,
    ONE_LINE,
    Failure,
    Fitness,
    Fraction,
    Scalar,
    Status,
    Value,
)
from training.method import Method
from training.names import AdapterForm, TrainerName


class Reason(Value):
    """Why a photo is not (quite) fit. code, remedy: ReasonCode and Remedy of studio.intake.values; data: numbers."""

    code: str
    remedy: str
    data: dict[str, Scalar] = Field(default_factory=dict)


class Photo(Value):
    """A kept photo: orientation applied, metadata stripped. width, height: pixels.

    look: what it shows, None where no head was measured. caption: what varies in it, in the words that a training gets;
    own_caption: whether its owner wrote them.
    """

    id: str
    subject_id: str
    filename: str
    width: int
    height: int
    status: Fitness
    reasons: tuple[Reason, ...]
    look: PhotoLook | None
    caption: str
    own_caption: bool
    created_at: datetime


class NewCaption(Value):
    """Words for a photo, in one line; None for the automatic ones. "" is a caption as well: it says nothing."""

    caption: Annotated[str, Field(max_length=LONGEST_CAPTION, pattern=ONE_LINE)] | None


class RefusedFile(Value):
    """An upload that was not kept, and why."""

    filename: str
    code: str
    detail: str


class SetVerdict(Value):
    """Whether the photos suffice for a training. code: what to do next, such as "add_photos" or "enough"."""

    enough: bool
    fit: int
    needed: int = NEEDED_PHOTOS
    code: str


class PhotosAdded(Value):
    """The outcome of an upload: every file is either in items or in refused."""

    items: tuple[Photo, ...]
    refused: tuple[RefusedFile, ...]
    set: SetVerdict


class PhotoSet(Value):
    """All photos of a subject with the verdict on the set."""

    items: tuple[Photo, ...]
    set: SetVerdict


class Consent(Value):
    """When the consent was given, and to which wording."""

    given_at: datetime
    version: str


class Counts(Value):
    """How many photos there are, and how many of them are fit."""

    total: int
    fit: int


class Adapter(Value):
    """A learned identity. name: the LoRA's name on the server; trigger: the instance token; seconds: what it took.

    weight: the LoRA weight that was found best and is used where a preset sets none; None where none was looked for.
    form: "embedding" or "checkpoint" for what is no LoRA. notes: what went otherwise than planned.
    """

    id: str
    name: str
    trigger: str
    checkpoint: str
    created_at: datetime
    steps: int
    seconds: float
    weight: float | None
    form: AdapterForm
    notes: tuple[str, ...]
    demonstration: bool


class TrainingOptions(Value):
    """What a caller may choose about a training; None leaves it to the trainer, or the trainer to the settings.

    method: of Sajin's own trainer alone.
    """

    trainer: TrainerName | None = None
    steps: Annotated[int, Field(ge=1, le=20000)] | None = None
    seed: Annotated[int, Field(ge=0, le=MAX_SEED)] = 0
    method: Method | None = None


class Training(Value):
    """One run of the trainer. phase: of training.port.TrainingPhase, "" before it starts."""

    id: str
    subject_id: str
    trainer: str
    status: Status
    phase: str
    progress: Fraction
    eta_seconds: float | None
    step: int
    steps: int
    error: Failure | None
    adapter: Adapter | None
    created_at: datetime
    finished_at: datetime | None
    demonstration: bool


class Subject(Value):
    """The person to be learned. cover_photo: id of the photo to show, None without a fit one."""

    id: str
    name: str
    class_noun: str
    consent: Consent
    state: Literal["photos", "learning", "ready", "failed"]
    photos: Counts
    set: SetVerdict
    adapter: Adapter | None
    training: Training | None
    cover_photo: str | None
    created_at: datetime


class NewSubject(Value):
    """A request to create a subject. name: shown only. consent: must be true."""

    name: Annotated[str, Field(min_length=1, max_length=100, pattern=NO_NUL)]
    class_noun: Literal["person", "woman", "man", "girl", "boy"] = "person"
    consent: bool
