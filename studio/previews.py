"""Live previews of running jobs: one small file per job, replaced whole."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from studio.store import write_whole


@dataclass(frozen=True, slots=True, kw_only=True)
class Previews:
    """The previews in one local folder."""

    folder: Path

    def file(self, job_id: str) -> Path:
        """Where a job's preview is, if it is there. job_id: one of ours, never a user's text."""
        return self.folder / job_id

    def show(self, job_id: str, picture: bytes) -> None:
        """Put up a new preview. Raises StorageError."""
        write_whole(self.file(job_id), picture, self.folder / "tmp", durable=False)

    def forget(self, job_id: str) -> None:
        """Take the preview down; one that cannot be erased is not shown any more either, its job being over."""
        with suppress(OSError):
            self.file(job_id).unlink()
