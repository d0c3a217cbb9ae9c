"""Jobs, images, and how to ask for them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from studio.intake.captions import LONGEST_CAPTION as LONGEST_DESCRIPTION
from studio.values.base import (
    MAX_SEED,
    NO_NUL,
    ONE_LINE,
    Failure,
    Fraction,
    Measure,
    Scalar,
    Status,
    Value,
    Words,
)

MOST_CANDIDATES = 64
LikenessBar = Annotated[float, Field(gt=0, le=1)]
LikenessBudget = Annotated[int, Field(ge=1, le=MOST_CANDIDATES)]


class JobOptions(Value):
    """What a caller may change about a preset. stages: overrides per stage name, checked against the preset.

    prompt, negative_prompt: added to the preset's own words. pose: id of a pose picture. photo: id of a face photo, for
    presets that work from one. image: id of a finished picture, for presets that animate one. animal: name of one, for
    presets that name one; None takes the nearest to the photo. reference: id of an image or of an own pose picture that
    the composition takes after, for presets that take one; None has one made. description: the words to say of it; None
    has them read from it.
    likeness_bar: only pictures of at least this likeness are delivered. likeness_budget: how many may be made for that;
    None allows several for each picture.
    tone: name of one, for presets with a stage that takes it. loras: style LoRAs of the server beside the preset's own,
    as "name:weight, name:weight"; a stage's override of the same name takes the place of its own.
    """

    seed: Annotated[int, Field(ge=0, le=MAX_SEED)] | None = None
    prompt: Annotated[str, Field(max_length=2000, pattern=NO_NUL)] = ""
    negative_prompt: Annotated[str, Field(max_length=2000, pattern=NO_NUL)] = ""
    pose: Annotated[str, Field(max_length=64)] | None = None
    photo: Annotated[str, Field(max_length=64)] | None = None
    image: Annotated[str, Field(max_length=64)] | None = None
    animal: Annotated[str, Field(max_length=64)] | None = None
    reference: Annotated[str, Field(max_length=64)] | None = None
    description: Annotated[str, Field(max_length=LONGEST_DESCRIPTION, pattern=ONE_LINE)] | None = None
    likeness_bar: LikenessBar | None = None
    likeness_budget: LikenessBudget | None = None
    tone: Annotated[str, Field(max_length=64)] | None = None
    loras: Annotated[str, Field(max_length=1000, pattern=NO_NUL)] = ""
    stages: dict[str, dict[str, Scalar]] = Field(default_factory=dict)


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


class Movement(Value):
    """What an animation is and how well it moves; see studio.animation.measures for the numbers.

    frames, fps: of the animation. repaired: frames whose face was painted anew. flicker: mean change in levels of 255
    of what stands still. seam: change from the last frame to the first, in changes between neighbours.
    """

    frames: int
    fps: float
    repaired: int
    flicker: float
    seam: float


AnimationFormat = Literal["gif", "mp4", "webp", "apng"]
LEAST_BUDGET_KB = 16


class AnimationQuery(Value):
    """How an animation is written. fps: frames a second; its own if left out. budget_kb: most 1000 bytes of a GIF."""

    fps: Annotated[int, Field(ge=1, le=50)] | None = None
    budget_kb: Annotated[int, Field(ge=LEAST_BUDGET_KB, le=100_000)] | None = None


class AnimationFile(Value):
    """An animation in one format."""

    format: AnimationFormat
    bytes: int


class Description(Value):
    """The words for expression, clothes and background of a reference.

    by: a server's captioner ("interrogate"), our own ("sajin"), or the job's order.
    """

    words: str
    by: Literal["interrogate", "sajin", "order"]


class Image(Value):
    """A finished picture, or an animation; likeness is then its first frame's. likeness: 0 to 1 by likeness_measure,
    None without a subject. described: how its reference was described, None where it has none.
    """

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
    movement: Movement | None = None
    stages: tuple[StagePicture, ...]
    described: Description | None
    favourite: bool
    demonstration: bool
    prompt: str
    created_at: datetime


class UsedServer(Value):
    """The server that made a job's pictures (the last one, if they changed)."""

    url: str
    flavour: str
    version: str


Redo = Literal["none", "learning", "ready"]


class Promise(Value):
    """How a job stands that delivers only pictures from a bar of likeness on.

    made: pictures so far; reached: those of them that are delivered. nearest: the highest likeness among the others,
    None where there is none.
    """

    bar: LikenessBar
    made: int
    reached: int
    nearest: Fraction | None


class Job(Value):
    """One run of a preset. stage: name of the running stage. has_preview: whether a live preview can be read.

    redo: whether a job that took its face from a photo can be made again with what was learned of the person: "ready",
    "learning" while that is still being learned, "none" where there is nothing to wait for. promise: where a likeness
    was asked for.
    """

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
    promise: Promise | None
    error: Failure | None
    server: UsedServer | None
    demonstration: bool
    redo: Redo
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
