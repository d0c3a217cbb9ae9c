"""When a stage is tried again: a decision from values alone."""

from __future__ import annotations

import pytest

from studio.pipeline.retrying import CODES, Failures, RetryPolicy, code_of, pause_before_next
from webui_client.errors import (
    AuthenticationRequired,
    BadAnswer,
    Interrupted,
    MissingCapability,
    NotAWebui,
    RequestRefused,
    ServerFailed,
    ServerUnreachable,
    WebuiError,
)

POLICY = RetryPolicy(tries=3, patience_seconds=60, first_pause_seconds=0.5, longest_pause_seconds=4)
FAILED = ServerFailed("http://a", "/sdapi/v1/txt2img", 500, "out of memory")
AWAY = ServerUnreachable("http://a", "refused")


def pauses(*errors: WebuiError, others: bool = False) -> list[float | None]:
    """The pause after each error in turn, one second apart."""
    failures, found = Failures(), []
    for moment, error in enumerate(errors):
        failures = failures.and_then(error, float(moment))
        found.append(pause_before_next(POLICY, failures, error, float(moment), others=others))
    return found


def test_a_failing_server_is_asked_three_times_with_growing_pauses() -> None:
    assert pauses(FAILED, FAILED, FAILED) == [0.5, 1.0, None]


def test_a_server_that_is_away_is_waited_for_until_patience_ends() -> None:
    waits = pauses(*[AWAY] * 70)
    assert waits[:5] == [0.5, 1.0, 2.0, 4.0, 4.0]
    assert waits[60] == 4.0
    assert waits[61] is None


def test_a_server_that_came_back_starts_a_new_patience() -> None:
    failures = Failures().and_then(AWAY, 0.0).and_then(FAILED, 100.0)
    assert failures.away_since is None
    assert pause_before_next(POLICY, failures, FAILED, 100.0, others=False) is not None


@pytest.mark.parametrize(
    "hopeless",
    [MissingCapability("http://a", "sampler", "X"), AuthenticationRequired("http://a", given=False)],
)
def test_what_no_repeat_can_mend_goes_to_another_server_or_ends(hopeless: WebuiError) -> None:
    assert pauses(hopeless) == [None]
    assert pauses(hopeless, others=True) == [0.5]


def test_a_server_that_comes_back_is_waited_for_until_its_whole_api_is_there() -> None:
    half_there = (
        NotAWebui("http://a", "no options"),
        RequestRefused("http://a", "/sdapi/v1/txt2img", 404, "Not Found"),
        MissingCapability("http://a", "script", "ADetailer"),
    )
    assert pauses(AWAY, *half_there) == [0.5, 1.0, 2.0, 4.0]
    assert pauses(AWAY, *[half_there[0]] * 62)[-1] is None


def test_our_own_interrupt_is_never_repeated_and_somebody_elses_is() -> None:
    assert pauses(Interrupted("http://a", ours=True)) == [None]
    assert pauses(Interrupted("http://a", ours=False)) == [0.5]


def test_every_error_of_a_server_has_a_code_of_its_own() -> None:
    assert len({code for _, code in CODES}) == len(CODES)
    assert code_of(BadAnswer("http://a", "/x", "no JSON")) == "webui_bad_answer"
