"""The studio's real processes: frozen for a look, killed and started again at once, and what they said."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import requests

from command_line.programs import studio_programs
from command_line.supervisor import Program
from studio.settings import REPOSITORY, Settings


@dataclass
class Keeper:
    """Engine, worker and API. Each writes to a file of its own in folder, across all its lives."""

    settings: Settings
    folder: Path
    note: Callable[[str], None]
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    logs: dict[str, IO[bytes]] = field(default_factory=dict)

    @property
    def programs(self) -> dict[str, Program]:
        return {program.name: program for program in studio_programs(self.settings, pages=False)}

    @property
    def api(self) -> str:
        return f"http://127.0.0.1:{self.settings.api_port}/api/v1"

    def start(self, name: str) -> None:
        program = self.programs[name]
        log = self.logs.setdefault(name, (self.folder / f"{name}.out").open("ab"))
        self.running[name] = subprocess.Popen(
            program.command,
            cwd=REPOSITORY,
            env=program.environment,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )

    def kill(self, name: str) -> None:
        """kill -9, then start it again, as a supervisor would."""
        process = self.running[name]
        process.send_signal(signal.SIGKILL)
        process.wait(timeout=10)
        self.note(f"killed {name} (pid {process.pid})")
        self.start(name)

    @contextmanager
    def frozen(self, name: str) -> Iterator[None]:
        """No thread of the process moves within the context; it goes on afterwards unless it was killed in it."""
        process = self.running[name]
        process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WNOWAIT)
        try:
            yield
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)

    def stop(self) -> None:
        for process in self.running.values():
            process.terminate()
        for process in self.running.values():
            try:
                process.wait(timeout=15)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait(timeout=10)
        for log in self.logs.values():
            log.close()

    def told(self, name: str) -> list[dict[str, Any]]:
        """The JSON lines that a process wrote in all its lives."""
        lines = (self.folder / f"{name}.out").read_text("utf-8", "replace").splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]

    def ask(self, method: str, path: str, seconds: float = 60.0, **arguments: Any) -> Any:
        """Call the API, again and again while it is away."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                answer = requests.request(method, f"{self.api}{path}", timeout=20, **arguments)
                answer.raise_for_status()
                return answer.json()
            except (requests.ConnectionError, requests.Timeout):
                assert time.monotonic() < deadline, f"the API did not come back; see {self.folder}"
                time.sleep(0.1)


@contextmanager
def kept_running(settings: Settings, folder: Path, note: Callable[[str], None]) -> Iterator[Keeper]:
    """All processes, ready for work, stopped at the end."""
    folder.mkdir(parents=True, exist_ok=True)
    keeper = Keeper(settings=settings, folder=folder, note=note)
    try:
        for name in keeper.programs:
            keeper.start(name)
        wait_for(lambda: _is_ready(keeper), seconds=120, what="the studio to be ready")
        note(f"{', '.join(keeper.programs)} are ready")
        yield keeper
    finally:
        keeper.stop()


def wait_for(happened: Callable[[], Any], seconds: float, what: str) -> None:
    """Look every few hundredths of a second; fail after seconds."""
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline, f"waited {seconds:g} s for {what}"
        time.sleep(0.02)


def _is_ready(keeper: Keeper) -> bool:
    try:
        return (
            requests.get(f"http://127.0.0.1:{keeper.settings.api_port}/readyz", timeout=5).status_code == 200
        )
    except requests.ConnectionError:
        return False
