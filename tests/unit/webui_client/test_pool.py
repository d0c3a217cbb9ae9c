from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.replay import ReplayServer, Reply
from tests.unit.webui_client.answers import asked
from tests.unit.webui_client.conftest import QUICK
from tests.unit.webui_client.test_transport import closed_port
from webui_client.client import WebuiClient
from webui_client.errors import Interrupted, MissingCapability, NoFreeServer, ServerFailed, ServerUnreachable
from webui_client.pool import WebuiPool
from webui_client.preflight import needs_of

ROOT = Path(__file__).parents[3]
HOLD = """
import sys
from pathlib import Path
from webui_client.client import WebuiClient
from webui_client.pool import WebuiPool
with WebuiPool([WebuiClient(sys.argv[1])], Path(sys.argv[2])).lease():
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def other_server() -> Iterator[ReplayServer]:
    with ReplayServer() as replay:
        replay.on(
            "GET", "/sdapi/v1/samplers", Reply(body=[{"name": "DPM++ 2M", "aliases": [], "options": {}}])
        )
        yield replay


@pytest.fixture
def pool(server: ReplayServer, other_server: ReplayServer, tmp_path: Path) -> WebuiPool:
    clients = [WebuiClient(one.url, timeouts=QUICK) for one in (server, other_server)]
    return WebuiPool(clients, tmp_path / "locks")


def alone(server: ReplayServer, folder: Path) -> WebuiPool:
    return WebuiPool([WebuiClient(server.url, timeouts=QUICK)], folder)


def test_two_leases_take_two_servers(pool: WebuiPool) -> None:
    with pool.lease() as first, pool.lease() as second:
        assert first.url != second.url


def test_servers_take_turns(pool: WebuiPool) -> None:
    with pool.lease() as first:
        pass
    with pool.lease() as second:
        pass
    assert first.url != second.url


def test_a_third_lease_waits_and_says_when_it_gives_up(pool: WebuiPool) -> None:
    with pool.lease(), pool.lease(), pytest.raises(NoFreeServer) as caught, pool.lease(wait_seconds=0):
        pass
    assert len(caught.value.servers) == 2


def test_a_waiting_lease_gets_the_server_that_becomes_free(server: ReplayServer, tmp_path: Path) -> None:
    pool = alone(server, tmp_path)
    leased, got = threading.Event(), threading.Event()

    def wait_for_it() -> None:
        leased.set()
        with pool.lease(wait_seconds=30):
            got.set()

    with pool.lease():
        thread = threading.Thread(target=wait_for_it)
        thread.start()
        leased.wait(30)
        assert not got.is_set()
    thread.join(30)
    assert got.is_set()


def test_a_waiting_lease_can_be_cancelled(server: ReplayServer, tmp_path: Path) -> None:
    pool = alone(server, tmp_path)
    with pool.lease(), pytest.raises(Interrupted), pool.lease(cancelled=lambda: True):
        pass


def test_only_a_server_that_can_serve_is_chosen(pool: WebuiPool, server: ReplayServer) -> None:
    for _ in range(3):
        with pool.lease(needs_of(asked(sampler_name="Euler a"))) as client:
            assert client.url == server.url


def test_what_no_server_can_do_is_refused_at_once(pool: WebuiPool) -> None:
    with pytest.raises(MissingCapability, match="Foo"), pool.lease(needs_of(asked(sampler_name="Foo"))):
        pass


def test_a_server_to_be_avoided_is_taken_last(pool: WebuiPool, server: ReplayServer) -> None:
    with pool.lease(avoid=[server.url]) as first, pool.lease(avoid=[server.url]) as second:
        assert first.url != server.url
        assert second.url == server.url


def test_a_dead_server_is_passed_over(server: ReplayServer, tmp_path: Path) -> None:
    dead = WebuiClient(f"http://127.0.0.1:{closed_port()}", timeouts=QUICK)
    pool = WebuiPool([dead, WebuiClient(server.url, timeouts=QUICK)], tmp_path)
    with pool.lease() as client:
        assert client.url == server.url


def test_a_server_that_was_down_is_asked_again_when_no_other_can_serve(
    server: ReplayServer, tmp_path: Path
) -> None:
    pool = alone(server, tmp_path)
    server.on("GET", "/sdapi/v1/options", Reply(502, b"bad gateway"))
    with pytest.raises(ServerFailed), pool.lease():
        pass
    server.replay(1)
    with pool.lease() as client:
        assert client.url == server.url


def test_only_dead_servers_are_an_error(tmp_path: Path) -> None:
    dead = WebuiClient(f"http://127.0.0.1:{closed_port()}", timeouts=QUICK)
    with pytest.raises(ServerUnreachable), WebuiPool([dead], tmp_path).lease():
        pass


def test_another_process_holds_the_server_until_it_is_killed(server: ReplayServer, tmp_path: Path) -> None:
    pool = alone(server, tmp_path)
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, server.url, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=ROOT,
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        assert pool.is_busy(pool.clients[0])
        with pytest.raises(NoFreeServer), pool.lease(wait_seconds=0):
            pass
        os.kill(holder.pid, signal.SIGKILL)
        holder.wait(30)
        with pool.lease(wait_seconds=30):
            assert pool.is_busy(pool.clients[0])
