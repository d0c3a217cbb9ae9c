"""Starts, watches, restarts and stops the studio's processes. It never blocks: its owner calls tend() now and then."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import IO

from command_line.errors import CannotStart

STATUS_CANNOT_START = 2
FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 30.0
STEADY_SECONDS = 60.0
STOP_SECONDS = 10.0
EAR_SECONDS = 1.0  # for the last lines of an ended process


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """One process of the studio. command[0]: an absolute path. url: answers once it is ready, None if it has none."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    url: str | None = None


def pause_before(restarts: int) -> float:
    """Seconds to wait before the next start, doubling with each restart in a row (0 the first time)."""
    return min(FIRST_PAUSE_SECONDS * 2.0**restarts, LONGEST_PAUSE_SECONDS)


class Child:
    """A program and, while it runs, its process. Every line it writes goes to log(name, line)."""

    def __init__(self, program: Program, log: Callable[[str, str], None]) -> None:
        self.program = program
        self._log = log
        self._process: subprocess.Popen[str] | None = None
        self._ear: threading.Thread | None = None
        self._started = 0.0
        self._starts = 0
        self._restarts = 0
        self._due: float | None = None
        self._last_line = ""

    @property
    def pid(self) -> int | None:
        """The process id, None while it does not run."""
        return self._process.pid if self._process else None

    @property
    def is_first_life(self) -> bool:
        """Whether it was started once only."""
        return self._starts == 1

    @property
    def last_line(self) -> str:
        """What it wrote last."""
        return self._last_line

    def start(self) -> None:
        """Start the process, tied to this one, in a process group of its own."""
        tether = (sys.executable, "-m", "command_line.tether", str(os.getpid()))
        self._process = subprocess.Popen(
            (*tether, *self.program.command),
            env=dict(self.program.environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        self._started, self._due = time.monotonic(), None
        self._starts += 1
        self._ear = threading.Thread(target=self._pump, args=(self._process.stdout,), daemon=True)
        self._ear.start()

    def _pump(self, lines: IO[str]) -> None:
        with lines:
            for line in lines:
                if line.strip():
                    self._last_line = line.rstrip()
                    self._log(self.program.name, self._last_line)

    def ended(self) -> int | None:
        """The exit status, told once after the process has ended; else None."""
        if self._process is None or self._process.poll() is None:
            return None
        status, self._process = self._process.returncode, None
        if self._ear is not None:
            self._ear.join(EAR_SECONDS)
        return status

    def restart_later(self) -> float:
        """Plan the next start and return the seconds until then."""
        steady = time.monotonic() - self._started > STEADY_SECONDS
        self._restarts = 0 if steady else self._restarts
        pause = pause_before(self._restarts)
        self._restarts += 1
        self._due = time.monotonic() + pause
        return pause

    def start_if_due(self) -> None:
        """Start again if the planned pause is over."""
        if self._due is not None and time.monotonic() >= self._due:
            self.start()

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the process and everything it started in its group."""
        if self._process is not None and self._process.poll() is None:
            os.killpg(self._process.pid, number)

    def wait(self, seconds: float) -> bool:
        """Whether the process has ended within seconds."""
        if self._process is None:
            return True
        try:
            self._process.wait(max(seconds, 0))
        except subprocess.TimeoutExpired:
            return False
        return True

    def clear_group(self) -> None:
        """Kill what the ended process may have left behind in its group."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)


class Supervisor:
    """Keeps programs running. Use it from the main thread, as a context manager that stops them all.

    say: takes one line for the person at the terminal. log: takes (program name, line) of what they write.
    patience: seconds that programs get to stop by themselves.
    """

    def __init__(
        self,
        programs: Sequence[Program],
        *,
        say: Callable[[str], None],
        log: Callable[[str, str], None],
        patience: float = STOP_SECONDS,
    ) -> None:
        self._children = [Child(program, log) for program in programs]
        self._say = say
        self._patience = patience

    def __enter__(self) -> Supervisor:
        for child in self._children:
            child.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def programs(self) -> tuple[Program, ...]:
        """What it keeps running."""
        return tuple(child.program for child in self._children)

    def pids(self) -> dict[str, int]:
        """Process ids by program name, of those that run."""
        return {child.program.name: child.pid for child in self._children if child.pid is not None}

    def tend(self) -> None:
        """Report what has ended and start it again when its pause is over.

        Raises CannotStart when a program says by its exit status at its first start that another would not help.
        One that has run before is started again all the same: a full disk or a locked database may pass.
        """
        for child in self._children:
            status = child.ended()
            if status == STATUS_CANNOT_START and child.is_first_life:
                raise CannotStart(
                    child.last_line.removeprefix("sajin: ") or f"{child.program.name} cannot start"
                )
            if status is not None:
                pause = child.restart_later()
                self._say(
                    f"{child.program.name} ended with status {status}; starting it again in {pause:.0f} s"
                )
            child.start_if_due()

    def stop(self) -> None:
        """Ask all to stop, wait a few seconds, then kill what is left."""
        for child in self._children:
            child.signal(signal.SIGTERM)
        deadline = time.monotonic() + self._patience
        for child in self._children:
            if not child.wait(deadline - time.monotonic()):
                self._say(f"{child.program.name} did not stop in time and is killed")
                child.signal(signal.SIGKILL)
                child.wait(1)
            child.clear_group()
