"""Face photos and animals through the HTTP border: keeping, ranking, ordering, erasing, and clear refusals."""

from __future__ import annotations

import io
from typing import Any

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient
from PIL import Image

from studio.service import Studio
from tests import persons
from tests.unit.id_photo.faces import VARIATIONS, photo

ROOT = "/api/v1/face-photos"
JOBS = "/api/v1/jobs"
FACE = photo(VARIATIONS[0])


def form(picture: bytes, consent: str = "true") -> dict[str, Any]:
    return {"picture": (io.BytesIO(picture), "me.jpg"), "consent": consent}


def twice(picture: bytes) -> bytes:
    """The same person beside herself."""
    one = Image.open(io.BytesIO(picture))
    both = Image.new("RGB", (one.width * 2, one.height))
    both.paste(one)
    both.paste(one, (one.width, 0))
    return persons.as_jpeg(both)


@pytest.fixture(scope="module")
def kept(app: APIFlask) -> dict[str, Any]:
    """A face photo that stays for all tests."""
    answer = app.test_client().post(ROOT, data=form(FACE))
    assert answer.status_code == 201, answer.get_json(force=True)
    body: dict[str, Any] = answer.get_json()
    return body


def test_only_the_square_around_the_head_is_kept(client: FlaskClient, kept: dict[str, Any]) -> None:
    file = Image.open(io.BytesIO(client.get(kept["url"]).data))
    assert file.size == (kept["width"], kept["height"])
    assert file.width == file.height < Image.open(io.BytesIO(FACE)).width
    assert client.get(f"{ROOT}/{kept['id']}").get_json() == kept
    assert kept["id"] in [item["id"] for item in client.get(ROOT).get_json()["items"]]


def test_every_animal_is_ranked_with_reasons_in_the_callers_language(
    client: FlaskClient, kept: dict[str, Any]
) -> None:
    ranking = {
        language: client.get(
            f"{ROOT}/{kept['id']}/animals", headers={"Accept-Language": language}
        ).get_json()["items"]
        for language in ("en", "ko")
    }
    assert len(ranking["en"]) == len(client.get("/api/v1/animals").get_json()["items"]) >= 20
    near = [match["nearness"] for match in ranking["en"]]
    assert near == sorted(near, reverse=True)
    for english, korean in zip(ranking["en"], ranking["ko"], strict=True):
        assert english["name"] == korean["name"]
        assert english["reasons"] != korean["reasons"]
        assert english["title"] != korean["title"]


def test_an_order_without_an_animal_takes_the_one_most_like_the_face(
    client: FlaskClient, kept: dict[str, Any]
) -> None:
    order = {"preset": "animal-repaint", "options": {"photo": kept["id"]}}
    nearest = client.get(f"{ROOT}/{kept['id']}/animals").get_json()["items"][0]["name"]
    job = client.post(JOBS, json=order).get_json()
    assert (job["status"], job["options"]["animal"]) == ("queued", nearest)
    chosen = client.post(JOBS, json={**order, "options": {"photo": kept["id"], "animal": "owl"}}).get_json()
    assert chosen["options"]["animal"] == "owl"


def test_the_catalogue_tells_which_presets_work_from_a_photo(client: FlaskClient) -> None:
    items = client.get("/api/v1/presets").get_json()["items"]
    taking = [item["name"] for item in items if any(option["key"] == "photo" for option in item["options"])]
    assert taking[-3:] == ["animal", "animal-pose", "animal-repaint"] == [item["name"] for item in items[-3:]]
    assert all(name.startswith("instant") for name in taking[:-3])


@pytest.mark.parametrize(
    ("options", "status", "code", "said"),
    [
        ({}, 422, "invalid_request", "options.photo"),
        ({"photo": "nothing"}, 404, "not_found", "face photo"),
        ({"photo": "nothing", "animal": "unicorn"}, 422, "invalid_request", "basset-hound"),
    ],
)
def test_an_order_that_cannot_be_met_is_refused(
    client: FlaskClient, options: dict[str, str], status: int, code: str, said: str
) -> None:
    answer = client.post(
        JOBS, json={"preset": "animal-repaint", "options": options}, headers={"Accept-Language": "en"}
    )
    body = answer.get_json(force=True)
    assert (answer.status_code, body["code"]) == (status, code)
    assert said in body["detail"]


