"""Every recorded request is sent again to a running engine; the answers must be alike, except as the table says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.contract import engine_process, recorded_models, recorded_requests
from tests.contract.engine_process import REPOSITORY, EngineProcess
from tests.contract.shapes import differences, picture_differences
from tests.recordings import exchanges

TABLE = (REPOSITORY / "docs" / "engine-differences.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| (?P<numbers>\d+(?:, \d+)*) \|[^|]*\|[^|]*\| (?P<status>\d{3}) \|", re.MULTILINE)
PREFIX = re.compile(r"^\| (?P<prefix>/\S+) \|", re.MULTILINE)
DELIBERATE = {
    int(number): int(row["status"]) for row in ROW.finditer(TABLE) for number in row["numbers"].split(", ")
}
NOT_SERVED = tuple(row["prefix"] for row in PREFIX.finditer(TABLE))

OTHER_SERVERS = {
    "a checkpoint that gave NaN": {53},
    "pages": {45},
    "--api-auth, see tests/unit/webui_engine/http": set(range(410, 435)),
    "no --api": set(range(441, 447)),
    "--nowebui": set(range(447, 459)),
    "--gradio-auth": set(range(459, 463)),
    "being stopped": {465, 466},
}
"""Recordings of servers that were started in another way or were in a state that cannot be brought about here."""

LEFT_OUT = set().union(*OTHER_SERVERS.values())


def sent_again() -> Iterator[Any]:
    for recording in exchanges():
        path = recording["request"]["path"]
        if recording["number"] not in LEFT_OUT and not path.startswith(NOT_SERVED):
            yield pytest.param(recording, id=f"{recording['number']:03}-{recording['name']}")


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineProcess]:
    folder: Path = tmp_path_factory.mktemp("recorded")
    recorded_models.build(folder / "models")
    (folder / "data").mkdir()
    (folder / "data" / "styles.csv").write_text(recorded_models.STYLES, encoding="utf-8")
    arguments = ("--models", folder / "models", "--checkpoint", "tiny-random-a")
    with engine_process.running(folder / "data", *arguments) as running:
        yield running


@pytest.fixture(scope="module")
def session() -> Iterator[requests.Session]:
    with requests.Session() as opened:
        yield opened


def answered(
    recording: dict[str, Any], engine: EngineProcess, session: requests.Session
) -> requests.Response:
    content, headers = recorded_requests.body(recording)
    request = recording["request"]
    return session.request(
        request["method"],
        engine.url + request["path"],
        data=content,
        headers=headers,
        allow_redirects=False,
        timeout=60,
    )


def problems(recording: dict[str, Any], answer: requests.Response) -> list[str]:
    expected = recording["response"]
    if answer.status_code != expected["status"]:
        return [f"status {answer.status_code} instead of {expected['status']}: {answer.text[:300]}"]
    if not answer.content or expected.get("json") is None:
        return []
    given = answer.json()
    return [
        *differences(expected["json"], given),
        *picture_differences(recording.get("decoded") or {}, given),
    ]


@pytest.mark.xdist_group("recordings")
@pytest.mark.parametrize("recording", list(sent_again()))
def test_the_engine_answers_as_the_recorded_server_did(
    recording: dict[str, Any], engine: EngineProcess, session: requests.Session
) -> None:
    answer = answered(recording, engine, session)
    found = problems(recording, answer)
    deliberate = DELIBERATE.get(recording["number"])
    if deliberate is None:
        assert found == []
    else:
        assert answer.status_code == deliberate
        assert found, "the table in docs/engine-differences.md lists a difference that is none"


def test_every_recording_in_the_table_of_differences_is_sent() -> None:
    sent = {parameters.values[0]["number"] for parameters in sent_again()}
    assert DELIBERATE.keys() <= sent


def test_paths_that_are_not_served_are_answered_as_unknown(
    engine: EngineProcess, session: requests.Session
) -> None:
    for prefix in NOT_SERVED:
        answer = session.get(f"{engine.url}{prefix}x", timeout=10)
        assert (answer.status_code, answer.json()) == (404, {"detail": "Not Found"})
