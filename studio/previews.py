"""Live previews of running jobs: one small file per job, replaced whole.

A preview costs the server time, so it is made only while somebody looks: who looks leaves a mark, which fades.
"""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from studio.store import storage_errors, write_whole

MARK_SECONDS = 15.0


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

    def want(self, job_id: str) -> None:
        """Note that somebody looks at the job now. Raises StorageError."""
        with storage_errors(str(self.folder)):
            self.folder.mkdir(parents=True, exist_ok=True)
            self._mark(job_id).touch()

    def wanted(self, job_id: str) -> bool:
        """Whether somebody looked at the job within MARK_SECONDS."""
        try:
            return time.time() - self._mark(job_id).stat().st_mtime < MARK_SECONDS
        except OSError:
            return False

    def forget(self, job_id: str) -> None:
        """Take the preview down; one that cannot be erased is not shown any more either, its job being over."""
        for file in (self.file(job_id), self._mark(job_id)):
            with suppress(OSError):
                file.unlink()

    def _mark(self, job_id: str) -> Path:
        return self.folder / f"{job_id}.wanted"
