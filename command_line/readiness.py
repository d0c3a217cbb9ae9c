"""Waits until started programs answer."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import requests

from command_line.api_client import direct_session
from command_line.errors import CannotStart
from command_line.supervisor import Program, Supervisor

START_SECONDS = 180.0
LOOK_SECONDS = 0.2


def answers(url: str) -> bool:
    """Whether a server answers there without an error."""
    try:
        with direct_session() as session:
            return session.get(url, timeout=2).ok
    except requests.RequestException:
        return False


def wait_until_ready(
    supervisor: Supervisor, stopping: Callable[[], bool] = lambda: False, seconds: float = START_SECONDS
) -> bool:
    """Tend the supervisor until every program with a url answers; False when stopping() turns true first.

    Raises CannotStart after seconds, or when a program cannot start.
    """
    deadline = time.monotonic() + seconds
    waiting: Sequence[Program] = supervisor.programs
    while not stopping():
        supervisor.tend()
        waiting = [program for program in waiting if program.url and not answers(program.url)]
        if not waiting:
            return True
        if time.monotonic() > deadline:
            names = ", ".join(program.name for program in waiting)
            raise CannotStart(f"no answer from {names} after {seconds:.0f} s; its log lines above tell why")
        time.sleep(LOOK_SECONDS)
    return False
