"""`sajin up` from start to end: it says where the studio is, and nothing of it is left afterwards."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from command_line.programs import child_environment
from tests.running_studio import RunningStudio, free_settings


@pytest.fixture
def up(tmp_path: Path, running_studio: RunningStudio) -> Iterator[subprocess.Popen[str]]:
    """`sajin up` beside an engine that runs already, as beside any WebUI."""
    settings = free_settings(tmp_path, webui_urls=(running_studio.engine_url,))
    process = subprocess.Popen(
        [sys.executable, "-m", "command_line", "up"],
        env=child_environment(settings),
        stderr=subprocess.PIPE,
        text=True,
    )
    yield process
    process.kill()
    process.wait()
    assert process.stderr is not None
    process.stderr.close()


def lines_until(process: subprocess.Popen[str], wanted: str) -> list[str]:
    assert process.stderr is not None
    seen = []
    for line in process.stderr:
        seen.append(line)
        if wanted in line:
            return seen
    raise AssertionError("".join(seen))


def family(process: subprocess.Popen[str]) -> list[psutil.Process]:
    members: list[psutil.Process] = psutil.Process(process.pid).children(recursive=True)
    return members


def assert_gone(processes: list[psutil.Process], seconds: float = 30) -> None:
    _, alive = psutil.wait_procs(processes, timeout=seconds)
    assert [one.cmdline() for one in alive] == []


def test_ctrl_c_stops_everything(up: subprocess.Popen[str]) -> None:
    said = "".join(lines_until(up, "Ctrl-C stops it."))
    children = family(up)
    assert "Sajin is ready at http://127.0.0.1:" in said
    assert len(children) >= len(("worker", "api", "ui"))
    started = time.monotonic()
    up.send_signal(signal.SIGINT)
    lines_until(up, "stopped")
    assert up.wait(10) == 0
    assert time.monotonic() - started < 25
    assert_gone(children)


def test_nothing_outlives_a_killed_supervisor(up: subprocess.Popen[str]) -> None:
    lines_until(up, "Ctrl-C stops it.")
    children = family(up)
    assert len(children) >= len(("worker", "api", "ui"))
    os.kill(up.pid, signal.SIGKILL)
    assert_gone(children)
