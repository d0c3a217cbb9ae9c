"""`sajin up` from start to end: it says where the studio is, and nothing of it is left afterwards."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from command_line.api_client import ApiClient
from command_line.programs import api_address, child_environment
from studio.settings import Settings
from tests.running_studio import RunningStudio, free_settings


@pytest.fixture
def settings(tmp_path: Path, running_studio: RunningStudio) -> Settings:
    """A studio beside an engine that runs already, as beside any WebUI."""
    return free_settings(tmp_path, webui_urls=(running_studio.engine_url,))


@pytest.fixture
def up(settings: Settings) -> Iterator[subprocess.Popen[str]]:
    """`sajin up`."""
    with started(settings) as process:
        yield process


@contextmanager
def started(settings: Settings) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "command_line", "up"],
        env=child_environment(settings),
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
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


def eventually(happened: Callable[[], bool], seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.05)


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


def test_a_job_goes_on_after_its_supervisor_was_killed_and_started_again(
    up: subprocess.Popen[str], settings: Settings
) -> None:
    lines_until(up, "Ctrl-C stops it.")
    api = ApiClient(api_address(settings))
    job = api.post("/jobs", {"preset": "stranger", "options": {"seed": 1}})["id"]
    eventually(lambda: api.get(f"/jobs/{job}")["stage"] is not None)
    children = family(up)
    os.kill(up.pid, signal.SIGKILL)
    assert_gone(children)
    with started(settings) as again:
        lines_until(again, "Ctrl-C stops it.")
        eventually(lambda: api.get(f"/jobs/{job}")["status"] not in ("queued", "running"))
        ended = api.get(f"/jobs/{job}")
        assert (ended["status"], ended["error"]) == ("succeeded", None)


def test_nothing_outlives_a_killed_supervisor(up: subprocess.Popen[str]) -> None:
    lines_until(up, "Ctrl-C stops it.")
    children = family(up)
    assert len(children) >= len(("worker", "api", "ui"))
    os.kill(up.pid, signal.SIGKILL)
    assert_gone(children)
