"""Who may call what when the server has a password."""

from __future__ import annotations

import base64

import pytest
from flask.testing import FlaskClient

from tests.recordings import recordings
from webui_engine.http.access import Access

WITH_PASSWORD = [number for number in range(410, 435) if number not in (413, 419, 426, 429, 430)]
"""Recorded under --api-auth user:pass; left out are those that make pictures and routes that are not served."""


@pytest.mark.parametrize("number", WITH_PASSWORD)
def test_a_password_guards_what_it_guards_on_a_real_server(guarded: FlaskClient, number: int) -> None:
    recording = recordings()[number]
    request = recording["request"]
    headers = dict(request.get("headers") or {})
    if "basic_auth" in request:
        headers["Authorization"] = (
            "Basic " + base64.b64encode(":".join(request["basic_auth"]).encode()).decode()
        )
    answer = guarded.open(
        request["path"], method=request["method"], json=request.get("json"), headers=headers
    )
    assert answer.status_code == recording["response"]["status"]
    if answer.status_code == 401:
        assert answer.get_json() == recording["response"]["json"]


def test_the_password_is_never_shown(guarded: FlaskClient) -> None:
    answer = guarded.get("/sdapi/v1/cmd-flags", auth=("user", "pass"))
    assert answer.status_code == 200
    assert "pass" not in answer.text


def test_a_user_without_a_password_is_no_setting() -> None:
    with pytest.raises(ValueError, match="user:password"):
        Access.parse("user")
