"""What can be seen and done while a picture is being made."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.unit.webui_engine.http.conftest import decoded
from tests.unit.webui_engine.http.waiting import eventually
from webui_engine.app import create_app
from webui_engine.http.services import Services

LONG = {"prompt": "a woman", "steps": 150, "width": 128, "height": 128, "seed": 1, "sampler_name": "Euler"}
TASK = "task(long)"


class Run:
    """A request in its own thread."""

    def __init__(self, services: Services, **fields: Any) -> None:
        self.answer: Any = None
        self._client = create_app(services).test_client()
        self._thread = threading.Thread(target=self._ask, args=(LONG | fields,))
        self._thread.start()

    def _ask(self, body: dict[str, Any]) -> None:
        self.answer = self._client.post("/sdapi/v1/txt2img", json=body)

    def finish(self) -> Any:
        self._thread.join(timeout=60)
        return self.answer.get_json()


@pytest.fixture
def long_run(services: Services, client: FlaskClient) -> Iterator[Run]:
    """A run of many steps that has made some of them; it is stopped in the end."""
    run = Run(services, force_task_id=TASK)
    eventually(lambda: services.progress.view().sampling_step > 3)
    yield run
    client.post("/sdapi/v1/interrupt")
    run.finish()


def test_listings_answer_meanwhile(long_run: Run, client: FlaskClient) -> None:
    for path in (
        "sdapi/v1/samplers",
        "sdapi/v1/options",
        "sdapi/v1/loras",
        "controlnet/model_list",
        "internal/sajin",
    ):
        assert client.get(f"/{path}").status_code == 200
    assert long_run.answer is None


def test_progress_shows_steps_and_a_picture(long_run: Run, client: FlaskClient) -> None:
    eventually(lambda: client.get("/sdapi/v1/progress").get_json()["current_image"])
    told = client.get("/sdapi/v1/progress").get_json()
    assert 0 < told["progress"] < 1
    assert told["state"]["sampling_steps"] == LONG["steps"]
    assert decoded(told["current_image"]).width > 0
    assert client.get("/sdapi/v1/progress?skip_current_image=true").get_json()["current_image"] is None


def test_a_task_is_followed_by_its_own_id(long_run: Run, client: FlaskClient) -> None:
    eventually(lambda: client.post("/internal/progress", json={"id_task": TASK}).get_json()["live_preview"])
    told = client.post("/internal/progress", json={"id_task": TASK}).get_json()
    assert (told["active"], told["queued"], told["completed"]) == (True, False, False)
    assert told["live_preview"].startswith("data:image/png;base64,")
    other = client.post("/internal/progress", json={"id_task": "task(other)"}).get_json()
    assert (other["active"], other["queued"], other["completed"]) == (False, False, False)


def test_a_second_request_waits_in_line(long_run: Run, client: FlaskClient, services: Services) -> None:
    second = Run(services, force_task_id="task(second)", steps=1)
    eventually(lambda: services.queue.pending() == ("task(second)",))
    told = client.post("/internal/progress", json={"id_task": "task(second)"}).get_json()
    assert (told["queued"], told["textinfo"]) == (True, "In queue: 1/1")
    client.post("/sdapi/v1/interrupt")
    assert len(second.finish()["images"]) == 1
    assert client.post("/internal/progress", json={"id_task": "task(second)"}).get_json()["completed"]


def test_an_interrupt_gives_what_there_is_and_leaves_its_trace(long_run: Run, client: FlaskClient) -> None:
    assert client.post("/sdapi/v1/interrupt").get_json() == {}
    answer = long_run.finish()
    assert len(answer["images"]) == 1
    state = client.get("/sdapi/v1/progress").get_json()["state"]
    assert state["interrupted"]
    assert state["job_timestamp"] == json.loads(answer["info"])["job_timestamp"]


def test_a_request_that_fails_does_not_stay_active(client: FlaskClient, services: Services) -> None:
    client.post("/sdapi/v1/img2img", json={"force_task_id": "task(bad)", "init_images": ["zzz"]})
    assert services.queue.current() is None
    assert client.get("/internal/pending-tasks").get_json() == {"size": 0, "tasks": []}
