"""What is remembered of a training that a server was asked for, so that nobody asks for it twice."""

from __future__ import annotations

import os
import time
import uuid
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

FILE = "attempt.json"


class Attempt(BaseModel):
    """One training asked of one server.

    user_id: EasyPhoto's name for it, made anew for every attempt, and of nobody. server: its URL. app_id: what the
    server called its own run, None where it does not tell. began_at: seconds since 1970. steps: to be made.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    user_id: str
    server: str
    app_id: int | None
    began_at: float
    steps: int

    @property
    def seconds(self) -> float:
        """Since it began."""
        return max(0.0, time.time() - self.began_at)

    def keep(self, folder: Path) -> None:
        """Write it into folder, whole, before the server is asked."""
        folder.mkdir(parents=True, exist_ok=True)
        partial = folder / f".{FILE}.partial"
        with partial.open("w", encoding="utf-8") as stream:
            stream.write(self.model_dump_json())
            stream.flush()
            os.fsync(stream.fileno())
        partial.replace(folder / FILE)


def kept_attempt(folder: Path) -> Attempt | None:
    """The attempt that an earlier run left in folder; None if there is none that can be read."""
    try:
        return Attempt.model_validate_json((folder / FILE).read_bytes())
    except (FileNotFoundError, ValidationError):
        return None


def forget_attempt(folder: Path) -> None:
    """Remove what was kept in folder, so that the next call asks anew."""
    (folder / FILE).unlink(missing_ok=True)


def new_user_id() -> str:
    """An id that no server has seen."""
    return f"sajin-{uuid.uuid4().hex[:16]}"
