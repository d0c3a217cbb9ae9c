"""sd-scripts as a process on a leash: its lines as they come, the end of its log, and an end for all of its group."""

from __future__ import annotations

import contextlib
import os
import queue
import re
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from training.process_group import end_group

LEASH = Path(__file__).with_name("leash.py")
LOG_LINES = 200
LONGEST_LINE = 1 << 16

_LINE_END = re.compile(rb"[\r\n]+")
_BAR = re.compile(r"\d+%\|")


@dataclass(slots=True)
class Running:
    """A process group that runs."""

    process: subprocess.Popen[bytes]
    _lines: queue.SimpleQueue[str | None]
    _open_streams: int
    _log: deque[str] = field(default_factory=lambda: deque(maxlen=LOG_LINES))

    def next_line(self, seconds: float) -> str | None:
        """The next line of either stream, "" if none came within so many seconds, None at the end of both.

        A process that has ended ends its streams too, even where one that it left behind holds them open.
        """
        while True:
            try:
                line = self._lines.get(timeout=seconds)
            except queue.Empty:
                return "" if self.process.poll() is None else None
            if line is not None:
                self._remember(line)
                return line
            self._open_streams -= 1
            if not self._open_streams:
                return None

    def status(self) -> int:
        """The exit status; more than 128 for a signal."""
        return self.process.wait()

    def log(self) -> str:
        """The last lines without the bars: the traceback, if there was one."""
        return "\n".join(self._log)

    def _remember(self, line: str) -> None:
        if not _BAR.search(line):
            self._log.append(line)


@contextlib.contextmanager
def run(command: Sequence[str], folder: Path, held: int) -> Iterator[Running]:
    """Run a command in a folder; whatever happens, its whole group is ended and waited for.

    held: a file descriptor that every process of the group keeps open, such as a lock's. Raises OSError.
    """
    leashed = [sys.executable, "-I", str(LEASH), str(folder), *command]
    process = subprocess.Popen(
        leashed,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        pass_fds=(held,),
    )
    lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
    streams = [stream for stream in (process.stdout, process.stderr) if stream is not None]
    readers = [threading.Thread(target=_read_lines, args=(stream, lines), daemon=True) for stream in streams]
    for reader in readers:
        reader.start()
    try:
        yield Running(process, lines, len(readers))
    finally:
        end_group(process)
        for reader in readers:
            reader.join()
        for stream in (process.stdin, *streams):
            if stream is not None:
                stream.close()


def _read_lines(stream: IO[bytes], lines: queue.SimpleQueue[str | None]) -> None:
    """Hand on lines that end with a line feed or a carriage return, empty ones left out."""
    rest = b""
    while chunk := os.read(stream.fileno(), LONGEST_LINE):
        *whole, rest = _LINE_END.split(rest + chunk)
        if len(rest) > LONGEST_LINE:
            whole, rest = [*whole, rest], b""
        for line in filter(None, whole):
            lines.put(line.decode(errors="replace"))
    if rest:
        lines.put(rest.decode(errors="replace"))
    lines.put(None)
