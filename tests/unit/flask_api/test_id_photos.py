"""ID photos through the HTTP border: documents, making, checking, sheets, erasing, and clear refusals."""

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

ROOT = "/api/v1/id-photos"
NOBODY = Image.new("RGB", (600, 800), (90, 120, 150))


def form(document: str, picture: bytes, **fields: str) -> dict[str, Any]:
    return {"picture": (io.BytesIO(picture), "photo.jpg"), "document": document, **fields}


@pytest.fixture(scope="module")
def made(app: APIFlask) -> dict[str, Any]:
    """An ID photo that stays for all tests."""
    answer = app.test_client().post(ROOT, data=form("kr-resume-35x45", photo(VARIATIONS[1])))
    assert answer.status_code == 201, answer.get_json(force=True)
    body: dict[str, Any] = answer.get_json()
    return body


@pytest.mark.parametrize(("language", "title"), [("ko", "대한민국 여권"), ("en", "Korean passport")])
def test_documents_are_listed_with_titles_in_the_callers_language(
    client: FlaskClient, language: str, title: str
) -> None:
    items = client.get("/api/v1/id-documents", headers={"Accept-Language": language}).get_json()["items"]
    assert len(items) >= 25
    passport = next(item for item in items if item["name"] == "kr-passport")
    assert passport["title"] == title
    assert (passport["width"], passport["height"], passport["width_px"], passport["height_px"]) == (
        35,
        45,
        413,
        531,
    )
    assert passport["changes"] == "none"


def test_what_could_not_be_checked_of_a_rule_is_said(client: FlaskClient) -> None:
    rule = client.get("/api/v1/id-documents/kr-passport", headers={"Accept-Language": "en"}).get_json()
    assert "top" in rule["unchecked"]
    assert "room above the head" in rule["unchecked_text"]


def test_an_id_photo_comes_with_its_file_its_check_and_every_value(
    client: FlaskClient, made: dict[str, Any]
) -> None:
    assert made["made"] is True
    assert made["passed"] is True
    file = client.get(made["url"])
    assert len(file.data) == made["file_bytes"]
    opened = Image.open(io.BytesIO(file.data))
    assert opened.size == (made["width"], made["height"]) == (413, 531)
    assert opened.info["dpi"] == (300, 300)
    assert Image.open(io.BytesIO(client.get(made["check_url"]).data)).format == "JPEG"
    head = next(finding for finding in made["findings"] if finding["code"] == "head_height")
    assert head["passed"] is True
    assert head["text"].endswith("mm (25 mm to 31 mm)")
    assert client.get(ROOT).get_json()["items"][0]["id"] == made["id"]


def test_a_failed_value_says_how_to_retake_in_the_callers_language(client: FlaskClient) -> None:
    answer = client.post(
        f"{ROOT}/check", data=form("kr-passport", photo(VARIATIONS[0])), headers={"Accept-Language": "ko"}
    )
    body = answer.get_json()
    assert answer.status_code == 201
    assert (body["made"], body["url"], body["passed"]) == (False, None, False)
    failed = {finding["code"]: finding["remedy"] for finding in body["findings"] if not finding["passed"]}
    assert "background" in failed
    assert "벽" in failed["background"]
    assert client.get(f"{ROOT}/{body['id']}/file").status_code == 404


@pytest.mark.parametrize(("kind", "start"), [("pdf", b"%PDF-1.4"), ("jpeg", b"\xff\xd8")])
def test_a_sheet_can_be_had_as_pdf_and_jpeg(
    client: FlaskClient, made: dict[str, Any], kind: str, start: bytes
) -> None:
    answer = client.get(f"{ROOT}/sheet?photos={made['id']}:4&paper=4x6in&format={kind}&gap=3&cut_marks=false")
    assert answer.status_code == 200
    assert answer.data.startswith(start)


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("photos={id}:90", 422, "sheet_too_small"),
        ("photos={id},{id}", 422, "invalid_request"),
        ("photos={id}&paper=a5", 422, "invalid_request"),
        ("photos=abc123", 404, "not_found"),
        ("photos=nobody!", 422, "invalid_request"),
        ("", 422, "invalid_request"),
    ],
)
def test_a_sheet_that_cannot_be_made_says_why(
    client: FlaskClient, made: dict[str, Any], query: str, status: int, code: str
) -> None:
    answer = client.get(f"{ROOT}/sheet?{query.format(id=made['id'])}")
    assert (answer.status_code, answer.get_json(force=True)["code"]) == (status, code)


@pytest.mark.parametrize(
    ("document", "picture", "status", "code"),
    [
        ("kr-passport", persons.as_jpeg(NOBODY), 422, "no_face"),
        ("moon-visa", persons.as_jpeg(NOBODY), 404, "not_found"),
        ("kr-passport", b"this is no picture", 422, "bad_upload"),
    ],
)
def test_a_photo_that_cannot_be_used_is_refused_with_its_code(
    client: FlaskClient, document: str, picture: bytes, status: int, code: str
) -> None:
    for path in (ROOT, f"{ROOT}/check"):
        answer = client.post(path, data=form(document, picture))
        assert (answer.status_code, answer.get_json(force=True)["code"]) == (status, code)


def test_a_resolution_out_of_range_is_refused(client: FlaskClient) -> None:
    answer = client.post(ROOT, data=form("kr-passport", persons.as_jpeg(NOBODY), dpi="20"))
    assert answer.status_code == 422


def test_an_image_that_is_not_there_gives_no_id_photo(client: FlaskClient) -> None:
    answer = client.post("/api/v1/images/nothing/id-photos", json={"document": "kr-passport"})
    assert (answer.status_code, answer.get_json(force=True)["code"]) == (404, "not_found")


def test_erasing_takes_the_files_too_unless_another_shows_them(client: FlaskClient, studio: Studio) -> None:
    twins = [client.post(ROOT, data=form("jp-resume", photo(VARIATIONS[1]))).get_json() for _ in range(2)]
    kept = studio.id_photo_file(twins[0]["id"])
    assert client.delete(f"{ROOT}/{twins[0]['id']}").status_code == 204
    assert kept.exists()
    assert client.get(twins[1]["url"]).status_code == 200
    assert client.delete(f"{ROOT}/{twins[1]['id']}").status_code == 204
    assert not kept.exists()
    assert client.get(twins[1]["url"]).status_code == 404
