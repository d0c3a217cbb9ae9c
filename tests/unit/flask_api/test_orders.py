"""Orders through the HTTP border: queued at once, harmless to repeat, listed, cancelled, retried."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient

from studio.service import Studio

JOBS = "/api/v1/jobs"
ORDER = {"preset": "studio-profile", "count": 2, "options": {"seed": 7}}


def test_an_order_is_queued_and_shown_in_full(client: FlaskClient) -> None:
    answer = client.post(JOBS, json=ORDER)
    job = answer.get_json()
    assert answer.status_code == 202
    assert (job["status"], job["count"], job["options"]["seed"]) == ("queued", 2, 7)
    assert client.get(f"{JOBS}/{job['id']}").get_json() == job


def test_an_order_sent_twice_with_one_key_is_one_job(client: FlaskClient) -> None:
    headers = {"Idempotency-Key": "the-first-portrait"}
    first, again = (client.post(JOBS, json=ORDER, headers=headers).get_json() for _ in range(2))
    assert again["id"] == first["id"]


def test_another_order_with_a_used_key_is_a_conflict(client: FlaskClient) -> None:
    headers = {"Idempotency-Key": "one-key-for-two"}
    client.post(JOBS, json=ORDER, headers=headers)
    answer = client.post(JOBS, json={**ORDER, "count": 3}, headers=headers)
    assert answer.status_code == 409
    assert answer.get_json(force=True)["code"] == "idempotency_conflict"


@pytest.mark.parametrize("key", ["", "k" * 300, "with space"])
def test_a_key_that_is_none_is_refused(client: FlaskClient, key: str) -> None:
    assert client.post(JOBS, json=ORDER, headers={"Idempotency-Key": key}).status_code == 422


def test_a_cancelled_order_can_be_retried_and_a_waiting_one_not(client: FlaskClient) -> None:
    job = client.post(JOBS, json=ORDER).get_json()["id"]
    refused = client.post(f"{JOBS}/{job}/retry")
    assert (refused.status_code, refused.get_json(force=True)["code"]) == (409, "not_retryable")
    assert client.post(f"{JOBS}/{job}/cancel").get_json()["status"] == "cancelled"
    assert client.post(f"{JOBS}/{job}/retry").get_json()["status"] == "queued"


def test_a_job_that_took_no_face_from_a_photo_is_not_made_again(client: FlaskClient) -> None:
    job = client.post(JOBS, json=ORDER).get_json()
    assert job["redo"] == "none"
    refused = client.post(f"{JOBS}/{job['id']}/again")
    assert (refused.status_code, refused.get_json(force=True)["code"]) == (409, "nothing_learned")


def test_lists_come_in_pages(client: FlaskClient) -> None:
    made = {client.post(JOBS, json=ORDER).get_json()["id"] for _ in range(3)}
    first = client.get(f"{JOBS}?limit=2").get_json()
    second = client.get(f"{JOBS}?limit=200&cursor={first['next']}").get_json()
    listed = [job["id"] for job in (*first["items"], *second["items"])]
    assert len(first["items"]) == 2
    assert made <= set(listed)
    assert len(listed) == len(set(listed))


def test_a_stage_setting_the_preset_does_not_have_is_named(client: FlaskClient) -> None:
    order = {**ORDER, "options": {"stages": {"tone": {"no_such_setting": 1}}}}
    answer = client.post(JOBS, json=order)
    assert answer.status_code == 422
    assert "no_such_setting" in answer.get_data(as_text=True)


def test_a_broken_preset_text_is_told_line_by_line(client: FlaskClient) -> None:
    check = client.post(
        "/api/v1/presets/validate", json={"yaml": "title: {en: x, ko: y}\ncolour: red\n"}
    ).get_json()
    assert check["ok"] is False
    assert any(problem["line"] == 2 and problem["key"] == "colour" for problem in check["problems"])


@pytest.fixture
def locked_database(studio: Studio) -> Iterator[None]:
    """The studio's database, held by another program."""
    holder = sqlite3.connect(studio.settings.data_folder / "sajin.db", isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    yield
    holder.rollback()
    holder.close()


def test_a_locked_database_is_said_and_nothing_is_lost(
    client: FlaskClient, request: pytest.FixtureRequest, subject: str
) -> None:
    request.getfixturevalue("locked_database")
    answer = client.post("/api/v1/subjects", json={"name": "Late", "consent": True})
    assert (answer.status_code, answer.get_json(force=True)["code"]) == (503, "database_locked")
    assert client.get(f"/api/v1/subjects/{subject}").status_code == 200


def test_the_products_are_told_in_order_with_the_presets_that_make_them(client: FlaskClient) -> None:
    products = client.get("/api/v1/products", headers={"Accept-Language": "ko"}).get_json()["items"]
    names = [product["name"] for product in products]
    assert names[:3] == ["profile", "id_photo", "instant"]
    told = dict(zip(names, products, strict=True))
    assert told["profile"]["title"] == "프로필 사진"
    assert told["profile"]["presets"][0] == "studio-profile"
    assert (told["id_photo"]["presets"], told["id_photo"]["available"]) == ([], True)
    for product in products:
        if product["thumbnail_url"]:
            assert client.get(product["thumbnail_url"]).mimetype == "image/jpeg"
    assert client.get("/api/v1/products/nothing/thumbnail").status_code == 404


def test_the_tones_are_told_and_one_that_is_none_is_refused_by_name(client: FlaskClient) -> None:
    tones = client.get("/api/v1/tones").get_json()["items"]
    assert tones[0] | {"description": ""} == {
        "name": "warm-portrait",
        "title": "Warm portrait film",
        "description": "",
    }
    order = {"preset": "stranger", "options": {"tone": "sepia"}}
    answer = client.post("/api/v1/jobs", json=order)
    assert answer.status_code == 422
    assert "warm-portrait" in answer.get_json()["errors"][0]["message"]
