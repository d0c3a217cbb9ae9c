"""The client of the pages: errors become words, and only pictures pass through to the browser."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread

import flask
import pytest
from fastapi.testclient import TestClient
from werkzeug.serving import make_server

from gradio_app.api import Api
from gradio_app.app import create_app
from gradio_app.errors import ApiProblem, ApiUnreachable
from gradio_app.media import SERVED
from gradio_app.site import media_url
from gradio_app.words import LANGUAGES

PROBLEM = {"status": 422, "code": "consent_required", "title": "No consent", "detail": "Consent is needed.",
           "errors": [{"field": "consent", "message": "must be true"}]}  # fmt: skip
PICTURE = b"\x89PNG a picture"


def small_api() -> flask.Flask:
    """An API with one refusal, one page of plain text, one picture, and one animation."""
    app = flask.Flask(__name__)

    @app.post("/api/v1/subjects")
    def refuse() -> flask.Response:
        return flask.Response(json.dumps(PROBLEM), 422, mimetype="application/problem+json")

    @app.get("/api/v1/status")
    def broken() -> flask.Response:
        return flask.Response("<h1>Bad gateway</h1>", 502)

    @app.get("/api/v1/images/<name>/file")
    def picture(name: str) -> flask.Response:
        return flask.Response(PICTURE, headers={"ETag": f'"{name}"'}, mimetype="image/png")

    @app.get("/api/v1/images/<name>/animation/gif")
    def animation(name: str) -> flask.Response:
        return flask.Response(f"GIF of {dict(flask.request.args)}", mimetype="image/gif")

    @app.get("/api/v1/language")
    def language() -> dict[str, str]:
        return {"language": flask.request.headers["Accept-Language"]}

    return app


@contextmanager
def serving() -> Iterator[str]:
    """Serve small_api on a free port and give its address."""
    server = make_server("127.0.0.1", 0, small_api(), threaded=True)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with serving() as address:
        yield address


@pytest.fixture(scope="module")
def browser_side(url: str) -> TestClient:
    return TestClient(create_app(url), follow_redirects=False)


def test_a_refusal_keeps_its_words_and_its_code(url: str) -> None:
    with pytest.raises(ApiProblem) as refusal:
        Api(url).create_subject("Mina", "woman")
    assert (refusal.value.status, refusal.value.code) == (422, "consent_required")
    assert refusal.value.detail == "Consent is needed."
    assert refusal.value.errors == ("consent: must be true",)


def test_an_error_without_problem_details_still_has_a_status(url: str) -> None:
    with pytest.raises(ApiProblem) as refusal:
        Api(url).read("/status")
    assert (refusal.value.status, refusal.value.code) == (502, "http_502")


def test_an_api_that_is_gone_is_told_from_one_that_refuses() -> None:
    with serving() as address:
        pass
    with pytest.raises(ApiUnreachable):
        Api(address).read("/status")


def test_texts_are_asked_for_in_the_language_of_the_page(url: str) -> None:
    assert Api(url).speaking("ko").read("/language") == {"language": "ko"}


def test_a_picture_reaches_the_browser_through_the_port_of_the_pages(browser_side: TestClient) -> None:
    answer = browser_side.get(media_url("/api/v1/images/i1/file"))
    assert answer.content == PICTURE
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["etag"] == '"i1"'


def test_a_download_gets_a_harmless_file_name(browser_side: TestClient) -> None:
    answer = browser_side.get("/media/images/i1/file", params={"download": 'a"; x=/../é.png'})
    assert answer.headers["content-disposition"] == 'attachment; filename="a___x__..__.png"'


def test_an_animation_is_asked_for_as_its_link_says(browser_side: TestClient) -> None:
    asked = {"budget_kb": "500", "download": "me.gif", "other": "1"}
    answer = browser_side.get("/media/images/i1/animation/gif", params=asked)
    assert (answer.text, answer.headers["content-type"]) == ("GIF of {'budget_kb': '500'}", "image/gif")


@pytest.mark.parametrize(
    "path",
    [
        *("subjects", "subjects/s1", "jobs", "images/../jobs", "servers", "images/i1/file/more", "status"),
        *("images/i1/animation", "images/i1/animation/avi"),
    ],
)
def test_only_pictures_and_recipes_pass_through(browser_side: TestClient, path: str) -> None:
    assert not SERVED.fullmatch(path)
    assert browser_side.get(f"/media/{path}").status_code == 404


def test_a_picture_that_cannot_be_had_says_so() -> None:
    with serving() as address:
        pass
    assert TestClient(create_app(address)).get("/media/images/i1/file").status_code == 503


@pytest.mark.parametrize(
    ("header", "place"), [("ko-KR", "/ko/start"), ("en", "/en/start"), ("fr", "/en/start")]
)
def test_the_front_door_leads_to_the_language_of_the_browser(
    browser_side: TestClient, header: str, place: str
) -> None:
    answer = browser_side.get("/", headers={"accept-language": header})
    assert answer.headers["location"] == place


def test_the_language_chosen_before_wins_and_the_place_is_kept(url: str) -> None:
    visitor = TestClient(create_app(url), follow_redirects=False, cookies={"sajin_language": "ko"})
    answer = visitor.get("/?subject=s1&step=look", headers={"accept-language": "en"})
    assert answer.headers["location"] == "/ko/?subject=s1&step=look"


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_page_has_its_language_style_and_script_before_anything_is_drawn(
    browser_side: TestClient, language: str
) -> None:
    html = browser_side.get(f"/{language}/gallery").text
    head = html.split("</head>")[0]
    assert f'<html lang="{language}"' in head
    assert "/style/sajin.css" in head
    assert f'data-language="{language}"' in head


@pytest.mark.parametrize("file", ["sajin.css", "page.js", "icon.png"])
def test_the_style_is_served(browser_side: TestClient, file: str) -> None:
    assert browser_side.get(f"/style/{file}").status_code == 200
