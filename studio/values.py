"""The studio's values: frozen, JSON-ready, without addresses or translated text (the HTTP border adds both)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated, BinaryIO, Literal

from pydantic import BaseModel, ConfigDict, Field

LOCAL_OWNER = "local"
MAX_PHOTOS = 40
NEEDED_PHOTOS = 3
MAX_SEED = 2**32 - 1

Scalar = str | int | float | bool | None
Fitness = Literal["fit", "warning", "unfit"]
Measure = Literal["face", "colours"]
Fraction = Annotated[float, Field(ge=0, le=1)]


class Value(BaseModel):
    """A frozen value that refuses unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Status(StrEnum):
    """Where a job or training stands. The last three are final."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def final(self) -> bool:
        """Whether nothing will change any more without a new request."""
        return self in (Status.SUCCEEDED, Status.FAILED, Status.CANCELLED)


class Words(Value):
    """A short text in the two languages of the studio."""

    en: str
    ko: str

    def in_language(self, language: str) -> str:
        """The Korean text for "ko", else the English one."""
        return self.ko if language == "ko" else self.en


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadedFile:
    """A file as it came: the sender's name for it (untrusted, shown only) and an open binary stream."""

    filename: str
    stream: BinaryIO


class Reason(Value):
    """Why a photo is not (quite) fit. code, remedy: ReasonCode and Remedy of studio.intake.values; data: numbers."""

    code: str
    remedy: str
    data: dict[str, Scalar] = {}


class Photo(Value):
    """A kept photo: orientation applied, metadata stripped. width, height: pixels."""

    id: str
    subject_id: str
    filename: str
    width: int
    height: int
    status: Fitness
    reasons: tuple[Reason, ...]
    created_at: datetime


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
    """A learned identity. name: the LoRA's name on the server; trigger: the instance token; seconds: what it took."""

    id: str
    name: str
    trigger: str
    checkpoint: str
    created_at: datetime
    steps: int
    seconds: float
    demonstration: bool


class Failure(Value):
    """Why a job or training failed. stage, server: where, if it was at a stage or a server."""

    code: str
    message: str
    stage: str | None = None
    server: str | None = None


class TrainingOptions(Value):
    """What a caller may choose about a training; None leaves it to the trainer."""

    steps: Annotated[int, Field(ge=1, le=20000)] | None = None
    seed: Annotated[int, Field(ge=0, le=MAX_SEED)] = 0


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

    name: Annotated[str, Field(min_length=1, max_length=100)]
    class_noun: Literal["person", "woman", "man", "girl", "boy"] = "person"
    consent: bool


class JobOptions(Value):
    """What a caller may change about a preset. stages: overrides per stage name, checked against the preset.

    prompt, negative_prompt: added to the preset's own words. pose: id of a pose picture.
    """

    seed: Annotated[int, Field(ge=0, le=MAX_SEED)] | None = None
    prompt: Annotated[str, Field(max_length=2000)] = ""
    negative_prompt: Annotated[str, Field(max_length=2000)] = ""
    pose: Annotated[str, Field(max_length=64)] | None = None
    stages: dict[str, dict[str, Scalar]] = {}


class JobRequest(Value):
    """A request for count pictures by a preset, of a subject or of nobody in particular."""

    preset: Annotated[str, Field(min_length=1, max_length=64)]
    subject: Annotated[str, Field(max_length=64)] | None = None
    count: Annotated[int, Field(ge=1, le=16)] = 1
    options: JobOptions = JobOptions()


class StagePicture(Value):
    """What one stage made of one picture. name: in the preset; use: the kind of stage; seconds: at the server."""

    name: str
    use: str
    seconds: float
    width: int
    height: int


class Image(Value):
    """A finished picture. likeness: 0 to 1 by likeness_measure, None without a subject."""

    id: str
    job_id: str
    subject_id: str | None
    preset: str
    preset_title: Words
    seed: int
    width: int
    height: int
    likeness: float | None
    likeness_measure: Measure | None
    stages: tuple[StagePicture, ...]
    favourite: bool
    demonstration: bool
    prompt: str
    created_at: datetime


class UsedServer(Value):
    """The server that made a job's pictures (the last one, if they changed)."""

    url: str
    flavour: str
    version: str


