"""The HTTP border over a real studio on a data folder of its own, without worker and engine."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import waitress
from apiflask import APIFlask
from flask.testing import FlaskClient

from flask_api.app import create_app
from studio.service import Studio, open_studio
from tests.running_studio import free_settings


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    with open_studio(free_settings(Path(tmp_path_factory.mktemp("data")))) as opened:
        yield opened


@pytest.fixture(scope="module")
def app(studio: Studio) -> APIFlask:
    return create_app(studio, allowed_hosts=["studio.example"])


@pytest.fixture
def client(app: APIFlask) -> FlaskClient:
    return app.test_client()


@pytest.fixture(scope="module")
def address(app: APIFlask) -> Iterator[str]:
    """Where the API answers over real HTTP, under the server that it has in life."""
    server = waitress.create_server(app, host="127.0.0.1", port=0)
    thread = threading.Thread(target=server.run)
    thread.start()
    yield f"http://127.0.0.1:{server.effective_port}"
    server.trigger.pull_trigger(server.close)  # in its own thread: what it waits on must not go away under it
    thread.join()


@pytest.fixture
def subject(client: FlaskClient) -> str:
    """Id of a new person without photos."""
    answer = client.post("/api/v1/subjects", json={"name": "Mina", "class_noun": "woman", "consent": True})
    return str(answer.get_json()["id"])
