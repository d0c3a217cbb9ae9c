"""What all values share: frozen JSON-ready models, statuses, texts in two languages."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, BinaryIO, Literal

from pydantic import BaseModel, ConfigDict, Field

LOCAL_OWNER = "local"
MAX_PHOTOS = 40
NEEDED_PHOTOS = 3
MAX_SEED = 2**32 - 1
NO_NUL = r"^[^\x00]*$"  # nobody means one, and PostgreSQL keeps none
ONE_LINE = r"^[^\x00-\x1f\x7f\u2028\u2029]*$"
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


class FailureCode(StrEnum):
    """Codes of failed work beyond those of the error trees of studio and webui_client."""

    TRAINING_FAILED = "training_failed"
    LIKENESS_NOT_REACHED = "likeness_not_reached"
    WORKER_CRASHED = "worker_crashed"
    INTERNAL_ERROR = "internal_error"


class Failure(Value):
    """Why a job or training failed. message: the technical account, in English.

    reason: the finer code of a "training_unavailable". stage, server: where, if it was at a stage or a server.
    """

    code: str
    message: str
    reason: str | None = None
    stage: str | None = None
    server: str | None = None
