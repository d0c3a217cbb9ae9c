"""Draining and resuming servers over HTTP."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask.testing import FlaskClient

from flask_api.present import Presenter
from flask_api.texts import LANGUAGES, texts_in
from studio.pipeline.retrying import code_of
from studio.records import now
from studio.service import Studio
from studio.values import Server
from studio.worker.stopping import Stopping
from studio.worker.watching import Watcher
from webui_client.client import WebuiClient
from webui_client.errors import ServerFailed
from webui_client.pool import WebuiPool

SERVERS = "/api/v1/servers"
URL = "http://127.0.0.1:9"


@pytest.fixture
def server(studio: Studio, tmp_path: Path) -> str:
    """A server that a worker has looked at."""
    base = studio._foundations
    watcher = Watcher(
        database=base.database,
        queue=base.queue,
        pool=WebuiPool([WebuiClient(URL)], tmp_path),
        executor_id="test",
        stopping=Stopping(),
    )
    watcher.look_at_servers()
    return URL


def takes_work(client: FlaskClient) -> bool:
    (listed,) = client.get(SERVERS).get_json()["items"]
    return bool(listed["takes_work"])


def test_a_server_is_drained_until_it_is_resumed(client: FlaskClient, server: str) -> None:
    answer = client.post(f"{SERVERS}/drain", json={"url": server})
    assert (answer.status_code, answer.get_json()["takes_work"]) == (200, False)
    assert not takes_work(client)
    answer = client.post(f"{SERVERS}/resume", json={"url": server})
    assert (answer.status_code, answer.get_json()["takes_work"]) == (200, True)
    assert takes_work(client)


@pytest.mark.parametrize("act", ["drain", "resume"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_an_unknown_server_is_named(client: FlaskClient, act: str, language: str) -> None:
    answer = client.post(
        f"{SERVERS}/{act}", json={"url": "http://elsewhere:1"}, headers={"Accept-Language": language}
    )
    assert answer.status_code == 404
    assert "http://elsewhere:1" in answer.get_json(force=True)["detail"]
    assert texts_in(language).say("kinds", "server") in answer.get_json(force=True)["detail"]


@pytest.mark.parametrize("body", [{}, {"url": ""}, {"url": URL, "more": 1}])
def test_a_server_must_be_named(client: FlaskClient, body: dict[str, object]) -> None:
    assert client.post(f"{SERVERS}/drain", json=body).status_code == 422


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_server_that_rests_says_in_words_what_went_wrong_and_how_often(language: str) -> None:
    error = ServerFailed(URL, "/sdapi/v1/txt2img", 500, "CUDA out of memory")
    resting = Server(
        url=URL,
        flavour="a1111",
        version="1",
        status="resting",
        failures=3,
        retry_at=now(),
        checkpoint="a",
        native_size=512,
        demonstration=False,
        capabilities={},
        problem=code_of(error),
        details=str(error),
        seen_at=now(),
    )
    answer = Presenter(texts_in(language)).server(resting)
    assert answer.problem is not None
    assert "3" in answer.problem
    assert texts_in(language).say("failures", code_of(error), "message") in answer.problem
