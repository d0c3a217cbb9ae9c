"""The studio's real processes for tests: started by the supervisor that `sajin up` uses, on free ports."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from command_line.api_client import ApiClient
from command_line.preflight import free_port
from command_line.programs import api_address, studio_programs
from command_line.readiness import wait_until_ready
from command_line.supervisor import Supervisor
from studio.settings import Settings

FINAL = ("succeeded", "failed", "cancelled")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningStudio:
    """A studio that runs. log: every line its processes wrote, as (program, line)."""

    settings: Settings
    supervisor: Supervisor
    api: ApiClient
    log: list[tuple[str, str]]

    @property
    def api_url(self) -> str:
        return api_address(self.settings)

    @property
    def engine_url(self) -> str:
        return self.settings.server_urls[0]

    def finish(self, path: str, seconds: float = 110) -> dict[str, Any]:
        """Tend the processes until the job or training at path is final, and return it."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self.supervisor.tend()
            state = self.api.get(path)
            if state["status"] in FINAL:
                return state
            time.sleep(0.1)
        raise AssertionError(f"{path} is not finished after {seconds:.0f} s: {state}; log: {self.log[-30:]}")


def free_settings(data: Path, **overrides: Any) -> Settings:
    """Settings on a data folder of their own and on free ports; the environment has no say."""
    ports = {name: free_port() for name in ("api_port", "ui_port", "engine_port")}
    return Settings(_env_file=None, **{"data": data, "webui_urls": (), **ports, **overrides})


@contextmanager
def run_studio(data: Path, *, pages: bool = False, **overrides: Any) -> Iterator[RunningStudio]:
    """Engine (unless webui_urls are given), worker, API and, if wanted, the pages; stopped at the end."""
    settings = free_settings(data, **overrides)
    log: list[tuple[str, str]] = []
    programs = studio_programs(settings, pages=pages)
    with Supervisor(
        programs,
        say=lambda line: log.append(("sajin", line)),
        log=lambda name, line: log.append((name, line)),
    ) as supervisor:
        wait_until_ready(supervisor)
        studio = RunningStudio(
            settings=settings, supervisor=supervisor, api=ApiClient(api_address(settings)), log=log
        )
        _wait_for_worker(studio)
        yield studio


def _wait_for_worker(studio: RunningStudio, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not studio.api.get("/status")["worker_alive"]:
        studio.supervisor.tend()
        assert time.monotonic() < deadline, f"the worker gave no sign of life: {studio.log[-30:]}"
        time.sleep(0.1)
