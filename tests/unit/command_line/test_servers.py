"""`sajin servers` against a studio that runs."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import waitress

from flask_api.app import create_app
from flask_api.server import bind
from studio.service import Studio, open_studio
from studio.worker.stopping import Stopping
from studio.worker.watching import Watcher
from tests.running_studio import free_settings
from tests.unit.command_line.test_start import sajin
from webui_client.client import WebuiClient
from webui_client.pool import WebuiPool

URL = "http://127.0.0.1:9"


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    """A studio whose worker has looked at one server."""
    folder = Path(tmp_path_factory.mktemp("data"))
    with open_studio(free_settings(folder)) as opened:
        base = opened._foundations
        pool = WebuiPool([WebuiClient(URL)], folder / "locks")
        watcher = Watcher(
            database=base.database, queue=base.queue, pool=pool, executor_id="test", stopping=Stopping()
        )
        watcher.look_at_servers()
        yield opened


@pytest.fixture(scope="module")
def port(studio: Studio) -> Iterator[str]:
    """Where its API listens."""
    listening = bind("127.0.0.1", 0)
    server = waitress.create_server(create_app(studio), sockets=[listening])
    thread = threading.Thread(target=server.run)
    thread.start()
    yield str(listening.getsockname()[1])
    server.trigger.pull_trigger(server.close)
    thread.join(10)


def test_a_server_is_listed_drained_and_resumed(studio: Studio, port: str) -> None:
    assert URL in sajin("servers", "list", SAJIN_API_PORT=port).stdout
    assert sajin("servers", "drain", URL, SAJIN_API_PORT=port).returncode == 0
    assert [server.takes_work for server in studio.servers()] == [False]
    listed = sajin("servers", "list", "--json", SAJIN_API_PORT=port).stdout
    assert [server["takes_work"] for server in json.loads(listed)["servers"]] == [False]
    assert "takes no new work" in sajin("servers", "list", SAJIN_API_PORT=port).stdout
    assert sajin("servers", "resume", URL, SAJIN_API_PORT=port).returncode == 0
    assert [server.takes_work for server in studio.servers()] == [True]


def test_an_unknown_server_and_a_studio_that_is_away_are_one_line(port: str) -> None:
    unknown = sajin("servers", "drain", "http://elsewhere:1", SAJIN_API_PORT=port)
    away = sajin("servers", "list", SAJIN_API_PORT="9")
    for done in (unknown, away):
        assert done.returncode == 1
        assert len(done.stderr.splitlines()) == 1
    assert "http://elsewhere:1" in unknown.stderr
