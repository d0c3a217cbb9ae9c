"""Event streams: an event at once, one on each change, an end at the final status, and never too many at a time."""

from __future__ import annotations

import json
import threading

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient

from flask_api.errors import Refusal
from flask_api.events import Listeners
from flask_api.present import Presenter
from flask_api.texts import texts_in
from studio.service import Studio
from studio.values import JobRequest


def events(text: str) -> list[dict[str, object]]:
    return [
        json.loads(line.removeprefix("data: ")) for line in text.splitlines() if line.startswith("data: ")
    ]


@pytest.fixture
def job(studio: Studio) -> str:
    """Id of a job that waits, since no worker runs."""
    return studio.create_job(JobRequest(preset="studio-profile")).id


def test_a_stream_tells_of_a_cancelled_job_and_ends(client: FlaskClient, studio: Studio, job: str) -> None:
    canceller = threading.Timer(0.4, studio.cancel_job, [job])
    canceller.start()
    answer = client.get(f"/api/v1/jobs/{job}/events")
    told = events(answer.get_data(as_text=True))
    canceller.join()
    assert answer.content_type.startswith("text/event-stream")
    assert [state["status"] for state in told] == ["queued", "cancelled"]


def test_a_finished_job_is_told_once(client: FlaskClient, studio: Studio, job: str) -> None:
    studio.cancel_job(job)
    assert len(events(client.get(f"/api/v1/jobs/{job}/events").get_data(as_text=True))) == 1


def test_an_unknown_job_has_no_stream(client: FlaskClient) -> None:
    assert client.get("/api/v1/jobs/none/events").status_code == 404


def test_one_listener_too_many_is_refused_and_a_place_comes_free_again(
    app: APIFlask, studio: Studio, job: str
) -> None:
    present = Presenter(texts_in("en"))
    listeners = Listeners(limit=1)

    with app.test_request_context():
        first = listeners.stream("job", lambda: present.job(studio.job(job)))
        with pytest.raises(Refusal, match="too_many_listeners"):
            listeners.stream("job", lambda: present.job(studio.job(job)))
        first.close()
        listeners.stream("job", lambda: present.job(studio.job(job))).close()


def test_stopping_ends_all_streams(app: APIFlask, studio: Studio, job: str) -> None:
    present = Presenter(texts_in("en"))
    listeners = Listeners()
    with app.test_request_context():
        stream = listeners.stream("job", lambda: present.job(studio.job(job)))
    listeners.stop()
    assert len(list(stream.iter_encoded())) == 1
