"""A studio for one command: the one that runs already, else one started for it and stopped afterwards."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from command_line.api_client import ApiClient
from command_line.errors import CannotStart
from command_line.guard import read_settings
from command_line.preflight import check_machine, free_port
from command_line.programs import api_address, studio_programs
from command_line.readiness import answers, wait_until_ready
from command_line.supervisor import Supervisor
from studio.settings import Settings
from studio.worker.lock import is_held

LOOK_SECONDS = 0.25
FINAL = frozenset({"succeeded", "failed", "cancelled"})


class Session:
    """An API to speak to, and the supervisor to tend while waiting (None if the studio is somebody else's)."""

    def __init__(self, api: ApiClient, supervisor: Supervisor | None) -> None:
        self.api = api
        self._supervisor = supervisor

    def follow(self, path: str, look: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
        """Show a job or training to look() until it is finished, and return its last state."""
        while True:
            if self._supervisor is not None:
                self._supervisor.tend()
            state = self.api.get(path)
            look(state)
            if state["status"] in FINAL:
                return state
            time.sleep(LOOK_SECONDS)


@contextmanager
def studio_session(webui_urls: tuple[str, ...], say: Callable[[str], None]) -> Iterator[Session]:
    """A session with the studio that runs on the configured port, or with one of its own on free ports.

    webui_urls: servers to use instead of the configured ones; these always get a studio of their own.
    Raises CannotStart when something on this machine must change first.
    """
    settings = read_settings(**({"webui_urls": webui_urls} if webui_urls else {}))
    if not webui_urls and answers(f"{api_address(settings)}/healthz"):
        say(f"using the studio at {api_address(settings)}")
        yield Session(ApiClient(api_address(settings)), None)
        return
    own = settings.model_copy(
        update={
            "api_host": "127.0.0.1",
            "api_port": free_port(),
            "ui_port": free_port(),
            "engine_port": free_port(),
        }
    )
    check_machine(own)
    if is_held(own.data_folder, own.executor_id):
        raise CannotStart(
            f"a studio already works on {own.data_folder}; stop it, or set SAJIN_DATA to another folder"
        )
    with _log_files(own) as log:
        say("starting the studio (its logs are in " + str(own.data_folder / "logs") + ")")
        programs = studio_programs(own, pages=False)
        with Supervisor(programs, say=say, log=log) as supervisor:
            wait_until_ready(supervisor)
            session = Session(ApiClient(api_address(own)), supervisor)
            _wait_for_worker(session, supervisor, own.server_urls)
            yield session


@contextmanager
def _log_files(settings: Settings) -> Iterator[Callable[[str, str], None]]:
    """A log(name, line) that writes data/logs/NAME.log, new for each session."""
    folder = settings.data_folder / "logs"
    folder.mkdir(exist_ok=True)
    names = ("engine", "worker", "api")
    files = {name: (folder / f"{name}.log").open("w", encoding="utf-8") for name in names}
    try:
        yield lambda name, line: print(line, file=files[name], flush=True)
    finally:
        for file in files.values():
            file.close()


def _wait_for_worker(
    session: Session, supervisor: Supervisor, urls: Sequence[str], seconds: float = 120
) -> None:
    """Wait until the worker just started has looked at every server, so that what they lack is known."""
    started, deadline = datetime.now(UTC), time.monotonic() + seconds
    while not _seen_since(session, started).issuperset(urls):
        supervisor.tend()
        if time.monotonic() > deadline:
            raise CannotStart(f"the worker looked at no server within {seconds:.0f} s; see its log")
        time.sleep(LOOK_SECONDS)


def _seen_since(session: Session, moment: datetime) -> set[str]:
    """The addresses of the servers that a worker looked at after the moment."""
    servers = session.api.items("/servers")
    return {server["url"] for server in servers if datetime.fromisoformat(server["seen_at"]) > moment}


def picture_files(folder: Path) -> tuple[Path, ...]:
    """The files of a folder in the order of their names, hidden ones left out. Raises CannotStart if there are none."""
    files = tuple(
        sorted(file for file in folder.iterdir() if file.is_file() and not file.name.startswith("."))
    )
    if not files:
        raise CannotStart(f"there are no files in {folder}")
    return files
