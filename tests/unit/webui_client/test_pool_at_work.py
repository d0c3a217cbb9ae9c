"""A pool whose servers paint over real HTTP: checkpoints, speed, failures and drains."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.replay import Reply, answer_json
from tests.unit.studio import painting_webui as webui
from tests.unit.studio.painting_webui import MODEL, OTHER_MODEL, PaintingWebui
from tests.unit.webui_client.answers import asked
from tests.unit.webui_client.conftest import QUICK
from webui_client import choosing, health
from webui_client.client import WebuiClient
from webui_client.errors import NoFreeServer, ServerFailed, ServerUnreachable
from webui_client.pool import Standing, WebuiPool
from webui_client.preflight import needs_of

PATIENCE_SECONDS = 30.0
OPTIONS = 1
"""The recording of GET /sdapi/v1/options."""


@pytest.fixture
def one() -> Iterator[PaintingWebui]:
    with PaintingWebui() as server:
        yield server


@pytest.fixture
def two() -> Iterator[PaintingWebui]:
    with PaintingWebui() as server:
        yield server


@pytest.fixture
def pool(one: PaintingWebui, two: PaintingWebui, tmp_path: Path) -> WebuiPool:
    return pool_of(tmp_path, one, two)


def pool_of(folder: Path, *servers: PaintingWebui) -> WebuiPool:
    return WebuiPool([WebuiClient(server.url, timeouts=QUICK) for server in servers], folder)


def paint(pool: WebuiPool, checkpoint: str = MODEL) -> str:
    """Make a picture on some server as the studio does; the URL of the server."""
    request = asked(checkpoint=checkpoint)
    with pool.lease(needs_of(request), checkpoint=checkpoint) as client:
        made = client.txt2img(request)
        pool.measured(
            client, pixel_steps=request.width * request.height * request.steps, seconds=made.seconds
        )
        return client.url


def standing(pool: WebuiPool, server: PaintingWebui) -> Standing:
    return pool.standing(next(client for client in pool.clients if client.url == server.url))


def starts_with(server: PaintingWebui, checkpoint: str) -> None:
    """Let a server have another checkpoint than the recorded one loaded from the beginning."""
    options = answer_json(OPTIONS) | {"sd_model_checkpoint": f"{checkpoint}.safetensors"}
    server.on("GET", "/sdapi/v1/options", Reply(body=options))
    server.loaded = checkpoint


def wait_for(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not happened():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)


def test_work_goes_where_its_checkpoint_is_loaded(
    pool: WebuiPool, one: PaintingWebui, two: PaintingWebui
) -> None:
    starts_with(two, OTHER_MODEL)
    for _ in range(3):
        assert paint(pool, OTHER_MODEL) == two.url
        assert paint(pool, MODEL) == one.url
    assert one.loads == two.loads == []


def test_what_the_last_run_left_in_memory_counts_and_not_what_the_server_names(
    pool: WebuiPool, one: PaintingWebui, two: PaintingWebui
) -> None:
    """A1111 names its setting, which a request for another checkpoint does not change."""
    first = paint(pool, OTHER_MODEL)
    assert {paint(pool, OTHER_MODEL) for _ in range(3)} == {first}
    assert len(one.loads + two.loads) == 1


def test_a_server_that_failed_is_thought_to_have_its_own_checkpoint_loaded_again(
    one: PaintingWebui, tmp_path: Path
) -> None:
    pool = pool_of(tmp_path, one)
    paint(pool, OTHER_MODEL)
    one.misbehave = [webui.hangs_up]
    with pytest.raises(ServerUnreachable):
        paint(pool, OTHER_MODEL)
    paint(pool, OTHER_MODEL)
    assert standing(pool, one).speed is None, "as if the checkpoint had to be loaded"


def test_jobs_of_one_checkpoint_are_kept_together(one: PaintingWebui, tmp_path: Path) -> None:
    pool = pool_of(tmp_path, one)
    one.pause_seconds = 0.02
    paint(pool)
    with ThreadPoolExecutor(6) as threads:
        checkpoints = [MODEL, OTHER_MODEL] * 3
        list(threads.map(lambda checkpoint: [paint(pool, checkpoint) for _ in range(4)], checkpoints))
    assert one.painted == 25
    assert 1 <= len(one.loads) <= 3, (
        "a thread that the machine held up may come late; taking turns loads over 20"
    )


def test_a_stream_of_one_checkpoint_does_not_starve_another(
    one: PaintingWebui, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(choosing, "STARVED_SECONDS", 0.5)
    pool, served = pool_of(tmp_path, one), threading.Event()
    one.pause_seconds = 0.02
    deadline = time.monotonic() + PATIENCE_SECONDS

    def stream() -> None:
        while not served.is_set() and time.monotonic() < deadline:
            paint(pool, MODEL)

    with ThreadPoolExecutor(3) as threads:
        streams = [threads.submit(stream) for _ in range(2)]
        wait_for(lambda: one.painted > 2)
        before = one.painted
        threads.submit(paint, pool, OTHER_MODEL).result(PATIENCE_SECONDS)
        served.set()
    assert [running.exception() for running in streams] == [None, None]
    assert one.painted > before + 1, "the stream went on meanwhile"
    assert one.loads[0] == OTHER_MODEL


def test_the_faster_server_is_preferred_once_both_were_measured(
    pool: WebuiPool, one: PaintingWebui, two: PaintingWebui
) -> None:
    one.pause_seconds = 0.5
    assert {paint(pool), paint(pool)} == {one.url, two.url}
    assert {paint(pool) for _ in range(3)} == {two.url}
    slow, fast = standing(pool, one).speed, standing(pool, two).speed
    assert slow is not None
    assert fast is not None
    assert slow < fast


def test_a_run_that_loads_its_checkpoint_tells_nothing_about_speed(
    one: PaintingWebui, tmp_path: Path
) -> None:
    pool = pool_of(tmp_path, one)
    paint(pool, OTHER_MODEL)
    assert standing(pool, one).speed is None
    paint(pool, OTHER_MODEL)
    assert standing(pool, one).speed is not None


def test_a_server_that_fails_is_left_alone_and_tried_again_after_its_rest(
    pool: WebuiPool, one: PaintingWebui, two: PaintingWebui, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "FIRST_REST_SECONDS", 1.0)
    one.misbehave = [webui.fails]
    with pytest.raises(ServerFailed):
        paint(pool)
    assert {paint(pool) for _ in range(3)} == {two.url}
    ill = standing(pool, one)
    assert (ill.failures, isinstance(ill.error, ServerFailed)) == (1, True)
    wait_for(lambda: standing(pool, one).rest_seconds == 0)
    assert paint(pool) == one.url
    assert standing(pool, one).failures == 0


def test_a_server_that_is_gone_after_its_rest_is_found_out_before_it_gets_work(
    pool: WebuiPool, one: PaintingWebui, two: PaintingWebui, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "FIRST_REST_SECONDS", 0.2)
    one.misbehave = [webui.fails]
    with pytest.raises(ServerFailed):
        paint(pool)
    routes, one.routes = one.routes, {}
    wait_for(lambda: standing(pool, one).rest_seconds == 0)
    assert {paint(pool) for _ in range(3)} == {two.url}
    assert standing(pool, one).failures > 1
    one.routes = routes


def test_a_server_that_rests_serves_where_no_other_can(one: PaintingWebui, tmp_path: Path) -> None:
    pool = pool_of(tmp_path, one)
    one.misbehave = [webui.fails]
    with pytest.raises(ServerFailed):
        paint(pool)
    assert standing(pool, one).rest_seconds > 0
    assert paint(pool) == one.url


def test_a_look_heals_a_server_that_was_away_and_not_one_that_fails_at_work(
    pool: WebuiPool, one: PaintingWebui
) -> None:
    client = next(client for client in pool.clients if client.url == one.url)
    pool.failed(client, ServerUnreachable(one.url, "connection refused"))
    pool.answered(client)
    assert standing(pool, one).failures == 0
    one.misbehave = [webui.fails]
    with pytest.raises(ServerFailed):
        paint(pool)
    pool.answered(client)
    assert standing(pool, one).failures == 1


def test_a_drained_server_finishes_what_runs_and_takes_nothing_new(
    pool: WebuiPool, one: PaintingWebui, two: PaintingWebui
) -> None:
    with pool.lease() as client:
        pool.drain([client.url])
        assert {paint(pool) for _ in range(3)} == {one.url, two.url} - {client.url}
        assert client.txt2img(asked()).pictures
        assert (pool.standing(client).busy, pool.standing(client).drained) == (True, True)
    assert not pool.is_busy(client)
    assert {paint(pool) for _ in range(3)} == {one.url, two.url} - {client.url}


def test_while_all_are_drained_work_waits_and_goes_on_when_one_is_resumed(
    pool: WebuiPool, one: PaintingWebui, two: PaintingWebui
) -> None:
    pool.drain([one.url, two.url])
    with pytest.raises(NoFreeServer), pool.lease(wait_seconds=0):
        pass
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(paint, pool)
        pool.drain([one.url])
        assert waiting.result(PATIENCE_SECONDS) == two.url


def test_what_waits_for_one_server_is_given_to_another_that_came_back(
    pool: WebuiPool, one: PaintingWebui, two: PaintingWebui, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webui_client.pool.ASK_SECONDS", 0.1)
    routes, two.routes = two.routes, {}
    with ThreadPoolExecutor(1) as threads, pool.lease(avoid=[two.url]) as held:
        assert held.url == one.url
        waiting = threads.submit(paint, pool)
        wait_for(lambda: standing(pool, two).failures > 0)
        two.routes = routes
        pool.answered(next(client for client in pool.clients if client.url == two.url))
        assert waiting.result(PATIENCE_SECONDS) == two.url