class Job(Value):
    """One run of a preset. stage: name of the running stage. has_preview: whether a live preview can be read."""

    id: str
    preset: str
    preset_title: Words
    preset_version: str
    subject: str | None
    status: Status
    stage: str | None
    progress: Fraction
    eta_seconds: float | None
    count: int
    options: JobOptions
    images: tuple[Image, ...]
    error: Failure | None
    server: UsedServer | None
    demonstration: bool
    has_preview: bool
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


class JobQuery(Value):
    """Which jobs to list, newest first."""

    status: Status | None = None
    subject: str | None = None
    limit: Annotated[int, Field(ge=1, le=200)] = 50
    cursor: str | None = None


class ImageQuery(Value):
    """Which images to list, newest first. q: words that must appear in prompt or preset."""

    subject: str | None = None
    preset: str | None = None
    q: str | None = None
    favourite: bool | None = None
    limit: Annotated[int, Field(ge=1, le=200)] = 50
    cursor: str | None = None


class JobPage(Value):
    """Some jobs and the cursor to the next ones."""

    items: tuple[Job, ...]
    next: str | None


class ImagePage(Value):
    """Some images and the cursor to the next ones."""

    items: tuple[Image, ...]
    next: str | None


class Restored(Value):
    """What a dropped picture tells. source: whose words it carries. settings: A1111 infotext pairs as text."""

    source: Literal["sajin", "a1111"]
    preset: str | None
    subject: str | None
    options: JobOptions
    settings: dict[str, str]


class PresetOption(Value):
    """One thing a caller may change. stage: None for the whole job. choices: for kind "choice"."""

    key: str
    kind: Literal["integer", "number", "text", "choice", "picture"]
    default: Scalar
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()
    stage: str | None = None


class MissingPart(Value):
    """Something a preset needs and no server has."""

    kind: str
    name: str
    server: str


class PresetStage(Value):
    """A stage as the catalogue shows it. title: None where the preset gives none."""

    name: str
    use: str
    title: Words | None = None


class Preset(Value):
    """A product of the studio as the catalogue shows it. version: hash of its content."""

    name: str
    title: Words
    description: Words
    identity: Literal["lora", "instant", "none"]
    product: str
    version: str
    stages: tuple[PresetStage, ...]
    has_thumbnail: bool
    options: tuple[PresetOption, ...]
    available: bool
    missing: tuple[MissingPart, ...]


class PresetProblem(Value):
    """What is wrong in a preset or prompt file, and where. line: from 1, 0 if unknown."""

    file: str
    line: int
    key: str
    reason: str

    def sentence(self) -> str:
        """file:line: key: reason."""
        return f"{self.file}:{self.line}: {self.key}: {self.reason}"


class PresetCheck(Value):
    """The verdict on a preset text."""

    ok: bool
    problems: tuple[PresetProblem, ...]


class Pose(Value):
    """A picture whose pose a job may borrow. bundled: shipped with the studio, else uploaded."""

    id: str
    title: Words
    bundled: bool


class Server(Value):
    """A WebUI server as the worker last saw it. native_size: shorter side in pixels its checkpoint was made for."""

    url: str
    flavour: str
    version: str
    status: Literal["ready", "busy", "down"]
    checkpoint: str
    native_size: int
    demonstration: bool
    capabilities: dict[str, tuple[str, ...]]
    problem: str | None


class Running(Value):
    """A job or training under way. title: of the preset, or the subject's name."""

    kind: Literal["job", "training"]
    id: str
    subject: str | None
    title: Words
    progress: Fraction
    eta_seconds: float | None


class TrainingAvailability(Value):
    """Whether identities can be learned here. code: "ready" or why not, as TrainingUnavailable's reason."""

    available: bool
    code: str


class StudioStatus(Value):
    """What goes on, in one look. worker_alive: whether a worker gave a sign of life in the last seconds."""

    running: tuple[Running, ...]
    demonstration: bool
    training: TrainingAvailability
    worker_alive: bool
    version: str


class Readiness(Value):
    """Whether work would be done now. problems: codes such as "worker_not_running", "no_server"."""

    ready: bool
    problems: tuple[str, ...]
