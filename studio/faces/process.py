"""Face work in a child process: it starts at the first use and ends when idle, so that its memory is not held.

A crash of the libraries in it (they are native code that sees strangers' pictures) leaves the caller standing.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from multiprocessing import Pipe
from pathlib import Path
from types import TracebackType
from typing import IO, TYPE_CHECKING, Any, Self

from studio.faces.errors import FaceWorkFailed
from studio.faces.values import Box, Embedding, Likeness, PhotoFindings, Resemblance, Surroundings

if TYPE_CHECKING:
    from studio.faces.portrait import Portrait

TRIES = 2
ROOT = Path(__file__).resolve().parents[2]
LOG_TAIL = 2000


class _Child:
    """One running child and the connection to it. Its output goes to a temporary file."""

    def __init__(self, python: str) -> None:
        self._log: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 (closed by end)
        self._connection, theirs = Pipe()
        command = [python, "-m", "studio.faces.child", str(theirs.fileno())]
        self._process = subprocess.Popen(
            command,
            cwd=ROOT,
            pass_fds=(theirs.fileno(),),
            stdout=self._log,
            stderr=self._log,
            stdin=subprocess.DEVNULL,
        )
        theirs.close()

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def ask(self, task: str, arguments: tuple[Any, ...], timeout_seconds: float) -> Any:
        """The answer. Raises what the task raised, EOFError or OSError if the child died, TimeoutError if it hangs."""
        self._connection.send((task, arguments))
        if not self._connection.poll(timeout_seconds):
            raise TimeoutError(f"no answer within {timeout_seconds:g} s")
        done, result = self._connection.recv()
        if not done:
            raise _Raised(result)
        return result

    def end(self) -> str:
        """Stop it, whatever it does; the end of what it printed."""
        self._connection.close()
        self._process.kill()
        self._process.wait()
        self._log.seek(0)
        text = self._log.read().decode(errors="replace")
        self._log.close()
        return text[-LOG_TAIL:]


class _Raised(Exception):
    """Carries an exception of the task itself past those of the transport."""

    def __init__(self, error: BaseException) -> None:
        super().__init__(str(error))
        self.error = error


class FaceProcess:
    """Face work done in one child process at a time. Safe to call from many threads, which then wait their turn.

    idle_seconds: after so long without work the child is ended. timeout_seconds: after so long a task counts as hung.
    Every method raises FaceWorkFailed when the child died or hung twice over the same task.
    """

    def __init__(
        self, idle_seconds: float = 60.0, timeout_seconds: float = 60.0, python: str = sys.executable
    ) -> None:
        self._idle_seconds, self._timeout_seconds, self._python = idle_seconds, timeout_seconds, python
        self._turn = threading.RLock()
        self._child: _Child | None = None
        self._idle: threading.Timer | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def pid(self) -> int | None:
        """The process id of the child, None while there is none."""
        child = self._child
        return child.pid if child else None

    def check(self, picture: bytes) -> PhotoFindings:
        """What is found in a clean picture; see studio.faces.check."""
        findings: PhotoFindings = self._ask("check", picture)
        return findings

    def embedding(self, picture: bytes) -> Embedding | None:
        """The embedding of the main face, None without one."""
        embedding: Embedding | None = self._ask("embedding", picture)
        return embedding

    def likeness(self, image: bytes, references: Sequence[bytes]) -> Likeness:
        """How much image resembles references; see studio.faces.likeness. Raises ValueError without references."""
        found: Likeness = self._ask("likeness", image, tuple(references))
        return found

    def frame_faces(self, animation: bytes) -> tuple[Box | None, ...]:
        """Where the main face is in each frame of an animated PNG; see studio.faces.frames."""
        found: tuple[Box | None, ...] = self._ask("frame_faces", animation)
        return found

    def portrait(self, picture: bytes) -> Portrait:
        """The head of the main face, seen upright; see studio.faces.portrait."""
        seen: Portrait = self._ask("portrait", picture)
        return seen

    def resemblance(self, image: bytes, references: Sequence[bytes]) -> Resemblance:
        """Both measures of likeness to references; see studio.faces.likeness. Raises ValueError without references."""
        found: Resemblance = self._ask("resemblance", image, tuple(references))
        return found

    def surroundings(self, picture: bytes) -> Surroundings:
        """The colours of background and clothes; see studio.faces.surroundings."""
        seen: Surroundings = self._ask("surroundings", picture)
        return seen

    def variety(self, images: Sequence[bytes]) -> float:
        """How different pictures are, 0 to 1; see studio.faces.likeness."""
        apart: float = self._ask("variety", tuple(images))
        return apart

    def close(self) -> None:
        """End the child, if there is one. The next call starts another."""
        with self._turn:
            self._stop_clock()
            self._end_child()

    def _ask(self, task: str, *arguments: Any) -> Any:
        with self._turn:
            self._stop_clock()
            try:
                return self._ask_twice(task, arguments)
            finally:
                self._start_clock()

    def _ask_twice(self, task: str, arguments: tuple[Any, ...]) -> Any:
        failure: Exception = EOFError()
        details = ""
        for _ in range(TRIES):
            self._child = self._child or _Child(self._python)
            try:
                return self._child.ask(task, arguments, self._timeout_seconds)
            except _Raised as raised:
                raise raised.error from None
            except (EOFError, OSError) as error:
                failure, details = error, self._end_child()
        reason = str(failure) if isinstance(failure, TimeoutError) else "its process ended unexpectedly"
        raise FaceWorkFailed(task, reason, details) from failure

    def _end_child(self) -> str:
        child, self._child = self._child, None
        return child.end() if child else ""

    def _start_clock(self) -> None:
        self._idle = threading.Timer(self._idle_seconds, self._end_if_idle)
        self._idle.daemon = True
        self._idle.start()

    def _stop_clock(self) -> None:
        if self._idle:
            self._idle.cancel()
            self._idle = None

    def _end_if_idle(self) -> None:
        """Called by the clock; a task that just began has stopped the clock and keeps its child."""
        with self._turn:
            if self._idle is threading.current_thread():
                self._idle = None
                self._end_child()
