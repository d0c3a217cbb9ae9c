"""What the HTTP border itself decides: who may ask, in which form, and how it says no."""

from __future__ import annotations

import io

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

SUBJECTS = "/api/v1/subjects"


def refusal(response: TestResponse) -> tuple[int, str]:
    assert response.content_type == "application/problem+json"
    body = response.get_json(force=True)
    assert body["status"] == response.status_code
    return response.status_code, body["code"]


@pytest.mark.parametrize(
    "host", ["localhost:8000", "127.0.0.1:8000", "[::1]:8000", "192.168.0.7", "studio.example"]
)
def test_the_api_answers_under_its_own_names(client: FlaskClient, host: str) -> None:
    assert client.get("/healthz", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example:8000", ""]
)
def test_a_rebound_name_is_refused(client: FlaskClient, host: str) -> None:
    assert refusal(client.get("/api/v1/status", headers={"Host": host})) == (421, "host_not_allowed")


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://localhost:9999", "http://localhost.evil.example"]
)
def test_a_page_of_another_site_may_not_change_anything(client: FlaskClient, origin: str) -> None:
    answer = client.post(SUBJECTS, json={"name": "x", "consent": True}, headers={"Origin": origin})
    assert refusal(answer) == (403, "cross_origin_refused")


def test_a_cross_site_form_is_refused_even_without_an_origin(client: FlaskClient) -> None:
    answer = client.post(
        SUBJECTS, json={"name": "x", "consent": True}, headers={"Sec-Fetch-Site": "cross-site"}
    )
    assert refusal(answer) == (403, "cross_origin_refused")


def test_the_apis_own_pages_may_change_things(client: FlaskClient) -> None:
    answer = client.post(
        SUBJECTS, json={"name": "x", "consent": True}, headers={"Origin": "http://localhost"}
    )
    assert answer.status_code == 201


def test_json_disguised_as_plain_text_is_refused(client: FlaskClient) -> None:
    answer = client.post(SUBJECTS, data='{"name": "x", "consent": true}', content_type="text/plain")
    assert refusal(answer) == (415, "not_json")


def test_a_body_that_is_no_json_is_refused(client: FlaskClient) -> None:
    assert refusal(client.post(SUBJECTS, data="{", content_type="application/json")) == (
        400,
        "malformed_json",
    )


def test_a_json_body_of_megabytes_is_refused(client: FlaskClient) -> None:
    answer = client.post(SUBJECTS, json={"name": "x" * 2_000_000, "consent": True})
    assert refusal(answer) == (413, "too_large")


def test_an_unknown_field_is_named(client: FlaskClient) -> None:
    answer = client.post(SUBJECTS, json={"name": "x", "consent": True, "colour": 1})
    assert refusal(answer) == (422, "invalid_request")
    assert [error["place"] for error in answer.get_json(force=True)["errors"]] == ["colour"]


def test_without_consent_nobody_is_recorded(client: FlaskClient) -> None:
    before = client.get(SUBJECTS).get_json()
    assert refusal(client.post(SUBJECTS, json={"name": "x", "consent": False})) == (422, "consent_required")
    assert client.get(SUBJECTS).get_json() == before


@pytest.mark.parametrize("consent", [1, "true", "yes", None])
def test_consent_is_nothing_but_true(client: FlaskClient, consent: object) -> None:
    assert refusal(client.post(SUBJECTS, json={"name": "x", "consent": consent}))[0] == 422


@pytest.mark.parametrize("name", ["../../etc/passwd", "“quotes” ' \"", "🦊" * 20, "x" * 100])
def test_a_persons_name_is_shown_as_it_was_given(client: FlaskClient, name: str) -> None:
    answer = client.post(SUBJECTS, json={"name": name, "consent": True})
    assert answer.status_code == 201
    assert answer.get_json()["name"] == name


