"""Who gets which server: checkpoints are kept together, nobody starves, and the faster of two is taken."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webui_client.choosing import (
    FOLLOW_SECONDS,
    STARVED_SECONDS,
    SWITCH_SECONDS,
    Candidate,
    Wish,
    choose,
)

NOW = 1000.0


def server(url: str, checkpoint: str = "a", *, idle_seconds: float | None = NOW, **more: object) -> Candidate:
    idle_since = None if idle_seconds is None else NOW - idle_seconds
    return dataclasses.replace(Candidate(url=url, checkpoint=checkpoint, idle_since=idle_since), **more)  # type: ignore[arg-type]


def wish(checkpoint: str | None, *urls: str, waited: float = 0.0, avoid: tuple[str, ...] = ()) -> Wish:
    able: Mapping[str, str | None] = dict.fromkeys(urls or ("one", "two"), checkpoint)
    return Wish(able=able, since=NOW - waited, avoid=frozenset(avoid))


def test_a_server_that_has_the_checkpoint_loaded_is_preferred() -> None:
    assert choose([wish("b")], [server("one", "a"), server("two", "b")], NOW) == {0: "two"}


def test_a_checkpoint_that_is_loaded_nowhere_is_loaded_at_once() -> None:
    assert choose([wish("c")], [server("one", "a", turn=2), server("two", "b", turn=1)], NOW) == {0: "two"}


def test_a_busy_server_that_has_the_checkpoint_is_waited_for_but_not_for_long() -> None:
    servers = [server("one", "a", idle_seconds=None), server("two", "b")]
    assert choose([wish("a", waited=SWITCH_SECONDS - 1)], servers, NOW) == {}
    assert choose([wish("a", waited=SWITCH_SECONDS)], servers, NOW) == {0: "two"}


def test_a_server_just_freed_is_kept_for_more_work_of_its_checkpoint() -> None:
    freed = server("one", "a", idle_seconds=FOLLOW_SECONDS - 1)
    assert choose([wish("b", "one", waited=30)], [freed], NOW) == {}
    assert choose([wish("b", "one", waited=30), wish("a", "one")], [freed], NOW) == {1: "one"}
    assert choose([wish("b", "one", waited=30)], [server("one", "a")], NOW) == {0: "one"}


def test_who_waited_too_long_goes_before_those_that_find_their_checkpoint_loaded() -> None:
    wishes = [wish("b", "one", waited=STARVED_SECONDS), wish("a", "one", waited=STARVED_SECONDS - 1)]
    assert choose(wishes, [server("one", "a", idle_seconds=0)], NOW) == {0: "one"}


def test_of_those_that_find_it_loaded_the_first_goes_first() -> None:
    wishes = [wish("b", "one"), wish("a", "one"), wish("a", "one")]
    assert choose(wishes, [server("one", "a", idle_seconds=0)], NOW) == {1: "one"}


def test_the_faster_of_two_idle_servers_is_taken() -> None:
    assert choose([wish("a")], [server("one", speed=1e6), server("two", speed=3e6)], NOW) == {0: "two"}


def test_servers_of_nearly_the_same_speed_take_turns() -> None:
    nearly = [server("one", speed=1.00e6, turn=1), server("two", speed=1.02e6, turn=2)]
    assert choose([wish("a")], nearly, NOW) == {0: "one"}


def test_a_server_that_was_not_measured_yet_is_tried() -> None:
    assert choose([wish("a")], [server("one", speed=3e6), server("two")], NOW) == {0: "two"}


def test_a_slow_server_that_has_the_checkpoint_is_better_than_a_fast_one_that_must_load_it() -> None:
    servers = [server("one", "a", speed=1e6), server("two", "b", speed=9e6)]
    assert choose([wish("a")], servers, NOW) == {0: "one"}


def test_a_server_that_rests_gets_work_only_that_no_other_can_do() -> None:
    servers = [server("one", rests=True), server("two", idle_seconds=None)]
    assert choose([wish("a")], servers, NOW) == {}
    assert choose([wish("a", "one")], servers, NOW) == {0: "one"}


def test_a_server_to_be_avoided_is_taken_last() -> None:
    servers = [server("one"), server("two")]
    assert choose([wish("a", avoid=("one",))], servers, NOW) == {0: "two"}
    assert choose([wish("a", "one", avoid=("one",))], servers, NOW) == {0: "one"}


@pytest.mark.parametrize("checkpoint", ["a", None])
def test_nobody_gets_a_server_that_cannot_serve_them(checkpoint: str | None) -> None:
    assert choose([wish(checkpoint, "two")], [server("one")], NOW) == {}


URLS = ["one", "two", "three"]
CHECKPOINTS = st.sampled_from(["a", "b", "c"])
SERVERS = st.lists(
    st.builds(
        server,
        st.sampled_from(URLS),
        CHECKPOINTS,
        idle_seconds=st.none() | st.floats(0, 200),
        speed=st.none() | st.floats(1e3, 1e9),
        rests=st.booleans(),
    ),
    unique_by=lambda one: one.url,
)
WISHES = st.lists(
    st.builds(
        lambda checkpoint, urls, waited: wish(checkpoint, *urls, waited=waited),
        CHECKPOINTS,
        st.sets(st.sampled_from(URLS), min_size=1),
        st.floats(0, 200),
    ),
    max_size=6,
)


@given(WISHES, SERVERS)
def test_every_choice_is_a_free_server_that_can_serve_and_is_given_once(
    wishes: list[Wish], servers: list[Candidate]
) -> None:
    chosen = choose(wishes, servers, NOW)
    free = {one.url for one in servers if one.idle_since is not None}
    assert len(set(chosen.values())) == len(chosen)
    assert all(url in free and url in wishes[number].able for number, url in chosen.items())


@given(WISHES, SERVERS)
def test_whoever_starves_is_left_waiting_only_if_all_that_can_serve_are_given_to_others_that_starve(
    wishes: list[Wish], servers: list[Candidate]
) -> None:
    chosen = choose(wishes, servers, NOW)
    starved = {number for number, one in enumerate(wishes) if NOW - one.since >= STARVED_SECONDS}
    given_to_starved = {chosen[number] for number in starved if number in chosen}
    for number in starved - chosen.keys():
        able = [one for one in servers if one.url in wishes[number].able]
        awake = [one for one in able if not one.rests] or able
        assert {one.url for one in awake if one.idle_since is not None} <= given_to_starved
