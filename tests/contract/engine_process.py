"""The engine as its own process, as it is started in earnest."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
READY = re.compile(r"Ready at (http://\S+)")
PATIENCE_SECONDS = 90.0


@dataclass(frozen=True, kw_only=True)
class EngineProcess:
    """A running engine: its address, its process and the file that holds all it printed."""

    url: str
    process: subprocess.Popen[bytes]
    log: Path

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send a signal and return the exit status."""
        self.process.send_signal(number)
        return self.process.wait(timeout=30)


def start(folder: Path, *arguments: str | Path) -> EngineProcess:
    """Start an engine on a free port with its data in folder; returns when it can make pictures."""
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / "engine.log"
    command: Sequence[str | Path] = [
        sys.executable,
        "-m",
        "webui_engine",
        "--port",
        "0",
        "--data",
        folder,
        *arguments,
    ]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    with log.open("wb") as out:
        process = subprocess.Popen(
            command, cwd=REPOSITORY, env=environment, stdout=out, stderr=subprocess.STDOUT
        )
    return EngineProcess(url=_address(process, log), process=process, log=log)


@contextlib.contextmanager
def running(folder: Path, *arguments: str | Path) -> Iterator[EngineProcess]:
    """An engine for the length of the body."""
    engine = start(folder, *arguments)
    try:
        yield engine
    finally:
        if engine.process.poll() is None:
            engine.stop(signal.SIGKILL)


def _address(process: subprocess.Popen[bytes], log: Path) -> str:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        found = READY.search(log.read_text("utf-8", "replace"))
        if found:
            return found[1]
        if process.poll() is not None:
            break
        time.sleep(0.05)
    process.kill()
    raise AssertionError(f"the engine did not start:\n{log.read_text('utf-8', 'replace')}")
