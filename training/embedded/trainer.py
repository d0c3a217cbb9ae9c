"""The parent's side: a child process that learns, followed line by line, ended when asked to."""

from __future__ import annotations

import contextlib
import queue
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from pydantic import ValidationError

from training.embedded.messages import (
    DoneMessage,
    FailedMessage,
    ProgressMessage,
    RequestMessage,
    read_answer,
)
from training.errors import TrainingCancelled, TrainingFailed
from training.port import TrainedAdapter, TrainingProgress, TrainingRequest
from training.process_group import end_group

ROOT = Path(__file__).resolve().parents[2]
REQUEST_FILE = "request.json"
LOOK_EVERY_SECONDS = 0.25
LOG_TAIL = 4000


class EmbeddedTrainer:
    """Teaches an identity with the embedded engine's own libraries, in a child process and process group of its own.

    python: the interpreter of the child. threads: how many torch may use, None for all cores.
    """

    name = "embedded"

    def __init__(self, python: str = sys.executable, threads: int | None = None) -> None:
        self._python, self._threads = python, threads

    def train(
        self,
        request: TrainingRequest,
        on_progress: Callable[[TrainingProgress], None],
        cancelled: Callable[[], bool],
    ) -> TrainedAdapter:
        """Train and return the adapter; see training.port.Trainer.

        State is kept in request.work_folder every few seconds, so that the same request called again after a crash or a
        cancel goes on from there. The folder is removed when the adapter is written.
        """
        try:
            request_file = _write_request(request, self._threads)
            with _running([self._python, "-m", "training.embedded", str(request_file)]) as child:
                return child.follow(on_progress, cancelled)
        except OSError as error:
            raise TrainingFailed(
                f"The training could not be started: {error}.", "Check the data folder."
            ) from error


def _write_request(request: TrainingRequest, threads: int | None) -> Path:
    request.work_folder.mkdir(parents=True, exist_ok=True)
    path = request.work_folder.absolute() / REQUEST_FILE
    path.write_text(RequestMessage.of(request, threads).model_dump_json(indent=1), encoding="utf-8")
    return path


@dataclass(frozen=True, slots=True)
class _Child:
    process: subprocess.Popen[bytes]
    lines: queue.SimpleQueue[bytes | None]
    log: IO[bytes]

    def follow(
        self, on_progress: Callable[[TrainingProgress], None], cancelled: Callable[[], bool]
    ) -> TrainedAdapter:
        """Hand on progress until the child is done."""
        while True:
            if cancelled():
                raise TrainingCancelled
            line = self._next_line()
            if line is None:
                raise self._ended_without_a_word()
            if not line:
                continue
            answer = self._understood(line)
            if isinstance(answer, ProgressMessage):
                on_progress(answer.progress())
            elif isinstance(answer, DoneMessage):
                return answer.adapter()
            else:
                raise TrainingFailed(answer.reason, answer.remedy, self._log_tail())

    def _next_line(self) -> bytes | None:
        """The next line, b"" if there is none yet, None at the end."""
        try:
            return self.lines.get(timeout=LOOK_EVERY_SECONDS)
        except queue.Empty:
            return b""

    def _understood(self, line: bytes) -> ProgressMessage | DoneMessage | FailedMessage:
        try:
            return read_answer(line)
        except ValidationError as error:
            reason = "The training process answered something unexpected."
            raise TrainingFailed(
                reason, "Start the training again.", line.decode(errors="replace")
            ) from error

    def _ended_without_a_word(self) -> TrainingFailed:
        status = self.process.wait()
        killed = f"was ended by signal {-status}" if status < 0 else f"ended with status {status}"
        remedy = "Start the training again; it goes on where it was. If it was short of memory, close other programs."
        return TrainingFailed(f"The training process {killed}.", remedy, self._log_tail())

    def _log_tail(self) -> str:
        self.log.seek(0)
        return self.log.read().decode(errors="replace")[-LOG_TAIL:]


@contextlib.contextmanager
def _running(command: list[str]) -> Iterator[_Child]:
    """The child and its lines; whatever happens, its whole group is ended and waited for."""
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            start_new_session=True,
        )
        lines: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        reader = threading.Thread(target=_read_lines, args=(process.stdout, lines), daemon=True)
        reader.start()
        try:
            yield _Child(process, lines, log)
        finally:
            end_group(process)
            reader.join()
            for stream in (process.stdin, process.stdout):
                if stream is not None:
                    stream.close()


def _read_lines(stream: IO[bytes], lines: queue.SimpleQueue[bytes | None]) -> None:
    for line in stream:
        lines.put(line)
    lines.put(None)
