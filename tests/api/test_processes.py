"""The studio's processes at rest and in trouble."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import psutil
import requests

from tests.running_studio import RunningStudio, run_studio

MEMORY_LIMIT = 350e6


def test_at_rest_worker_api_and_pages_stay_small(tmp_path: Path, running_studio: RunningStudio) -> None:
    webui = running_studio.engine_url
    with run_studio(tmp_path, webui_urls=(webui,), pages=True) as studio:
        assert set(studio.supervisor.pids()) == {"worker", "api", "ui"}
        for name, pid in studio.supervisor.pids().items():
            process = psutil.Process(pid)
            resident = sum(one.memory_info().rss for one in (process, *process.children(recursive=True)))
            assert resident < MEMORY_LIMIT, f"{name} takes {resident / 1e6:.0f} MB"


def test_a_killed_api_is_back_within_seconds(running_studio: RunningStudio) -> None:
    os.kill(running_studio.supervisor.pids()["api"], signal.SIGKILL)
    deadline = time.monotonic() + 60
    while not (_killed_is_reported(running_studio) and _answers(running_studio)):
        running_studio.supervisor.tend()
        assert time.monotonic() < deadline, running_studio.log[-20:]
        time.sleep(0.1)


def _killed_is_reported(studio: RunningStudio) -> bool:
    return any(name == "sajin" and "api ended with status -9" in line for name, line in studio.log)


def _answers(studio: RunningStudio) -> bool:
    try:
        return requests.get(f"{studio.api_url}/healthz", timeout=2).ok
    except requests.RequestException:
        return False