@pytest.mark.parametrize("name", ["", "a\x00b", "x" * 300])
def test_a_name_that_cannot_be_kept_is_refused_and_nobody_recorded(client: FlaskClient, name: str) -> None:
    before = client.get(SUBJECTS).get_json()
    answer = client.post(SUBJECTS, json={"name": name, "consent": True})
    assert refusal(answer) == (422, "invalid_request")
    assert client.get(SUBJECTS).get_json() == before


def test_a_prompt_with_a_nul_is_refused(client: FlaskClient) -> None:
    order = {"preset": "studio-profile", "options": {"prompt": "a\x00b"}}
    assert refusal(client.post("/api/v1/jobs", json=order)) == (422, "invalid_request")


@pytest.mark.parametrize("seed", [-1, 2**32, "7", 1.5, True])
def test_a_seed_out_of_range_is_refused(client: FlaskClient, seed: object) -> None:
    answer = client.post("/api/v1/jobs", json={"preset": "studio-profile", "options": {"seed": seed}})
    assert refusal(answer) == (422, "invalid_request")


@pytest.mark.parametrize("count", [0, 17, "2", None])
def test_a_count_out_of_range_is_refused(client: FlaskClient, count: object) -> None:
    assert refusal(client.post("/api/v1/jobs", json={"preset": "studio-profile", "count": count}))[0] == 422


@pytest.mark.parametrize("path", ["/api/v1/nothing", "/api/v1/jobs/../secrets", "/api/v1/images/%00/file"])
def test_unknown_addresses_are_problems_too(client: FlaskClient, path: str) -> None:
    assert refusal(client.get(path))[0] == 404


def test_a_wrong_method_names_the_right_ones(client: FlaskClient) -> None:
    answer = client.put(SUBJECTS)
    assert refusal(answer) == (405, "method_not_allowed")
    assert "POST" in answer.headers["Allow"]


def test_errors_speak_the_callers_language(client: FlaskClient) -> None:
    korean = client.get("/api/v1/jobs/none", headers={"Accept-Language": "ko-KR,ko;q=0.9,en;q=0.5"})
    french = client.get("/api/v1/jobs/none", headers={"Accept-Language": "fr"})
    assert korean.get_json(force=True)["title"] == "찾을 수 없습니다"
    assert french.get_json(force=True)["title"] == "Not found"


def test_an_unexpected_error_is_a_problem_with_a_reference_and_no_innards(
    app: APIFlask, monkeypatch: pytest.MonkeyPatch, studio: object
) -> None:
    def fail() -> None:
        raise ZeroDivisionError("the secret of the innards")

    monkeypatch.setattr(studio, "list_subjects", fail)
    answer = app.test_client().get(SUBJECTS)
    assert refusal(answer) == (500, "internal_error")
    assert "secret" not in answer.get_data(as_text=True)


def test_responses_are_neither_sniffed_nor_framed_nor_kept(client: FlaskClient) -> None:
    headers = client.get("/api/v1/status").headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Cache-Control"] == "no-store"


def test_a_form_without_its_file_is_refused(client: FlaskClient) -> None:
    answer = client.post("/api/v1/images/restore", data={"other": (io.BytesIO(b"x"), "x.png")})
    assert refusal(answer) == (422, "invalid_request")


def test_the_documentation_page_works_without_scripts_and_names_every_route(client: FlaskClient) -> None:
    page = client.get("/docs").get_data(as_text=True)
    assert "<script" not in page
    assert all(path in page for path in client.get("/openapi.json").get_json()["paths"])


def test_metrics_count_requests_by_route(client: FlaskClient) -> None:
    client.get("/api/v1/jobs/one-name")
    assert 'route="/api/v1/jobs/<job_id>",status="404"' in client.get("/metrics").get_data(as_text=True)


def test_without_a_worker_the_studio_is_alive_but_not_ready(client: FlaskClient) -> None:
    assert client.get("/healthz").get_json() == {"status": "ok"}
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert "worker_not_running" in [problem["code"] for problem in answer.get_json()["problems"]]
