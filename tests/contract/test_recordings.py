"""Every recorded request is sent again to a running engine; the answers must be alike, except as the table says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.contract import recorded_requests
from tests.contract.engine_process import EngineProcess
from tests.contract.shapes import differences, infotext_differences, picture_differences
from tests.contract.table_of_differences import DELIBERATE, NOT_SENT, NOT_SERVED
from tests.contract.test_recorded_runs import RUNS
from tests.recordings import exchanges, openapi, recordings
from webui_engine.http import schema

GUARDED = frozenset(range(410, 435))
"""Recordings of a server that was started with --api-auth user:pass."""

NOTED_OPTIONS = frozenset({73, 81, 83})
"""Recordings of which only the status and some options were noted; the request was GET options."""


def sent_again() -> list[dict[str, Any]]:
    return [
        recording
        for recording in exchanges()
        if recording["number"] not in NOT_SENT and not recording["request"]["path"].startswith(NOT_SERVED)
    ]


def named(recording: dict[str, Any]) -> Any:
    return pytest.param(recording, id=f"{recording['number']:03}-{recording['name']}")


def answered(recording: dict[str, Any], url: str, session: requests.Session) -> requests.Response:
    content, headers = recorded_requests.body(recording)
    request = recording["request"]
    return session.request(
        request["method"],
        url + request["path"],
        data=content,
        headers=headers,
        auth=tuple(request["basic_auth"]) if "basic_auth" in request else None,
        allow_redirects=False,
        timeout=60,
    )


def problems(recording: dict[str, Any], answer: requests.Response) -> list[str]:
    expected = recording["response"]
    if answer.status_code != expected["status"]:
        return [f"status {answer.status_code} instead of {expected['status']}: {answer.text[:300]}"]
    if "json" not in expected:
        return []
    given = answer.json()
    if expected["json"] is None:
        return [] if given is None else [f"{given!r} instead of null"]
    return [
        *differences(expected["json"], given),
        *picture_differences(recording.get("decoded") or {}, given),
        *infotext_differences(expected["json"], given),
    ]


def check(recording: dict[str, Any], answer: requests.Response) -> None:
    found = problems(recording, answer)
    deliberate = DELIBERATE.get(recording["number"])
    if deliberate is None:
        assert found == []
    else:
        assert answer.status_code == deliberate
        assert found, "the table in docs/engine-differences.md lists a difference that is none"


@pytest.mark.xdist_group("recordings")
@pytest.mark.parametrize("recording", [named(item) for item in sent_again() if item["number"] not in GUARDED])
def test_the_engine_answers_as_the_recorded_server_did(
    recording: dict[str, Any], recorded_engine: EngineProcess, session: requests.Session
) -> None:
    check(recording, answered(recording, recorded_engine.url, session))


@pytest.mark.xdist_group("recordings")
@pytest.mark.parametrize("recording", [named(item) for item in sent_again() if item["number"] in GUARDED])
def test_a_guarded_engine_answers_as_the_guarded_server_did(
    recording: dict[str, Any], guarded_engine: EngineProcess, session: requests.Session
) -> None:
    check(recording, answered(recording, guarded_engine.url, session))


@pytest.mark.xdist_group("recordings")
@pytest.mark.parametrize("number", sorted(NOTED_OPTIONS))
def test_options_can_be_read_after_whatever_was_sent(
    number: int, recorded_engine: EngineProcess, session: requests.Session
) -> None:
    expected = recordings()[number]["response"]
    answer = session.get(f"{recorded_engine.url}/sdapi/v1/options", timeout=10)
    assert answer.status_code == DELIBERATE.get(number, expected["status"])
    assert answer.json().keys() >= expected["json_subset"].keys()


def test_no_recording_is_left_out_in_silence() -> None:
    sent = {recording["number"] for recording in sent_again()} | NOTED_OPTIONS | set(RUNS)
    not_served = {
        recording["number"]
        for recording in exchanges()
        if recording["request"]["path"].startswith(NOT_SERVED)
    }
    assert sorted(recordings().keys() - sent - not_served) == sorted(NOT_SENT.keys() - not_served)
    assert DELIBERATE.keys() <= sent
    assert not NOT_SENT.keys() & sent


@pytest.mark.xdist_group("recordings")
def test_paths_that_are_not_served_are_answered_as_unknown(
    recorded_engine: EngineProcess, session: requests.Session
) -> None:
    for prefix in NOT_SERVED:
        answer = session.get(f"{recorded_engine.url}{prefix}x", timeout=10)
        assert (answer.status_code, answer.json()) == (404, {"detail": "Not Found"})


@pytest.mark.xdist_group("recordings")
def test_every_route_of_the_recorded_server_is_served_or_in_the_table(
    recorded_engine: EngineProcess, session: requests.Session
) -> None:
    theirs = openapi()["paths"]
    ours = session.get(f"{recorded_engine.url}/openapi.json", timeout=10).json()["paths"]
    missing = [
        f"{verb} {path}"
        for path, verbs in theirs.items()
        for verb in verbs
        if not path.startswith(NOT_SERVED) and verb not in ours.get(path, {})
    ]
    assert missing == ["get /", "head /"], "the pages' own address is the only one"


def fields(described: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Name, type, range and default of each field, in order; pydantic does not tell defaults that are made anew."""
    for name, told in described["properties"].items():
        field = {key: value for key, value in told.items() if key not in ("title", "description", "examples")}
        if field.get("default") in ([], {}):
            del field["default"]
        if "$ref" in field.get("items", {}):
            field["items"] = field["items"]["$ref"].rpartition("/")[2]
        if "$ref" in field:
            field["$ref"] = field["$ref"].rpartition("/")[2]
        yield name, field


@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("StableDiffusionProcessingTxt2Img", schema.Txt2ImgRequest),
        ("StableDiffusionProcessingImg2Img", schema.Img2ImgRequest),
        ("ExtrasSingleImageRequest", schema.ExtrasSingleRequest),
        ("ExtrasBatchImagesRequest", schema.ExtrasBatchRequest),
        ("FileData", schema.FileData),
        ("PNGInfoRequest", schema.PngInfoRequest),
        ("InterrogateRequest", schema.InterrogateRequest),
        ("ProgressRequest", schema.ProgressRequest),
        ("Body_detect_controlnet_detect_post", schema.DetectRequest),
        ("FaceSwapRequest", schema.FaceSwapRequest),
        ("InpaintingOptions", schema.InpaintingOptions),
        ("InswappperOptions", schema.InswappperOptions),
    ],
)
def test_a_request_has_the_recorded_fields_types_and_defaults(name: str, model: Any) -> None:
    recorded = openapi()["components"]["schemas"][name]
    ours = model.schema()
    assert list(fields(ours)) == list(fields(recorded))
    assert ours.get("required") == recorded.get("required")
