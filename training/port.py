"""The Trainer port: what every way of teaching an identity takes, reports and yields."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from training.method import Method
from training.names import AdapterForm


class TrainingPhase(StrEnum):
    """Where a training stands, in the order it happens."""

    PREPARING = "preparing"
    CACHING = "caching"
    LEARNING = "learning"
    SAVING = "saving"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingPhoto:
    """One fit photo.

    box: the face in pixels of the picture, left, top, right, bottom, or None if unknown. caption: what varies from
    photo to photo (attire, background, expression, framing) in words with commas between; "" if nobody said. A trainer
    that learns from general captions leaves it aside.
    """

    path: Path
    box: tuple[int, int, int, int] | None
    caption: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingRequest:
    """What is to be learned, on what, and where the result goes.

    checkpoint: a diffusers folder or a single file. instance_token: the rare word that will mean this person.
    class_noun: "person", "woman", "man" … output: the safetensors file to write, replaced whole or not at all.
    work_folder: for resumable state; survives a crash and a cancel, and is removed when output is written. Who cancels
    for good removes it.
    steps, batch_size, rank: of the LoRA training; None leaves the choice to the trainer, which meets steps as nearly as
    it can. seed: repeats the run. method: of Sajin's own trainer; the others have one way each.
    """

    photos: tuple[TrainingPhoto, ...]
    checkpoint: Path
    instance_token: str
    class_noun: str
    output: Path
    work_folder: Path
    steps: int | None = None
    batch_size: int | None = None
    rank: int | None = None
    learning_rate: float | None = None
    seed: int = 0
    method: Method = field(default_factory=Method)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingProgress:
    """How far a training is.

    fraction: 0 to 1 of the whole. steps: 0 where the trainer does not tell its steps; fraction and eta_seconds are then
    estimates by the clock. eta_seconds: else measured, None until it can be known. loss: of the last steps, smoothed.
    """

    phase: TrainingPhase
    fraction: float
    step: int
    steps: int
    eta_seconds: float | None = None
    loss: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """The adapter as it was after so many steps, a whole file of its own. sha256: of the file, hexadecimal."""

    path: Path
    sha256: str
    steps: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainedAdapter:
    """A finished adapter file. sha256: of the file, hexadecimal. steps, seconds: what it took.

    candidates: earlier states, oldest first, beside path; they stay until the caller removes them. trigger: the words
    that call the person where the trainer has its own; None: the request's instance token. form: what
    kind of file it is. notes: what went otherwise
    than planned, one sentence each.
    """

    path: Path
    sha256: str
    steps: int
    seconds: float
    final_loss: float | None
    candidates: tuple[Candidate, ...] = ()
    trigger: str | None = None
    form: AdapterForm = "lora"
    notes: tuple[str, ...] = ()


class Trainer(Protocol):
    """Teaches one identity. Safe to call again after a crash: it resumes or restarts cleanly."""

    @property
    def name(self) -> str:
        """The trainer's stable name, a TrainerName for those the studio knows."""

    def train(
        self,
        request: TrainingRequest,
        on_progress: Callable[[TrainingProgress], None],
        cancelled: Callable[[], bool],
    ) -> TrainedAdapter:
        """Train and return the adapter.

        Raises training.errors.TrainingCancelled when cancelled() turns true, TrainingFailed(reason, remedy) otherwise.
        """
