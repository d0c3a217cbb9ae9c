"""What the API answers: the studio's values with addresses and texts in the caller's language."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

from studio.intake.coach import Duplicates, Wish
from studio.intake.looks import PhotoLook
from studio.values import (
    Adapter,
    AdviceCode,
    AnimationFormat,
    Consent,
    Counts,
    Description,
    JobOptions,
    PresetOption,
    Redo,
    Scalar,
    Status,
    TrainerName,
    Traits,
    UsedServer,
)


class Answer(BaseModel):
    """A frozen response body."""

    model_config = ConfigDict(frozen=True)


class SetVerdictAnswer(Answer):
    """Whether the photos suffice for learning, in a code and in words."""

    enough: bool
    fit: int
    needed: int
    code: str
    message: str


class ReasonAnswer(Answer):
    """Why a photo is not (quite) fit, and what helps."""

    code: str
    message: str
    remedy: str


class PhotoAnswer(Answer):
    """A kept photo with its verdict."""

    id: str
    subject_id: str
    filename: str
    width: int
    height: int
    status: Literal["fit", "warning", "unfit"]
    reasons: list[ReasonAnswer]
    look: PhotoLook | None
    caption: str
    own_caption: bool
    url: str
    thumbnail_url: str
    created_at: datetime


class RefusedAnswer(Answer):
    """A file that was not kept, and why."""

    filename: str
    code: str
    message: str


class PhotosAnswer(Answer):
    """The photos of a subject (or those just added), what was refused, and the verdict on the whole set."""

    items: list[PhotoAnswer]
    refused: list[RefusedAnswer]
    set: SetVerdictAnswer


class KindAnswer(Answer):
    """How many usable photos show one kind, and how many of about ten are wanted."""

    code: str
    title: str
    count: int
    wanted: int


class CoverageAnswer(Answer):
    """What the usable photos show in one respect: angles, expressions, lights or framings."""

    code: str
    title: str
    kinds: list[KindAnswer]


class CoachAnswer(Answer):
    """What a set of photos covers and what one more would help most, in codes and in words.

    message: the one sentence to follow. hints: what else is to be said, most often nothing. wish: null when nothing is
    missing. strangers, duplicates: ids of photos.
    """

    usable: int
    recommended: int
    sharp: int
    message: str
    hints: list[str]
    wish: Wish | None
    coverage: list[CoverageAnswer]
    strangers: list[str]
    duplicates: list[Duplicates]


class FailureAnswer(Answer):
    """Why a job or a training failed and what to do; stage and server tell where.

    details: the technical account, in English whatever the language asked for.
    """

    code: str
    message: str
    remedy: str
    details: str
    stage: str | None
    server: str | None


class TrainingAnswer(Answer):
    """One run of the trainer."""

    id: str
    subject_id: str
    trainer: str
    status: Status
    phase: str
    phase_text: str
    progress: float
    eta_seconds: float | None
    step: int
    steps: int
    error: FailureAnswer | None
    adapter: Adapter | None
    created_at: datetime
    finished_at: datetime | None
    demonstration: bool


class TrainingsAnswer(Answer):
    """A subject's trainings, newest first."""

    items: list[TrainingAnswer]
    next: str | None


MarkCode = Literal["likeness", "diversity", "obedience", "leak"]


class MarkAnswer(Answer):
    """One mark of a report. value: 0 to 1; text: what it says in words."""

    code: MarkCode
    title: str
    value: float
    text: str


class ReportPictureAnswer(Answer):
    """A validation picture. asked: the words for background and clothes that it was asked to have."""

    id: str
    url: str
    asked: str
    likeness: float
    obedience: float | None
    leak: float


class ReportPointAnswer(Answer):
    """A candidate at one LoRA weight; see Adapter for what is used."""

    steps: int
    weight: float
    chosen: bool
    score: float
    likeness: float
    likeness_spread: float
    diversity: float
    obedience: float
    leak: float
    pictures: list[ReportPictureAnswer]


