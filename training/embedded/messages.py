"""What parent and child tell each other: the request as a JSON file, the answers as JSON lines."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from training.method import Method
from training.names import AdapterForm
from training.port import (
    Candidate,
    TrainedAdapter,
    TrainingPhase,
    TrainingPhoto,
    TrainingProgress,
    TrainingRequest,
)


class Message(BaseModel):
    """A frozen message that refuses unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class PhotoMessage(Message):
    """One photo; see TrainingPhoto."""

    path: Path
    box: tuple[int, int, int, int] | None
    caption: str


class RequestMessage(Message):
    """A TrainingRequest as JSON, with what belongs to the machine: threads for torch, None for its own choice."""

    photos: tuple[PhotoMessage, ...]
    checkpoint: Path
    instance_token: str
    class_noun: str
    output: Path
    work_folder: Path
    steps: int | None
    batch_size: int | None
    rank: int | None
    learning_rate: float | None
    seed: int
    method: Method
    threads: int | None

    @classmethod
    def of(cls, request: TrainingRequest, threads: int | None) -> RequestMessage:
        """The message for a request; relative paths become absolute."""
        return cls(
            photos=tuple(
                PhotoMessage(path=photo.path.absolute(), box=photo.box, caption=photo.caption)
                for photo in request.photos
            ),
            checkpoint=request.checkpoint.absolute(),
            instance_token=request.instance_token,
            class_noun=request.class_noun,
            output=request.output.absolute(),
            work_folder=request.work_folder.absolute(),
            steps=request.steps,
            batch_size=request.batch_size,
            rank=request.rank,
            learning_rate=request.learning_rate,
            seed=request.seed,
            method=request.method,
            threads=threads,
        )

    def request(self) -> TrainingRequest:
        """The request that it carries."""
        fields = {
            name: getattr(self, name) for name in type(self).model_fields if name not in {"photos", "threads"}
        }
        photos = tuple(TrainingPhoto(**photo.model_dump()) for photo in self.photos)
        return TrainingRequest(photos=photos, **fields)


class ProgressMessage(Message):
    """One line of progress; see TrainingProgress."""

    kind: Literal["progress"] = "progress"
    phase: TrainingPhase
    fraction: float
    step: int
    steps: int
    eta_seconds: float | None = None
    loss: float | None = None

    def progress(self) -> TrainingProgress:
        """The progress that it carries."""
        return TrainingProgress(**self.model_dump(exclude={"kind"}))


class DoneMessage(Message):
    """The last line of a training that went well; see TrainedAdapter."""

    kind: Literal["done"] = "done"
    path: Path
    sha256: str
    steps: int
    seconds: float
    final_loss: float | None
    candidates: tuple[Candidate, ...] = ()
    trigger: str | None = None
    form: AdapterForm = "lora"
    notes: tuple[str, ...] = ()

    def adapter(self) -> TrainedAdapter:
        """The adapter that it carries."""
        return TrainedAdapter(
            **{name: getattr(self, name) for name in type(self).model_fields if name != "kind"}
        )


class FailedMessage(Message):
    """The last line of a training that failed for a known reason; see TrainingFailed."""

    kind: Literal["failed"] = "failed"
    reason: str
    remedy: str


Answer = ProgressMessage | DoneMessage | FailedMessage
_ANSWERS: TypeAdapter[Answer] = TypeAdapter(Annotated[Answer, Field(discriminator="kind")])


def read_answer(line: str | bytes) -> Answer:
    """The message in one line of the child's output. Raises pydantic.ValidationError."""
    return _ANSWERS.validate_json(line)
