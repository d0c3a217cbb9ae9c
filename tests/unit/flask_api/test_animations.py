"""Animations through the HTTP border: what is told of them, their files, and clear refusals."""

from __future__ import annotations

import io
from typing import Any

import av
import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient
from PIL import Image

from studio.animation.clip import Clip, kept
from studio.database.tables import ImageRow, JobRow
from studio.recipes import with_recipe
from studio.records import new_id, now
from studio.service import Studio
from studio.values import LOCAL_OWNER, Movement, Status
from tests.moving import swaying

TITLE = {"en": "Moving", "ko": "움직임"}
INFOTEXT = "a portrait\nSteps: 3, Sampler: DDIM, Seed: 1"
MOVEMENT = Movement(frames=6, fps=8, repaired=4, flicker=0.4, seam=9.5)


@pytest.fixture(scope="module")
def animation(app: APIFlask, studio: Studio) -> str:
    """Id of an animation that was made before."""
    return put(studio, MOVEMENT)


@pytest.fixture(scope="module")
def still(app: APIFlask, studio: Studio) -> str:
    """Id of a picture that does not move."""
    return put(studio, None)


def put(studio: Studio, movement: Movement | None) -> str:
    """Keep a picture as the worker does at the end of a job."""
    base, image_id, job_id = studio._foundations, new_id(), new_id()
    frames = swaying(6, 96) if movement else swaying(6, 96)[:1]
    path = base.store.put(
        with_recipe(kept(Clip(frames=frames, fps=8)), INFOTEXT, {"id": image_id}), "outputs", ".png"
    )
    with base.database.write() as session:
        session.add(JobRow(**job_columns(job_id)))
        session.flush()
        session.add(
            ImageRow(
                id=image_id,
                owner_id=LOCAL_OWNER,
                job_id=job_id,
                subject_id=None,
                number=0,
                preset="animated",
                preset_title=TITLE,
                seed=1,
                path=path,
                width=96,
                height=96,
                likeness=None,
                likeness_measure=None,
                stages=[],
                prompt="",
                favourite=False,
                movement=movement.model_dump() if movement else None,
                demonstration=False,
                created_at=now(),
            )
        )
    return image_id


def job_columns(job_id: str) -> dict[str, Any]:
    """A job that has succeeded."""
    empty = dict.fromkeys(column.key for column in JobRow.__table__.columns)
    return empty | {
        "id": job_id,
        "owner_id": LOCAL_OWNER,
        "preset": "animated",
        "product": {"title": TITLE},
        "preset_version": "",
        "status": Status.SUCCEEDED,
        "progress": 1.0,
        "count": 1,
        "seed": 1,
        "options": {},
        "demonstration": False,
        "cancel_requested": False,
        "attempt": 0,
        "request_hash": "",
        "created_at": now(),
    }


def test_an_animation_tells_how_it_moves_in_numbers_and_words(client: FlaskClient, animation: str) -> None:
    told = {
        language: client.get(f"/api/v1/images/{animation}", headers={"Accept-Language": language}).get_json()
        for language in ("en", "ko")
    }
    moving = told["en"]["animation"]
    assert (moving["frames"], moving["seconds"], moving["flicker"], moving["seam"]) == (6, 0.75, 0.4, 9.5)
    assert moving["flicker_text"].startswith("Steady")
    assert moving["seam_text"].startswith("Not a loop")
    assert "4 of 6" in moving["repaired_text"]
    assert told["ko"]["animation"]["seam_text"] != moving["seam_text"]


def test_every_format_is_offered_with_its_true_size_and_type(client: FlaskClient, animation: str) -> None:
    types = {"gif": "image/gif", "mp4": "video/mp4", "webp": "image/webp", "apng": "image/apng"}
    items = client.get(f"/api/v1/images/{animation}/animation").get_json()["items"]
    assert [item["format"] for item in items] == list(types)
    for item in items:
        answer = client.get(item["url"])
        assert (answer.mimetype, len(answer.data)) == (types[item["format"]], item["bytes"])


def test_a_pace_is_kept_in_every_format(client: FlaskClient, animation: str) -> None:
    gif = client.get(f"/api/v1/images/{animation}/animation/gif?fps=20")
    with Image.open(io.BytesIO(gif.data)) as image:
        assert image.info["duration"] == 50
    mp4 = client.get(f"/api/v1/images/{animation}/animation/mp4?fps=20")
    with av.open(io.BytesIO(mp4.data), "r") as container:
        assert container.streams.video[0].average_rate == 20


def test_a_gif_keeps_its_budget(client: FlaskClient, animation: str) -> None:
    items = client.get(f"/api/v1/images/{animation}/animation?budget_kb=20").get_json()["items"]
    gif = next(item for item in items if item["format"] == "gif")
    assert gif["bytes"] <= 20_000
    assert len(client.get(gif["url"]).data) == gif["bytes"]


def test_a_budget_that_no_gif_can_keep_is_refused_before_anything_is_made(
    client: FlaskClient, animation: str
) -> None:
    answer = client.get(f"/api/v1/images/{animation}/animation/gif?budget_kb=3")
    assert (answer.status_code, answer.get_json(force=True)["code"]) == (422, "invalid_request")


@pytest.mark.parametrize("path", ["animation", "animation/gif"])
def test_a_still_picture_has_no_animation(client: FlaskClient, still: str, path: str) -> None:
    assert client.get(f"/api/v1/images/{still}").get_json()["animation"] is None
    answer = client.get(f"/api/v1/images/{still}/{path}")
    assert (answer.status_code, answer.get_json(force=True)["code"]) == (404, "not_found")


def test_a_format_there_is_not_is_no_address(client: FlaskClient, animation: str) -> None:
    assert client.get(f"/api/v1/images/{animation}/animation/avi").status_code == 404