class AdviceAnswer(Answer):
    """What would help most at the next training. data: numbers of the message."""

    code: AdviceCode
    message: str
    data: dict[str, Scalar]


class ReportAnswer(Answer):
    """How good what was learned is. steps, weight: chosen. marks: of the chosen candidate, none if nothing was scored.

    points: the candidates at one weight, oldest first, then the best one at others.
    """

    training_id: str
    subject_id: str
    steps: int
    weight: float | None
    measure: Literal["face", "colours"] | None
    summary: str
    marks: list[MarkAnswer]
    points: list[ReportPointAnswer]
    advice: AdviceAnswer
    failure: FailureAnswer | None


class SubjectAnswer(Answer):
    """A person to be learned."""

    id: str
    name: str
    class_noun: str
    consent: Consent
    state: Literal["photos", "learning", "ready", "failed"]
    photos: Counts
    set: SetVerdictAnswer
    adapter: Adapter | None
    training: TrainingAnswer | None
    cover_url: str | None
    created_at: datetime


class SubjectsAnswer(Answer):
    """All subjects, newest first."""

    items: list[SubjectAnswer]
    next: str | None


class StagePictureAnswer(Answer):
    """What one stage made of an image."""

    name: str
    use: str
    url: str
    seconds: float
    width: int
    height: int


class AnimationAnswer(Answer):
    """What an animation is and how well it moves, in numbers and words.

    flicker: mean change, in levels of 255, of what stands still. seam: the change from the last frame to the first, in
    changes between neighbours. url: its files, with their sizes.
    """

    frames: int
    fps: float
    seconds: float
    repaired: int
    repaired_text: str
    flicker: float
    flicker_text: str
    seam: float
    seam_text: str
    url: str


class AnimationFileAnswer(Answer):
    """An animation in one format."""

    format: AnimationFormat
    bytes: int
    url: str


class AnimationFilesAnswer(Answer):
    """An animation in every format."""

    items: list[AnimationFileAnswer]
    next: str | None


class ImageAnswer(Answer):
    """A finished picture, or an animation (whose file is an animated PNG)."""

    id: str
    job_id: str
    subject_id: str | None
    preset: str
    preset_title: str
    seed: int
    width: int
    height: int
    likeness: float | None
    likeness_measure: Literal["face", "colours"] | None
    likeness_text: str | None
    animation: AnimationAnswer | None
    url: str
    thumbnail_url: str
    stages: list[StagePictureAnswer]
    described: Description | None
    recipe_url: str
    favourite: bool
    demonstration: bool
    alt: str
    created_at: datetime


class ImagesAnswer(Answer):
    """Some images and the cursor to the next ones."""

    items: list[ImageAnswer]
    next: str | None


class PromiseAnswer(Answer):
    """How a job with a likeness bar stands: pictures made, and how many of them reached the bar and are delivered.

    nearest: the highest likeness of the others; nearest_url: that picture, to look at. message: all of it in words.
    """

    bar: float
    made: int
    reached: int
    nearest: float | None
    nearest_url: str | None
    message: str


class JobAnswer(Answer):
    """One run of a preset. promise: where a likeness was asked for."""

    id: str
    preset: str
    preset_title: str
    preset_version: str
    subject: str | None
    status: Status
    stage: str | None
    progress: float
    eta_seconds: float | None
    count: int
    options: JobOptions
    images: list[ImageAnswer]
    promise: PromiseAnswer | None
    error: FailureAnswer | None
    server: UsedServer | None
    demonstration: bool
    redo: Redo
    preview_url: str | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


class JobsAnswer(Answer):
    """Some jobs and the cursor to the next ones."""

    items: list[JobAnswer]
    next: str | None


class RestoredAnswer(Answer):
    """What a dropped picture tells: enough to ask for the same again."""

    source: Literal["sajin", "a1111"]
    preset: str | None
    subject: str | None
    options: JobOptions
    settings: dict[str, str]


class PresetStageAnswer(Answer):
    """A stage as the catalogue shows it."""

    name: str
    use: str
    title: str