@pytest.mark.parametrize(
    ("picture", "consent", "code"),
    [
        (FACE, "false", "consent_required"),
        (persons.as_jpeg(Image.new("RGB", (600, 800), (90, 120, 150))), "true", "no_face"),
        (twice(FACE), "true", "several_faces"),
        (b"this is no picture", "true", "bad_upload"),
        (FACE[:20_000], "true", "bad_upload"),
        (FACE, "perhaps", "invalid_request"),
    ],
    ids=["no consent", "no face", "two faces", "no picture", "cut off", "neither yes nor no"],
)
def test_a_photo_that_cannot_be_used_is_refused_and_not_kept(
    client: FlaskClient, picture: bytes, consent: str, code: str
) -> None:
    before = client.get(ROOT).get_json()
    answer = client.post(ROOT, data=form(picture, consent))
    assert (answer.status_code, answer.get_json(force=True)["code"]) == (422, code)
    assert client.get(ROOT).get_json() == before


def test_a_job_from_the_photo_of_one_of_the_people_is_a_job_of_that_person(
    client: FlaskClient, subject: str
) -> None:
    own = client.post(ROOT, data=form(FACE) | {"subject": subject}).get_json()
    job = client.post(JOBS, json={"preset": "animal-repaint", "options": {"photo": own["id"]}}).get_json()
    assert job["subject"] == subject


def test_erasing_one_person_leaves_the_same_face_photo_of_another(client: FlaskClient, subject: str) -> None:
    picture = photo(VARIATIONS[3])
    client.post(ROOT, data=form(picture) | {"subject": subject})
    other = client.post(ROOT, data=form(picture)).get_json()
    assert client.delete(f"/api/v1/subjects/{subject}").status_code == 204
    assert client.get(other["url"]).status_code == 200


def test_an_order_sent_again_is_the_first_job_though_its_photo_was_erased_meanwhile(
    client: FlaskClient,
) -> None:
    kept = client.post(ROOT, data=form(photo(VARIATIONS[4]))).get_json()
    order = {"preset": "animal-repaint", "options": {"photo": kept["id"]}}
    key = {"Idempotency-Key": "sent-twice"}
    first = client.post(JOBS, json=order, headers=key).get_json()
    client.delete(f"{ROOT}/{kept['id']}")
    assert client.post(JOBS, json=order, headers=key).get_json()["id"] == first["id"]


def test_erasing_takes_the_file_unless_another_shows_it(client: FlaskClient, studio: Studio) -> None:
    picture = photo(VARIATIONS[2])
    twins = [client.post(ROOT, data=form(picture)).get_json() for _ in range(2)]
    file = studio.face_photo_file(twins[0]["id"])
    assert client.delete(f"{ROOT}/{twins[0]['id']}").status_code == 204
    assert file.exists()
    assert client.delete(f"{ROOT}/{twins[1]['id']}").status_code == 204
    assert not file.exists()
    assert client.get(twins[1]["url"]).status_code == 404


def test_erasing_a_person_erases_their_face_photos(client: FlaskClient, studio: Studio, subject: str) -> None:
    answer = client.post(ROOT, data=form(photo(VARIATIONS[3])) | {"subject": subject})
    photo_id = answer.get_json()["id"]
    file = studio.face_photo_file(photo_id)
    assert answer.get_json()["subject_id"] == subject
    assert client.delete(f"/api/v1/subjects/{subject}").status_code == 204
    assert client.get(f"{ROOT}/{photo_id}").status_code == 404
    assert not file.exists()


def test_a_face_photo_of_nobody_known_is_refused(client: FlaskClient) -> None:
    answer = client.post(ROOT, data=form(FACE) | {"subject": "nobody"})
    assert (answer.status_code, answer.get_json(force=True)["code"]) == (404, "not_found")


@pytest.mark.parametrize("path", ["landmarks", "landmarks/file"])
def test_an_image_that_is_not_there_has_no_landmarks(client: FlaskClient, path: str) -> None:
    assert client.get(f"/api/v1/images/nothing/{path}").status_code == 404
