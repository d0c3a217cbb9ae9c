"""How long a server is left alone: longer with every fault in a row, and not at all for what is not its fault."""

from __future__ import annotations

import itertools

import pytest

from webui_client.errors import (
    Interrupted,
    MissingCapability,
    RequestRefused,
    ServerFailed,
    ServerUnreachable,
    WebuiError,
)
from webui_client.health import FIRST_REST_SECONDS, LONGEST_REST_SECONDS, WELL, Health

URL = "http://gpu:7860"
FAILED = ServerFailed(URL, "/sdapi/v1/txt2img", 500, "CUDA out of memory")
AWAY = ServerUnreachable(URL, "connection refused")


def rests_of(faults: int) -> list[float]:
    """The rest after each of so many faults in a row, each at the end of the rest before."""
    health, moment, rests = WELL, 0.0, []
    for _ in range(faults):
        health = health.after(FAILED, moment, at_work=True)
        rests.append(health.rest_seconds(moment))
        moment = health.rest_until
    return rests


def test_each_fault_in_a_row_doubles_the_rest_up_to_a_longest_one() -> None:
    rests = rests_of(12)
    assert rests[0] == FIRST_REST_SECONDS
    assert all(later in (2 * earlier, LONGEST_REST_SECONDS) for earlier, later in itertools.pairwise(rests))
    assert rests[-1] == LONGEST_REST_SECONDS


def test_a_rest_ends() -> None:
    health = WELL.after(FAILED, 100.0, at_work=True)
    assert health.rest_seconds(101.0) == FIRST_REST_SECONDS - 1
    assert health.rest_seconds(100.0 + FIRST_REST_SECONDS) == 0
    assert health.failures == 1


@pytest.mark.parametrize(
    "error",
    [
        MissingCapability(URL, "sampler", "Foo"),
        RequestRefused(URL, "/sdapi/v1/txt2img", 422, "no"),
        Interrupted(URL, ours=False),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_is_not_the_servers_fault_is_not_held_against_it(error: WebuiError) -> None:
    assert WELL.after(error, 0.0, at_work=True) == WELL


def test_looks_that_fail_during_a_rest_do_not_prolong_it() -> None:
    health = WELL.after(AWAY, 0.0, at_work=False)
    assert health.after(AWAY, 1.0, at_work=False) == health


def test_a_server_that_was_away_is_well_once_it_answers() -> None:
    assert WELL.after(AWAY, 0.0, at_work=False).after_an_answer() == WELL


def test_a_server_that_fails_at_work_is_not_well_because_it_answers() -> None:
    health = WELL.after(FAILED, 0.0, at_work=True).after(AWAY, 60.0, at_work=False)
    assert health.after_an_answer() == health
    assert health == Health(failures=2, rest_until=60.0 + 2 * FIRST_REST_SECONDS, error=AWAY, at_work=True)
