"""Photos through the HTTP border: good ones kept with verdicts, bad ones named with the reason, nothing lost."""

from __future__ import annotations

import io
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from flask.testing import FlaskClient
from PIL import Image
from werkzeug.test import TestResponse

from tests.persons import astronaut


def upload(
    client: FlaskClient, subject: str, *files: tuple[bytes, str], language: str = "en"
) -> TestResponse:
    return client.post(
        f"/api/v1/subjects/{subject}/photos",
        data={"photos": [(io.BytesIO(data), name) for data, name in files]},
        headers={"Accept-Language": language},
    )


def animated_gif() -> bytes:
    frames = [Image.new("RGB", (64, 64), colour) for colour in ("red", "blue")]
    buffer = io.BytesIO()
    frames[0].save(buffer, "GIF", save_all=True, append_images=frames[1:])
    return buffer.getvalue()


def bomb() -> bytes:
    """A PNG of a few kilobytes that says it has 400 megapixels."""
    buffer = io.BytesIO()
    Image.new("1", (20_000, 20_000)).save(buffer, "PNG")
    return buffer.getvalue()


def test_a_good_photo_is_kept_with_its_verdict_and_can_be_fetched(client: FlaskClient, subject: str) -> None:
    answer = upload(client, subject, (astronaut(1)[0], "me.jpg"))
    assert answer.status_code == 201
    photo = answer.get_json()["items"][0]
    assert photo["status"] in ("fit", "warning")
    file = client.get(photo["url"])
    assert Image.open(io.BytesIO(file.data)).size == (photo["width"], photo["height"])
    assert client.get(photo["thumbnail_url"]).status_code == 200


def test_a_kept_file_is_answered_from_the_callers_memory_when_unchanged(
    client: FlaskClient, subject: str
) -> None:
    photo = upload(client, subject, (astronaut(1)[0], "me.jpg")).get_json()["items"][0]
    first = client.get(photo["url"])
    assert first.headers["Cache-Control"] == "private, no-cache"
    assert client.get(photo["url"], headers={"If-None-Match": first.headers["ETag"]}).status_code == 304


@pytest.mark.parametrize(
    ("data", "name", "code"),
    [
        (b"", "empty.jpg", "empty_file"),
        (b"just some words", "words.jpg", "not_a_picture"),
        (astronaut(1)[0][:4000], "half.jpg", "truncated_picture"),
        (animated_gif(), "dance.gif", "animated_picture"),
        (bomb(), "bomb.png", "too_many_pixels"),
    ],
)
def test_a_bad_file_is_refused_by_name_and_the_good_one_beside_it_kept(
    client: FlaskClient, subject: str, data: bytes, name: str, code: str
) -> None:
    answer = upload(client, subject, (data, name), (astronaut(1)[0], "good.jpg"))
    assert answer.status_code == 201
    body = answer.get_json()
    assert [(file["filename"], file["code"]) for file in body["refused"]] == [(name, code)]
    assert [photo["filename"] for photo in body["items"]] == ["good.jpg"]


def test_sixty_photos_at_once_are_refused_and_none_is_kept(client: FlaskClient, subject: str) -> None:
    answer = upload(client, subject, *[(b"x", f"{number}.jpg") for number in range(60)])
    assert answer.status_code == 409
    assert answer.get_json(force=True)["code"] == "too_many_photos"
    assert client.get(f"/api/v1/subjects/{subject}/photos").get_json()["items"] == []


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "a\x00b.jpg", "\"quotes'.jpg", "🦊.jpg", "x" * 300 + ".jpg"]
)
def test_a_files_name_is_never_a_path(client: FlaskClient, subject: str, name: str) -> None:
    answer = upload(client, subject, (astronaut(1)[0], name))
    assert answer.status_code == 201
    kept = answer.get_json()["items"][0]["filename"]
    assert "/" not in kept
    assert "\x00" not in kept
    assert len(kept) <= 255


def test_an_upload_of_gigabytes_is_refused_by_what_it_says_of_itself(
    client: FlaskClient, subject: str
) -> None:
    answer = client.post(
        f"/api/v1/subjects/{subject}/photos",
        input_stream=io.BytesIO(b"--b\r\n"),
        content_type="multipart/form-data; boundary=b",
        environ_overrides={"CONTENT_LENGTH": "5000000000"},
    )
    assert (answer.status_code, answer.get_json(force=True)["code"]) == (413, "too_large")


def test_a_photo_is_only_found_under_its_own_person(client: FlaskClient, subject: str) -> None:
    photo = upload(client, subject, (astronaut(1)[0], "me.jpg")).get_json()["items"][0]
    other = client.post("/api/v1/subjects", json={"name": "B", "consent": True}).get_json()["id"]
    assert client.get(photo["url"].replace(subject, other)).status_code == 404


def test_verdicts_speak_korean_too(client: FlaskClient, subject: str) -> None:
    answer = upload(client, subject, (b"", "empty.jpg"), language="ko").get_json()
    assert answer["refused"][0]["message"] == "빈 파일입니다."
    assert "장" in answer["set"]["message"]


def test_too_few_photos_do_not_start_a_training(client: FlaskClient, subject: str) -> None:
    answer = client.post(f"/api/v1/subjects/{subject}/trainings", json={})
    assert answer.status_code == 409
    assert answer.get_json(force=True)["code"] == "not_enough_photos"


