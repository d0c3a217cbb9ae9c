"""Recordings of more than one call: progress, interrupts and other requests while a picture is being made.

The runs are sent again and looked at while they go on; every answer must have a recorded shape. They are made LONGER,
because the engine is quicker on these small models than the looks that were recorded.
"""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from tests.contract.engine_process import EngineProcess
from tests.contract.recorded_requests import sendable
from tests.contract.shapes import differences, infotext_differences, picture_differences
from tests.contract.table_of_differences import DELIBERATE
from tests.recordings import recordings

LONGER = 6
PATIENCE_SECONDS = 60.0
PREVIEWED_EVERY_STEP, NOT_PREVIEWED = 388, 389

WATCHED = {370: 370, 371: 370, 372: 372, 373: 373, 374: 374, PREVIEWED_EVERY_STEP: 370, NOT_PREVIEWED: 370}
"""Recordings of progress, and those that tell the request that ran."""

PREVIEWS: dict[int, dict[str, Any]] = {
    PREVIEWED_EVERY_STEP: {"show_progress_every_n_steps": 1},
    NOT_PREVIEWED: {"live_previews_enable": False},
}
STOPPED = (376, 377, 378, 379, 380, 381, 382, 435)
BY_TASK, IN_LINE, OTHERS_MEANWHILE, HUNG_UP, STOPPED_BEFORE_ANOTHER = 375, 383, 384, 436, 437
RUNS = (*WATCHED, *STOPPED, BY_TASK, IN_LINE, OTHERS_MEANWHILE, HUNG_UP, STOPPED_BEFORE_ANOTHER)

pytestmark = pytest.mark.xdist_group("recordings")


