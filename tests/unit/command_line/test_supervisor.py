"""The supervisor with real processes: small scripts that die, refuse, or will not stop."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from command_line.errors import CannotStart
from command_line.supervisor import Program, Supervisor, pause_before

REPOSITORY = Path(__file__).resolve().parents[3]


def script(name: str, text: str) -> Program:
    return Program(
        name=name,
        command=(sys.executable, "-c", textwrap.dedent(text)),
        environment={**os.environ, "PYTHONPATH": str(REPOSITORY), "PYTHONUNBUFFERED": "1"},
    )


SLEEPER = "import time; print('up'); time.sleep(600)"
STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up'); time.sleep(600)"


class Ears:
    """Everything a supervisor said and logged."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.logged: list[tuple[str, str]] = []

    def watch(self, *programs: Program, patience: float = 5) -> Supervisor:
        return Supervisor(
            programs,
            say=self.said.append,
            log=lambda name, line: self.logged.append((name, line)),
            patience=patience,
        )


@pytest.fixture
def ears() -> Ears:
    return Ears()


def until(condition: Callable[[], object], seconds: float = 15) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def test_what_a_program_writes_is_logged_behind_its_name(ears: Ears) -> None:
    with ears.watch(script("engine", SLEEPER)):
        until(lambda: ("engine", "up") in ears.logged)


def test_a_program_that_dies_is_started_again_and_reported(ears: Ears) -> None:
    with ears.watch(script("worker", SLEEPER)) as supervisor:
        until(lambda: ears.logged)
        first = supervisor.pids()["worker"]
        os.kill(first, signal.SIGKILL)

        def has_new_process() -> bool:
            supervisor.tend()
            return supervisor.pids().get("worker", first) != first

        until(has_new_process)
    assert ears.said == ["worker ended with status -9; starting it again in 1 s"]


def test_a_program_that_cannot_start_ends_the_start_with_its_own_line(ears: Ears) -> None:
    refuses = script("api", "import sys; print('sajin: port 1 is in use'); sys.exit(2)")
    with ears.watch(refuses) as supervisor, pytest.raises(CannotStart, match=r"^port 1 is in use$"):
        until(supervisor.tend)


def test_a_program_that_has_run_before_is_started_again_though_it_cannot_start_just_now(
    ears: Ears, tmp_path: Path
) -> None:
    """A full disk or a locked database goes away again; the rest of the studio must not end for it."""
    lives = tmp_path / "lives"
    text = f"""
    import os, pathlib, sys
    lives = pathlib.Path({str(lives)!r})
    lives.write_text(lives.read_text() + "x" if lives.exists() else "x")
    sys.exit(1 if len(lives.read_text()) == 1 else 2)
    """
    with ears.watch(script("worker", text)) as supervisor:

        def has_refused_twice() -> bool:
            supervisor.tend()
            return len(ears.said) == 3

        until(has_refused_twice)
    assert ears.said == [
        "worker ended with status 1; starting it again in 1 s",
        "worker ended with status 2; starting it again in 2 s",
        "worker ended with status 2; starting it again in 4 s",
    ]


def test_stopping_leaves_no_process_behind(ears: Ears) -> None:
    with ears.watch(script("a", SLEEPER), script("b", SLEEPER)) as supervisor:
        until(lambda: len(ears.logged) == 2)
        pids = supervisor.pids().values()
    assert not any(psutil.pid_exists(pid) for pid in pids)
    assert ears.said == []


def test_a_program_that_will_not_stop_is_killed_and_reported(ears: Ears) -> None:
    with ears.watch(script("stubborn", STUBBORN), patience=0.3) as supervisor:
        until(lambda: ears.logged)
        pid = supervisor.pids()["stubborn"]
    assert not psutil.pid_exists(pid)
    assert ears.said == ["stubborn did not stop in time and is killed"]


def test_children_of_a_stopped_program_end_with_it(ears: Ears) -> None:
    parent = f"""
    import subprocess, sys, time
    print(subprocess.Popen([sys.executable, "-c", {STUBBORN!r}], stdout=subprocess.DEVNULL).pid)
    time.sleep(600)
    """
    with ears.watch(script("parent", parent)):
        until(lambda: ears.logged)
    until(lambda: not _lives(int(ears.logged[0][1])))


def test_no_program_outlives_a_supervisor_that_was_killed() -> None:
    watcher = """
    import time
    from tests.unit.command_line.test_supervisor import Ears, SLEEPER, script
    ears = Ears()
    with ears.watch(script("a", SLEEPER), script("b", SLEEPER)) as supervisor:
        while len(ears.logged) < 2:
            time.sleep(0.02)
        print(*supervisor.pids().values(), flush=True)
        time.sleep(600)
    """
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(watcher)], cwd=REPOSITORY, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    pids = [int(word) for word in process.stdout.readline().split()]
    assert len(pids) == 2
    process.kill()
    process.wait()
    process.stdout.close()
    until(lambda: not any(_lives(pid) for pid in pids))


def _lives(pid: int) -> bool:
    return bool(psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)


def test_pauses_double_up_to_a_limit() -> None:
    assert [pause_before(number) for number in range(7)] == [1, 2, 4, 8, 16, 30, 30]
