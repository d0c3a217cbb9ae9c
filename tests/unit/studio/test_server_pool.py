"""Jobs on several servers at once: all are used, none is lost when one dies, and a drained one is left alone."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from studio.errors import NotFound
from studio.values import Job, Server, Status
from studio.worker.stopping import Stopping
from studio.worker.watching import Watcher
from tests.replay import Asked, Reply
from tests.unit.studio import painting_webui as webui
from tests.unit.studio.painting_webui import PaintingWebui
from tests.unit.studio.test_running_jobs import House, open_house, wait_for
from webui_client.client import WebuiClient
from webui_client.pool import WebuiPool

SERVERS = 4
STAGES = 3
JOBS_AT_ONCE = 8


@pytest.fixture
def servers() -> Iterator[list[PaintingWebui]]:
    with ExitStack() as running:
        yield [running.enter_context(PaintingWebui()) for _ in range(SERVERS)]


@pytest.fixture
def house(tmp_path: Path, servers: list[PaintingWebui]) -> Iterator[House]:
    house = open_house(tmp_path, servers)
    with house.base.closing:
        yield house


@pytest.fixture
def watcher(house: House) -> Watcher:
    """What the worker of the house has beside its jobs; it has given a sign of life."""
    watcher = watcher_of(house, house.steps.pool)
    watcher.look_at_work()
    return watcher


def watcher_of(house: House, pool: WebuiPool) -> Watcher:
    base = house.base
    return Watcher(
        database=base.database, queue=base.queue, pool=pool, executor_id="test", stopping=Stopping()
    )


def run_all(house: House, count: int, meanwhile: Callable[[], None] = lambda: None) -> list[Job]:
    """So many jobs, as many at once as the worker runs on four servers."""
    orders = [house.order(options={"seed": number}) for number in range(count)]
    with ThreadPoolExecutor(JOBS_AT_ONCE) as threads:
        running = [threads.submit(house.run, order) for order in orders]
        meanwhile()
        return [job.result(120) for job in running]


def seen(house: House, server: PaintingWebui) -> Server:
    return next(one for one in house.studio.servers() if one.url == server.url)


def test_equal_servers_share_the_work_evenly(house: House) -> None:
    for server in house.servers:
        server.pause_seconds = 0.1
    jobs = run_all(house, 16)
    assert {job.status for job in jobs} == {Status.SUCCEEDED}
    shares = [server.painted for server in house.servers]
    assert sum(shares) == 16 * STAGES
    assert min(shares) >= 16 * STAGES / SERVERS / 2, shares


def test_nothing_is_lost_and_nothing_made_twice_when_a_server_dies_in_the_middle_of_a_picture(
    house: House,
) -> None:
    dying, *others = house.servers
    for server in house.servers:
        server.pause_seconds = 0.1
    gone = threading.Event()

    def dies(asked: Asked) -> Reply:
        threading.Thread(target=dying.__exit__, args=(None, None, None)).start()
        gone.set()
        return webui.hangs_up(asked)

    def let_it_die() -> None:
        wait_for(lambda: dying.painted > 0)
        dying.misbehave = [dies]

    jobs = run_all(house, 12, meanwhile=let_it_die)
    assert gone.is_set()
    assert [job.error for job in jobs] == [None] * 12
    assert all(len(job.images) == 1 for job in jobs)
    assert house.painted() == 12 * STAGES
    assert all(server.painted > dying.painted for server in others)


def test_a_drained_server_gets_no_more_work_and_says_so(house: House, watcher: Watcher) -> None:
    drained, *others = house.servers
    watcher.look_at_servers()
    assert house.studio.drain_server(drained.url).takes_work is False
    watcher.follow_drains()
    jobs = run_all(house, 6)
    assert {job.status for job in jobs} == {Status.SUCCEEDED}
    assert drained.painted == 0
    watcher.look_at_servers()
    assert seen(house, drained).status == "drained"
    assert {seen(house, server).status for server in others} == {"ready"}


def test_a_drain_outlives_the_worker_and_ends_when_the_server_is_resumed(
    house: House, watcher: Watcher, tmp_path: Path
) -> None:
    url = house.servers[0].url
    watcher.look_at_servers()
    house.studio.drain_server(f"{url}/")
    client = WebuiClient(url)
    restarted = WebuiPool([client], tmp_path / "locks")
    watcher_of(house, restarted).follow_drains()
    assert restarted.standing(client).drained
    house.studio.resume_server(url)
    watcher_of(house, restarted).follow_drains()
    assert not restarted.standing(client).drained


def test_while_every_server_is_drained_the_studio_says_that_jobs_wait(house: House, watcher: Watcher) -> None:
    watcher.look_at_servers()
    assert house.studio.ready().ready
    for server in house.servers:
        house.studio.drain_server(server.url)
    assert house.studio.ready().problems == ("servers_drained",)


def test_a_server_that_is_not_known_cannot_be_drained(house: House) -> None:
    with pytest.raises(NotFound, match="server"):
        house.studio.drain_server("http://elsewhere:7860")


def test_a_server_that_fails_is_shown_as_resting_with_what_went_wrong(house: House, watcher: Watcher) -> None:
    ill, *others = house.servers
    ill.misbehave = [webui.fails]
    while ill.misbehave:
        assert house.run(house.order()).status is Status.SUCCEEDED
    watcher.look_at_servers()
    told = seen(house, ill)
    assert (told.status, told.failures, told.problem) == ("resting", 1, "webui_failed")
    assert "CUDA out of memory" in told.details
    assert told.retry_at is not None
    assert told.retry_at > told.seen_at
    assert {seen(house, server).problem for server in others} == {None}


def test_a_drained_server_that_failed_is_shown_as_drained_without_a_fault(
    house: House, watcher: Watcher
) -> None:
    ill = house.servers[0]
    ill.misbehave = [webui.fails]
    while ill.misbehave:
        house.run(house.order())
    watcher.look_at_servers()
    house.studio.drain_server(ill.url)
    watcher.follow_drains()
    watcher.look_at_servers()
    told = seen(house, ill)
    assert (told.status, told.problem, told.retry_at) == ("drained", None, None)


def test_speed_is_measured_and_shown(house: House, watcher: Watcher) -> None:
    run_all(house, 8)
    watcher.look_at_servers()
    speeds = [server.speed for server in house.studio.servers()]
    assert all(speed is not None and speed > 0 for speed in speeds)


def test_a_job_that_waits_for_drained_servers_goes_on_when_one_is_resumed(
    house: House, watcher: Watcher
) -> None:
    watcher.look_at_servers()
    for server in house.servers:
        house.studio.drain_server(server.url)
    watcher.follow_drains()
    resumed = house.servers[2]

    def resume() -> None:
        time.sleep(0.5)
        assert house.painted() == 0
        house.studio.resume_server(resumed.url)
        watcher.follow_drains()

    (job,) = run_all(house, 1, meanwhile=resume)
    assert job.status is Status.SUCCEEDED
    assert resumed.painted == STAGES
