"""One living worker per executor id: two would run the same steps at the same time."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from studio.errors import ExecutorInUse


def is_held(folder: Path, executor_id: str) -> bool:
    """Whether a living worker holds the executor id on this data folder."""
    try:
        with executor_lock(folder, executor_id):
            return False
    except ExecutorInUse:
        return True


@contextmanager
def executor_lock(folder: Path, executor_id: str) -> Iterator[None]:
    """Hold the executor id for the length of the context; the system frees it however the process ends.

    Raises ExecutorInUse.
    """
    path = folder / f"worker-{executor_id}.lock"
    with path.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ExecutorInUse(executor_id, path) from error
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield
