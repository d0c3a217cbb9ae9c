"""Schemathesis tries the whole API over real HTTP: examples, borders, random requests and chains of them."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import waitress

from flask_api.app import create_app
from flask_api.server import bind
from studio.service import open_studio
from tests.running_studio import free_settings

HERE = Path(__file__).parent


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """A served studio without a worker: orders wait, so nothing is in the way of the requests."""
    listening = bind("127.0.0.1", 0)
    with open_studio(free_settings(tmp_path)) as studio:
        server = waitress.create_server(create_app(studio), sockets=[listening], threads=36)
        thread = threading.Thread(target=server.run)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.trigger.pull_trigger(server.close)
        thread.join(10)


@pytest.mark.timeout(400)
def test_schemathesis_finds_nothing(address: str) -> None:
    options = ["--max-examples=8", "--seed=7", "--max-failures=20"]
    run = [
        sys.executable,
        "-m",
        "schemathesis.cli",
        f"--config-file={HERE / 'schemathesis.toml'}",
        "run",
        *options,
    ]
    done = subprocess.run(
        [*run, f"{address}/openapi.json"],
        env={**os.environ, "SCHEMATHESIS_HOOKS": "tests.api.hooks", "PYTHONPATH": str(HERE.parents[1])},
        capture_output=True,
        text=True,
        timeout=380,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-40_000:] + done.stderr[-2_000:]