class Server:
    """The engine, asked by path."""

    def __init__(self, url: str) -> None:
        self.url = url

    def get(self, path: str) -> Any:
        return requests.get(self.url + path, timeout=30).json()

    def post(self, path: str, body: Any) -> requests.Response:
        return requests.post(self.url + path, json=body, timeout=120)

    def progress(self, query: str = "") -> Any:
        return self.get(f"/sdapi/v1/progress{query}")

    def until(self, reached: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Look at the state until it is as wanted; returns the progress seen then."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            told: dict[str, Any] = self.progress("?skip_current_image=true")
            if reached(told["state"]):
                return told
        raise AssertionError("the run did not get there")


@pytest.fixture(scope="module")
def server(recorded_engine: EngineProcess) -> Server:
    return Server(recorded_engine.url)


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as threads:
        yield threads


def body_of(number: int) -> dict[str, Any]:
    recorded = recordings()[number]["request"]["json"]
    body: dict[str, Any] = sendable(recorded)
    return body | {"steps": body["steps"] * LONGER}


def path_of(number: int) -> str:
    request = recordings()[number]["request"]
    return str(request.get("path") or ("img2img" if "init_images" in request["json"] else "txt2img"))


def start(pool: ThreadPoolExecutor, server: Server, number: int) -> Future[requests.Response]:
    path = path_of(number)
    return pool.submit(server.post, path if path.startswith("/") else f"/sdapi/v1/{path}", body_of(number))


def is_running(state: dict[str, Any]) -> bool:
    return bool(state["job"]) and state["sampling_step"] > 0


@pytest.mark.parametrize("number", sorted(WATCHED))
def test_progress_looks_as_it_did(number: int, server: Server, pool: ThreadPoolExecutor) -> None:
    recorded = recordings()[number]
    query = urlsplit(recorded.get("progress_path", "")).query
    samples = []
    before = {key: server.get("/sdapi/v1/options")[key] for key in PREVIEWS.get(number, {})}
    server.post("/sdapi/v1/options", PREVIEWS.get(number, {}))
    run = start(pool, server, WATCHED[number])
    while not run.done():
        samples.append(server.progress(f"?{query}"))
    server.post("/sdapi/v1/options", before)
    assert run.result().status_code == 200
    assert any(is_running(sample["state"]) for sample in samples)
    shapes = [sample["json"] for sample in recorded["progress_samples"]]
    assert list(differences(shapes, samples)) == []
    shown = any(sample["current_image"] for sample in samples)
    assert shown or not any(shape["current_image"] for shape in shapes)
    assert not (shown and number == NOT_PREVIEWED)


def test_a_task_is_told_by_its_id_as_it_was(server: Server, pool: ThreadPoolExecutor) -> None:
    samples = [sample for sample in recordings()[BY_TASK]["samples"] if "internal_progress" in sample]
    question = {"id_task": body_of(BY_TASK)["force_task_id"], "id_live_preview": -1, "live_preview": True}
    run = start(pool, server, BY_TASK)
    server.until(is_running)
    told, pending = server.post("/internal/progress", question).json(), server.get("/internal/pending-tasks")
    run.result()
    assert told["active"]
    assert list(differences([sample["internal_progress"] for sample in samples], [told])) == []
    assert list(differences([sample["pending_tasks"] for sample in samples], [pending])) == []


@pytest.mark.parametrize("number", STOPPED)
def test_a_stopped_run_answers_as_it_did(number: int, server: Server, pool: ThreadPoolExecutor) -> None:
    recorded = recordings()[number]
    pass_number = recorded["progress_right_after"]["state"]["job_no"]
    sent = recorded["sent_during_run"]
    run = start(pool, server, number)
    server.until(lambda state: is_running(state) and state["job_no"] >= pass_number)
    stop = requests.post(server.url + sent["path"], timeout=30)
    answer = run.result()
    afterwards = server.progress()
    assert (stop.status_code, stop.text.strip()) == (sent["status"], sent["text"])
    assert list(differences(recorded["progress_after_run"], afterwards)) == []
    for flag in ("interrupted", "skipped"):
        assert afterwards["state"][flag] == recorded["progress_after_run"]["state"][flag]
    expected = recorded["answer_of_the_run"]
    assert answer.status_code == DELIBERATE.get(number, expected["status"])
    found = [
        *differences(expected["json"], answer.json()),
        *picture_differences({"images": expected["images_decoded"]}, answer.json()),
        *infotext_differences(expected["json"], answer.json()),
    ]
    assert bool(found) == (number in DELIBERATE), found


def test_a_second_request_waits_in_line_as_it_did(server: Server, pool: ThreadPoolExecutor) -> None:
    recorded = recordings()[IN_LINE]
    first = start(pool, server, IN_LINE)
    server.until(is_running)
    second = pool.submit(
        server.post, "/sdapi/v1/txt2img", body_of(IN_LINE) | {"force_task_id": "task(second)"}
    )
    question = {"id_task": "task(second)", "id_live_preview": -1, "live_preview": True}
    while not (told := server.post("/internal/progress", question).json())["queued"] and not first.done():
        time.sleep(0.01)
    waiting = server.get("/internal/pending-tasks")
    shapes = [sample["internal_progress_second"] for sample in recorded["samples"]]
    assert told["textinfo"] == "In queue: 1/1"
    assert waiting == {"size": 1, "tasks": ["task(second)"]}
    assert list(differences(shapes, [told])) == []
    assert (first.result().status_code, second.result().status_code) == (
        recorded["first"]["status"],
        recorded["second"]["status"],
    )


def test_other_calls_are_answered_meanwhile_as_they_were(server: Server, pool: ThreadPoolExecutor) -> None:
    picture = server.post("/sdapi/v1/txt2img", body_of(370) | {"steps": 1}).json()["images"][0]
    bodies = {
        "/sdapi/v1/png-info": {"image": picture},
        "/controlnet/detect": {"controlnet_module": "canny", "controlnet_input_images": [picture]},
        "/sdapi/v1/extra-single-image": {"image": picture, "upscaler_1": "Lanczos"},
    }
    run = start(pool, server, 370)
    server.until(is_running)
    for call in recordings()[OTHERS_MEANWHILE]["calls"]:
        answer = requests.request(
            call["method"], server.url + call["path"], json=bodies.get(call["path"]), timeout=60
        )
        assert (call["path"], answer.status_code) == (call["path"], call["status"])
        assert (call["path"], not run.done()) == (call["path"], call["run_still_alive"])
    run.result()


def test_a_client_that_hangs_up_does_not_stop_the_run(server: Server) -> None:
    address = urlsplit(server.url)
    content = json.dumps(body_of(370)).encode()
    head = (
        f"POST /sdapi/v1/txt2img HTTP/1.1\r\nHost: {address.netloc}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(content)}\r\n\r\n"
    )
    with socket.create_connection((str(address.hostname), int(address.port or 0))) as connection:
        connection.sendall(head.encode() + content)
        seen = server.until(is_running)["state"]["sampling_step"]
    later = server.until(lambda state: not state["job"] or state["sampling_step"] > seen)
    assert later["state"]["job"]
    ended = server.until(lambda state: not state["job"])
    assert not ended["state"]["interrupted"]


def test_an_interrupt_leaves_the_waiting_request_alone(server: Server, pool: ThreadPoolExecutor) -> None:
    recorded = recordings()[STOPPED_BEFORE_ANOTHER]
    body = body_of(370)
    first = pool.submit(server.post, "/sdapi/v1/txt2img", body)
    server.until(is_running)
    second = pool.submit(server.post, "/sdapi/v1/txt2img", body | {"seed": 2, "steps": 30})
    while server.get("/internal/pending-tasks")["size"] < 1:
        time.sleep(0.01)
    server.post("/sdapi/v1/interrupt", {})
    for name, answer in (("first", first.result()), ("second", second.result())):
        assert answer.status_code == recorded[name]["status"]
        assert list(differences(recorded[name]["json"], answer.json())) == []
        assert list(infotext_differences(recorded[name]["json"], answer.json())) == []
    whole = server.post("/sdapi/v1/txt2img", body | {"seed": 2, "steps": 30}).json()["images"]
    assert second.result().json()["images"] == whole
