"""The engine as a process: how it starts, stops and survives."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import requests

from tests.contract.engine_process import REPOSITORY, running


def serve(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "webui_engine", *arguments]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    return subprocess.run(
        command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, timeout=90, check=False
    )


def test_a_port_in_use_is_one_line_and_status_two(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = serve("--port", str(port), "--data", str(tmp_path))
    assert ended.returncode == 2
    assert ended.stderr == f"The port {port} on 127.0.0.1 cannot be used: Address already in use.\n"


def test_an_unknown_checkpoint_stops_the_start_and_lists_the_known(tmp_path: Path) -> None:
    ended = serve("--port", "0", "--data", str(tmp_path), "--checkpoint", "missing")
    assert ended.returncode == 3
    assert "sajin-tiny" in ended.stderr.splitlines()[-1]


def test_a_checkpoint_may_be_named_by_its_path_wherever_it_lies(tmp_path: Path) -> None:
    bundled = REPOSITORY / "webui_engine" / "models" / "Stable-diffusion" / "sajin-tiny"
    mine = shutil.copytree(bundled, tmp_path / "elsewhere" / "mine")
    with running(tmp_path / "data", "--checkpoint", mine) as engine:
        options = requests.get(f"{engine.url}/sdapi/v1/options", timeout=10).json()
        assert options["sd_model_checkpoint"].startswith("mine [")
        assert engine.stop(signal.SIGTERM) == 0


def test_options_survive_a_kill_and_sigterm_ends_cleanly(tmp_path: Path) -> None:
    with running(tmp_path) as engine:
        assert requests.get(f"{engine.url}/internal/sajin", timeout=10).json()["name"] == "sajin"
        saved = {"CLIP_stop_at_last_layers": 2}
        assert requests.post(f"{engine.url}/sdapi/v1/options", json=saved, timeout=10).status_code == 200
        engine.stop(signal.SIGKILL)
    assert json.loads((tmp_path / "options.json").read_text("utf-8")) == saved
    with running(tmp_path) as engine:
        options = requests.get(f"{engine.url}/sdapi/v1/options", timeout=10).json()
        assert options["CLIP_stop_at_last_layers"] == 2
        assert engine.stop(signal.SIGTERM) == 0
