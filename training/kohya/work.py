"""The folder a training works in: photos, epochs' files and states, kept over a crash, and never shared by two."""

from __future__ import annotations

import fcntl
import hashlib
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from training.errors import TrainingFailed
from training.kohya.arguments import State
from training.kohya.dataset import PHOTOS
from training.kohya.plan import Places

LOCK, KEY, WHOLE = "lock", "key", "whole"
LOCK_PATIENCE_SECONDS = 15.0

_STATE = re.compile(r"-(\d{6})-state$")
_EPOCH_FILE = re.compile(r"-(\d{6})\.safetensors$")


@dataclass(frozen=True, slots=True)
class WorkFolder:
    """The folder of one training."""

    root: Path

    @property
    def places(self) -> Places:
        """Where sd-scripts finds photos and leaves files."""
        return Places(self.root / PHOTOS, self.root / "dataset.toml", self.root / "output")

    @contextmanager
    def locked(self) -> Iterator[int]:
        """Hold the folder's lock; its descriptor, which processes that inherit it hold as well.

        A lock that another training holds is waited for: its processes may be about to end. Raises TrainingFailed.
        """
        self.root.mkdir(parents=True, exist_ok=True)
        with (self.root / LOCK).open("w") as lock:
            deadline = time.monotonic() + LOCK_PATIENCE_SECONDS
            while not _taken(lock.fileno()):
                if time.monotonic() > deadline:
                    raise TrainingFailed("The training is running already.", "Wait for it, or cancel it.")
                time.sleep(0.1)
            yield lock.fileno()

    def begin(self, key: str) -> None:
        """Make the folder ready; what was left by a training of another key is removed."""
        kept = self.root / KEY
        if not kept.is_file() or kept.read_text(encoding="utf-8") != key:
            shutil.rmtree(self.places.output, ignore_errors=True)
            kept.write_text(key, encoding="utf-8")
        self.places.output.mkdir(exist_ok=True)

    def mark_states(self, epoch: int, seconds: float) -> None:
        """Note that the states of earlier epochs than this one are whole: sd-scripts has gone on after writing them."""
        for number, folder in self._states():
            if number < epoch and not (folder / WHOLE).exists():
                (folder / WHOLE).write_text(str(seconds), encoding="utf-8")

    def newest_state(self) -> State | None:
        """The state of the latest epoch that is known to be whole."""
        whole = [state for state in self._states() if (state[1] / WHOLE).exists()]
        return State(epoch=whole[-1][0], folder=whole[-1][1]) if whole else None

    def seconds_until(self, state: State) -> float:
        """Spent until the state was noted as whole, in all runs."""
        return float((state.folder / WHOLE).read_text(encoding="utf-8"))

    def epoch_files(self) -> list[tuple[int, Path]]:
        """The files that epochs left, with the epoch's number, oldest first."""
        return self._numbered(_EPOCH_FILE)

    def _states(self) -> list[tuple[int, Path]]:
        return self._numbered(_STATE)

    def _numbered(self, pattern: re.Pattern[str]) -> list[tuple[int, Path]]:
        found = ((pattern.search(path.name), path) for path in sorted(self.places.output.iterdir()))
        return [(int(match.group(1)), path) for match, path in found if match]


def _taken(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def key_of(*parts: str, folder: Path) -> str:
    """A hash of everything a training depends on: the parts, and what the files of a folder hold."""
    digest = hashlib.sha256("\n".join(parts).encode())
    for path in sorted(folder.iterdir()):
        digest.update(path.name.encode() + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()