class MissingAnswer(Answer):
    """Something a preset needs and no server has. server: the first that lacks it. stage: that needs it."""

    kind: str
    name: str
    server: str
    stage: str
    message: str


class PresetAnswer(Answer):
    """A product of the studio."""

    name: str
    title: str
    description: str
    identity: Literal["lora", "instant", "none"]
    product: str
    version: str
    stages: list[PresetStageAnswer]
    thumbnail_url: str | None
    options: list[PresetOption]
    available: bool
    missing: list[MissingAnswer]
    left_out: list[MissingAnswer]


class PresetsAnswer(Answer):
    """The catalogue."""

    items: list[PresetAnswer]
    next: str | None


class ProductAnswer(Answer):
    """A product of the start page. presets: those that make it, none for what needs no server.

    reason: why it cannot be made now, in words; null where available.
    """

    name: str
    title: str
    description: str
    thumbnail_url: str | None
    presets: list[str]
    available: bool
    reason: str | None


class ProductsAnswer(Answer):
    """The products, in the order of the start page."""

    items: list[ProductAnswer]
    next: str | None


class ToneAnswer(Answer):
    """A film look that a job may choose (option "tone")."""

    name: str
    title: str
    description: str


class TonesAnswer(Answer):
    """The tones."""

    items: list[ToneAnswer]
    next: str | None


class PresetProblemAnswer(Answer):
    """What is wrong in a preset text; line counts from 1, 0 if unknown."""

    line: int
    key: str
    message: str


class PresetCheckAnswer(Answer):
    """The verdict on a preset text."""

    ok: bool
    problems: list[PresetProblemAnswer]


class PoseAnswer(Answer):
    """A picture whose pose a job may borrow."""

    id: str
    title: str
    url: str
    bundled: bool


class PosesAnswer(Answer):
    """The pose pictures: those shipped, then one's own."""

    items: list[PoseAnswer]
    next: str | None


class AnimalAnswer(Answer):
    """An animal a face can be likened to. rationale: what of it its features stand for.

    demonstrated: the demonstration model has learnt to draw it.
    """

    name: str
    kind: Literal["dog", "other"]
    title: str
    rationale: str
    demonstrated: bool


class AnimalsAnswer(Answer):
    """The animals there are."""

    items: list[AnimalAnswer]
    next: str | None


class AnimalMatchAnswer(AnimalAnswer):
    """An animal, and how near a face comes to it. nearness: 0 to 1. reasons: what both share, the strongest first."""

    nearness: float
    reasons: list[str]


class AnimalMatchesAnswer(Answer):
    """Every animal, the one most like the face first."""

    items: list[AnimalMatchAnswer]
    next: str | None


class FacePhotoAnswer(Answer):
    """The kept square around a person's head, and what was measured of the face."""

    id: str
    subject_id: str | None
    width: int
    height: int
    traits: Traits
    url: str
    created_at: datetime


class FacePhotosAnswer(Answer):
    """Face photos, newest first."""

    items: list[FacePhotoAnswer]
    next: str | None


class LandmarksAnswer(Answer):
    """How far an image's landmarks are from those of the face photo it was made from.

    found: whether a face was found in the image; without, the distances are null. in_place, in_shape: mean distances by
    the distance of the eyes, as the faces lie, and after laying one onto the other. url: the picture that shows both.
    """

    found: bool
    in_place: float | None
    in_shape: float | None
    message: str
    url: str


class RangeAnswer(Answer):
    """From min to max, in mm."""

    min: float
    max: float


class DocumentSourceAnswer(Answer):
    """Who set the rule, where it stands, and its date; url is null for a custom that no authority has set down."""

    authority: str
    url: str | None
    date: str


class IdDocumentAnswer(Answer):
    """A document's rule. Lengths are mm; eyes are measured from the lower edge, top from the upper one.

    width_px, height_px: at the document's own dpi. least_bytes, most_bytes: of the file, null without a limit.
    changes: "none" (turned and cut only), "background" or "retouch". unchecked: the parts of the rule that could not be
    compared with the authority's own page; unchecked_text says so in words, null when everything was.
    """

    name: str
    title: str
    country: str
    kind: str
    width: float
    height: float
    dpi: int
    width_px: int
    height_px: int
    head: RangeAnswer
    eyes: RangeAnswer | None
    top: RangeAnswer | None
    background: list[str]
    background_tolerance: float
    least_bytes: int | None
    most_bytes: int | None
    changes: Literal["none", "background", "retouch"]
    changes_text: str
    expression: Literal["neutral", "free"]
    source: DocumentSourceAnswer
    unchecked: list[str]
    unchecked_text: str | None
    notes: str | None


class IdDocumentsAnswer(Answer):
    """The documents whose rules are known."""

    items: list[IdDocumentAnswer]
    next: str | None


class FindingAnswer(Answer):
    """One measured value beside its rule.

    text: what was measured, with the value and its limits. remedy: how to retake when it failed, else null.
    """

    code: str
    passed: bool
    value: float
    unit: str
    least: float | None
    most: float | None
    title: str
    text: str
    remedy: str | None


class IdPhotoAnswer(Answer):
    """An ID photo with its check, or with made false the check of a photo as it was sent.

    url: the photo's file, null for a check. check_url: the picture that shows the check. passed: whether every value
    keeps its rule. dpi, file_bytes: null for a check.
    """

    id: str
    made: bool
    document: str
    title: str
    subject_id: str | None
    width: int
    height: int
    width_mm: float
    height_mm: float
    dpi: int | None
    file_bytes: int | None
    passed: bool
    message: str
    findings: list[FindingAnswer]
    url: str | None
    check_url: str
    created_at: datetime


class IdPhotosAnswer(Answer):
    """ID photos and checks, newest first."""

    items: list[IdPhotoAnswer]
    next: str | None


class ServerAnswer(Answer):
    """A WebUI server as the worker last saw it.

    status: resting is left alone until retry_at, after failures runs in a row that went wrong; drained takes no new
    work and runs none. takes_work: false from the moment it is drained, which the worker follows within seconds.
    speed: pixels times steps a second, a moving average; null until measured.
    problem: why it is down or rests, and what to do. problem_code: the same for programs. details: the technical
    account, in English whatever the language asked for.
    """

    url: str
    flavour: str
    version: str
    status: Literal["ready", "busy", "resting", "drained", "down"]
    takes_work: bool
    speed: float | None
    failures: int
    retry_at: datetime | None
    checkpoint: str
    native_size: int
    demonstration: bool
    capabilities: dict[str, list[str]]
    problem_code: str | None
    problem: str | None
    details: str
    seen_at: datetime


class ServersAnswer(Answer):
    """The WebUI servers in use."""

    items: list[ServerAnswer]
    next: str | None


class RunningAnswer(Answer):
    """A job or training under way, in one line."""

    kind: Literal["job", "training"]
    id: str
    subject: str | None
    text: str
    progress: float
    eta_seconds: float | None


class TrainingAvailabilityAnswer(Answer):
    """Whether identities can be learned here by the usual trainer, and if not, why; trainers: all that could learn.

    checkpoint: the one they would be learned on, or "".
    """

    available: bool
    code: str
    checkpoint: str
    message: str
    trainer: TrainerName
    trainers: list[TrainerName]


class StatusAnswer(Answer):
    """What goes on, in one look."""

    running: list[RunningAnswer]
    demonstration: bool
    connect_hint: str | None
    training: TrainingAvailabilityAnswer
    worker_alive: bool
    version: str


class HealthAnswer(Answer):
    """The API process answers."""

    status: Literal["ok"]


class ReadyProblemAnswer(Answer):
    """One reason why a job would wait."""

    code: str
    message: str


class ReadyAnswer(Answer):
    """Whether a job sent now would be worked on."""

    ready: bool
    problems: list[ReadyProblemAnswer]


class FieldProblem(Answer):
    """What is wrong with one field of a request."""

    place: str
    message: str


class Problem(Answer):
    """An error as RFC 9457 describes it. code is stable; title and detail are in the caller's language."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    instance: str
    errors: list[FieldProblem]