def test_a_trainer_that_is_not_installed_is_refused_with_what_to_do(
    client: FlaskClient, subject: str
) -> None:
    answer = client.post(f"/api/v1/subjects/{subject}/trainings", json={"trainer": "kohya"})
    problem = answer.get_json(force=True)
    assert (answer.status_code, problem["code"]) == (409, "training_unavailable")
    assert "SAJIN_KOHYA" in problem["detail"]
    assert client.get("/api/v1/status").get_json()["training"]["trainers"] == ["embedded"]


def test_a_trainer_nobody_knows_is_refused(client: FlaskClient, subject: str) -> None:
    answer = client.post(f"/api/v1/subjects/{subject}/trainings", json={"trainer": "magic"})
    assert (answer.status_code, answer.get_json(force=True)["errors"][0]["place"]) == (422, "trainer")


@pytest.mark.parametrize(
    ("method", "place"),
    [
        ({"name": "magic"}, "method.name"),
        ({"momentum": 0}, "method.momentum"),
        ({"vectors": "3"}, "method.vectors"),
        ({"descriptive_words": ["tall, dark"]}, "method.descriptive_words.0"),
        ({"speed": 3}, "method.speed"),
    ],
)
def test_a_method_that_cannot_be_is_refused_by_its_field(
    client: FlaskClient, subject: str, method: dict[str, object], place: str
) -> None:
    answer = client.post(f"/api/v1/subjects/{subject}/trainings", json={"method": method})
    assert (answer.status_code, answer.get_json(force=True)["errors"][0]["place"]) == (422, place)


def test_a_method_of_every_option_is_taken(client: FlaskClient, subject: str) -> None:
    method = {"name": "locon", "descriptive_words": ["tall", "dark"], "prior_loss_weight": 1}
    answer = client.post(f"/api/v1/subjects/{subject}/trainings", json={"method": method})
    assert answer.get_json(force=True)["code"] == "not_enough_photos"


def test_erasing_a_person_erases_the_photos(client: FlaskClient, subject: str) -> None:
    photo = upload(client, subject, (astronaut(1)[0], "me.jpg")).get_json()["items"][0]
    assert client.delete(f"/api/v1/subjects/{subject}").status_code == 204
    assert client.get(photo["url"]).status_code == 404


def test_a_text_is_no_picture_to_restore_from(client: FlaskClient) -> None:
    answer = client.post("/api/v1/images/restore", data={"picture": (io.BytesIO(b"words"), "words.png")})
    assert answer.status_code == 422
    assert answer.get_json(force=True)["code"] == "bad_upload"


def coach_of(client: FlaskClient, subject: str, language: str) -> dict[str, Any]:
    answer = client.get(f"/api/v1/subjects/{subject}/coach", headers={"Accept-Language": language})
    assert answer.status_code == 200
    told: dict[str, Any] = answer.get_json()
    return told


def test_the_coach_says_in_both_languages_what_one_more_photo_would_help(
    client: FlaskClient, subject: str
) -> None:
    upload(client, subject, *((photo, "me.jpg") for photo in astronaut(3)))
    english, korean = coach_of(client, subject, "en"), coach_of(client, subject, "ko")
    assert english["message"] == (
        "One more photo would help most: from the person's left side, with a calm face, beside a window."
    )
    assert english["wish"] == korean["wish"]
    assert korean["message"].startswith("한 장만 더 있다면")
    angles = english["coverage"][0]
    assert (angles["code"], angles["kinds"][0]) == (
        "angles",
        {"code": "front", "title": "front", "count": 3, "wanted": 4},
    )


def test_the_coach_of_nobody_is_not_found(client: FlaskClient) -> None:
    assert client.get("/api/v1/subjects/gone/coach").status_code == 404


def test_a_caption_is_changed_and_given_back(client: FlaskClient, subject: str) -> None:
    photo = upload(client, subject, (astronaut(1)[0], "me.jpg")).get_json()["items"][0]
    address = f"/api/v1/subjects/{subject}/photos/{photo['id']}"
    changed = client.patch(address, json={"caption": "in a space suit"}).get_json()
    assert (changed["caption"], changed["own_caption"]) == ("in a space suit", True)
    assert client.get(f"/api/v1/subjects/{subject}/photos").get_json()["items"] == [changed]
    assert client.patch(address, json={"caption": None}).get_json() == photo


@pytest.mark.parametrize("caption", ["two\nlines", "x" * 301, 7])
def test_a_caption_that_no_trainer_could_read_is_refused(
    client: FlaskClient, subject: str, caption: object
) -> None:
    photo = upload(client, subject, (astronaut(1)[0], "me.jpg")).get_json()["items"][0]
    refused = client.patch(f"/api/v1/subjects/{subject}/photos/{photo['id']}", json={"caption": caption})
    assert (refused.status_code, refused.get_json(force=True)["code"]) == (422, "invalid_request")


def test_a_photo_that_is_not_there_has_no_caption(client: FlaskClient, subject: str) -> None:
    answer = client.patch(f"/api/v1/subjects/{subject}/photos/gone", json={"caption": "x"})
    assert answer.status_code == 404


@contextmanager
def disk_that_takes(size: int) -> Iterator[None]:
    """Refuse to let any file grow beyond size bytes, as a full disk would."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_an_upload_on_a_full_disk_says_so_and_leaves_the_set_as_it_was(
    client: FlaskClient, subject: str
) -> None:
    first, second = astronaut(2)
    upload(client, subject, (first, "one.jpg"))
    before = client.get(f"/api/v1/subjects/{subject}/photos").get_json()
    with disk_that_takes(10_000):
        refused = upload(client, subject, (second, "two.jpg"))
    assert (refused.status_code, refused.get_json()["code"]) == (507, "disk_full")
    assert client.get(f"/api/v1/subjects/{subject}/photos").get_json() == before
