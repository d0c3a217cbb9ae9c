from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.replay import ReplayServer
from webui_client.capabilities import Capabilities
from webui_client.client import WebuiClient
from webui_client.values import Timeouts

QUICK = Timeouts(connect=5.0, read=15.0, generation=30.0, poll=0.02)


@pytest.fixture
def server() -> Iterator[ReplayServer]:
    with ReplayServer() as replay:
        yield replay


@pytest.fixture
def client(server: ReplayServer) -> Iterator[WebuiClient]:
    one = WebuiClient(server.url, timeouts=QUICK)
    yield one
    one.close()


@pytest.fixture(scope="session")
def recorded() -> Capabilities:
    """The capability record of the recorded server."""
    with ReplayServer() as replay:
        return WebuiClient(replay.url, timeouts=QUICK).probe()
