"""The studio's processes for measuring: as `sajin up` starts them, on free ports and a data folder of their own."""

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
from command_line.supervisor import Program, Supervisor
from studio.settings import Settings

START_SECONDS = 180


@dataclass(frozen=True, slots=True, kw_only=True)
class Studio:
    """A studio that runs. pids: by program name."""

    api: ApiClient
    pids: dict[str, int]


@contextmanager
def engine_alone(folder: Path) -> Iterator[str]:
    """The embedded engine; its address."""
    settings = settings_in(folder / "engine-data")
    programs = [program for program in studio_programs(settings) if program.name == "engine"]
    with _running(programs, folder / "engine.log") as supervisor:
        wait_until_ready(supervisor)
        yield settings.server_urls[0]


@contextmanager
def whole_studio(folder: Path, *webuis: str, pages: bool = True, **changes: Any) -> Iterator[Studio]:
    """Everything that `sajin up` starts, with the servers at webuis or the embedded engine; ready to work."""
    settings = settings_in(folder / "data", *webuis, **changes)
    with _running(studio_programs(settings, pages=pages), folder / "studio.log") as supervisor:
        wait_until_ready(supervisor)
        studio = Studio(api=ApiClient(api_address(settings)), pids=supervisor.pids())
        _wait_for_work(studio)
        yield studio


def settings_in(data: Path, *webuis: str, **changes: Any) -> Settings:
    """Settings on a data folder and free ports, with changes to other fields."""
    ports = {name: free_port() for name in ("api_port", "ui_port", "engine_port")}
    return Settings(**{"data": data, "webui_urls": webuis, **ports, **changes})


@contextmanager
def _running(programs: list[Program] | tuple[Program, ...], log_file: Path) -> Iterator[Supervisor]:
    log_file.parent.mkdir(parents=True, exist_ok=True)
    with (
        log_file.open("w", encoding="utf-8") as log,
        Supervisor(programs, say=print, log=lambda name, line: print(name, line, file=log)) as supervisor,
    ):
        yield supervisor


def _wait_for_work(studio: Studio) -> None:
    """Wait until the worker lives and has seen its server."""
    deadline = time.monotonic() + START_SECONDS
    while not (studio.api.get("/status")["worker_alive"] and _sees_server(studio)):
        if time.monotonic() > deadline:
            raise RuntimeError("the worker is not ready")
        time.sleep(0.2)


def _sees_server(studio: Studio) -> bool:
    return any(server["status"] == "ready" for server in studio.api.items("/servers"))
