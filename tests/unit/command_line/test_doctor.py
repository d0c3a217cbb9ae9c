"""`sajin doctor` on WebUI addresses that are none: each is named with what it is and what to do."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from command_line.programs import child_environment
from tests.replay import ReplayServer, Reply
from tests.running_studio import free_settings
from tests.stand_ins.easyphoto import EasyPhotoServer


def examined(data: Path, url: str, **more: object) -> subprocess.CompletedProcess[str]:
    settings = free_settings(data, webui_urls=(url,), **more)
    return subprocess.run(
        [sys.executable, "-m", "command_line", "doctor"],
        env={**os.environ, **child_environment(settings)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    ("reply", "told"),
    [
        (Reply(200, b"<html>hello</html>"), "is not a WebUI"),
        (Reply(401, {"detail": "Not authenticated"}), "asks for a name and password"),
        (Reply(302, b"", headers=(("Location", "https://elsewhere.example/"),)), "elsewhere.example"),
    ],
    ids=["a web site", "wants a password", "redirects"],
)
def test_an_address_that_is_no_open_webui_is_named_with_what_it_is(
    tmp_path: Path, reply: Reply, told: str
) -> None:
    with ReplayServer() as server:
        for method, path in list(server.routes):
            server.on(method, path, reply)
        done = examined(tmp_path, server.url)
    assert done.returncode == 1
    assert server.url in done.stdout
    assert told in " ".join(done.stdout.split())
    assert "Traceback" not in done.stderr


def test_nobody_at_the_address_is_named_too(tmp_path: Path) -> None:
    done = examined(tmp_path, "http://127.0.0.1:9")
    assert done.returncode == 1
    assert "cannot be reached" in " ".join(done.stdout.split())


def test_a_server_without_easyphoto_is_named_when_that_is_the_trainer(tmp_path: Path) -> None:
    learning = {"trainer": "easyphoto", "lora_dir": tmp_path, "checkpoint": Path("realistic.safetensors")}
    with ReplayServer() as server:
        without = " ".join(examined(tmp_path, server.url, **learning).stdout.split())
        EasyPhotoServer(server, tmp_path)
        having = " ".join(examined(tmp_path, server.url, **learning).stdout.split())
    assert "no server that answers has the extension EasyPhoto" in without
    assert "no server that answers has the extension EasyPhoto" not in having
    assert "on realistic.safetensors" in having
