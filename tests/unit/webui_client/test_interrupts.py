"""A picture from an interrupted run is never handed on; and only our own run is ever interrupted."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest

from tests.recordings import recordings
from tests.replay import Asked, ReplayServer, Reply, answer_json
from tests.unit.webui_client.answers import asked
from webui_client.client import WebuiClient
from webui_client.errors import Interrupted
from webui_client.interrupts import Glimpse, check_uninterrupted
from webui_client.values import GenerationInfo

TXT2IMG, INTERRUPT = "/sdapi/v1/txt2img", "/sdapi/v1/interrupt"
INFO = GenerationInfo(seed=1, job_timestamp="20261120211858")


def glimpse(**told: Any) -> Glimpse:
    return Glimpse(**{"seen_at": 100.0, "job_timestamp": INFO.job_timestamp, "stopped": False, **told})


def checked(seen: list[Glimpse], after: Glimpse | None) -> None:
    check_uninterrupted("http://server", INFO, seen, after, ours=False)


@pytest.mark.parametrize("number", [376, 380, 381])
def test_the_recorded_half_made_pictures_are_refused(
    server: ReplayServer, client: WebuiClient, number: int
) -> None:
    server.state = recordings()[number]["progress_after_run"]
    server.on("POST", TXT2IMG, Reply(200, answer_json(number)))
    with pytest.raises(Interrupted) as caught:
        client.txt2img(asked())
    assert not caught.value.ours
    assert caught.value.retryable


def test_a_stale_flag_of_an_earlier_job_does_no_harm(server: ReplayServer, client: WebuiClient) -> None:
    server.state = recordings()[376]["progress_after_run"]
    server.replay(55)
    client.txt2img(asked(seed=42))


def test_a_flag_seen_only_during_the_run_counts() -> None:
    later = glimpse(job_timestamp="20261120211900")
    with pytest.raises(Interrupted):
        checked([glimpse(ours=True, stopped=True)], later)


def test_a_flag_of_an_inner_job_of_a_script_counts() -> None:
    seen = [
        glimpse(ours=True, job_timestamp="20261120211850"),
        glimpse(stopped=True, job_timestamp="20261120211855"),
    ]
    with pytest.raises(Interrupted):
        checked(seen, glimpse())


def test_a_run_that_ended_far_too_soon_before_another_job_began_is_not_trusted() -> None:
    other_job = glimpse(seen_at=101.0, job_timestamp="20261120211900")
    with pytest.raises(Interrupted, match="sooner"):
        checked([glimpse(ours=True, eta_seconds=60.0)], other_job)
    checked([glimpse(ours=True, eta_seconds=1.5)], other_job)


def test_a_server_that_keeps_its_timestamps_in_another_way_raises_no_alarm() -> None:
    seen = glimpse(ours=True, eta_seconds=60.0, job_timestamp="20261120211857")
    checked([seen], glimpse(seen_at=101.0, job_timestamp="20261120211857"))
    checked([seen], glimpse(seen_at=101.0, job_timestamp="20261120211901"))


def test_a_server_gone_after_its_answer_leaves_only_what_was_seen() -> None:
    checked([glimpse(ours=True)], None)


class Run:
    """A txt2img of the server that lasts until it is interrupted or a test lets it end."""

    def __init__(
        self, server: ReplayServer, *, task_active: bool = True, ends_by_itself: bool = False
    ) -> None:
        self.server = server
        self.task_active = task_active
        self.looks_left = 6 if ends_by_itself else None
        self.ended = threading.Event()
        server.on("POST", TXT2IMG, self._generate)
        server.on("POST", INTERRUPT, self._interrupt)
        server.on("GET", "/sdapi/v1/progress", self._look)

    def _look(self, _: Asked) -> Reply:
        if self.looks_left is not None and self.server.calls(TXT2IMG):
            self.looks_left -= 1
            if self.looks_left == 0:
                self.ended.set()
        return Reply(body=self.server.state)

    def _generate(self, request: Asked) -> Reply:
        answer = answer_json(376)
        self.server.state["state"]["job"] = "scripts_txt2img"
        self.server.state["state"]["job_timestamp"] = json.loads(answer["info"])["job_timestamp"]
        self.server.active_task = request.json["force_task_id"] if self.task_active else "task(other)"
        assert self.ended.wait(30)
        return Reply(200, answer)

    def _interrupt(self, _: Asked) -> Reply:
        self.server.state["state"]["interrupted"] = True
        self.ended.set()
        return Reply(200, {})


def cancel_when_running(server: ReplayServer) -> Any:
    return lambda: bool(server.calls(TXT2IMG))


def test_a_cancel_interrupts_our_own_run(server: ReplayServer, client: WebuiClient) -> None:
    Run(server)
    with pytest.raises(Interrupted) as caught:
        client.txt2img(asked(), cancelled=cancel_when_running(server))
    assert caught.value.ours
    assert not caught.value.retryable


def test_a_cancel_never_interrupts_somebody_elses_run(server: ReplayServer, client: WebuiClient) -> None:
    Run(server, task_active=False, ends_by_itself=True)
    with pytest.raises(Interrupted) as caught:
        client.txt2img(asked(), cancelled=cancel_when_running(server))
    assert caught.value.ours
    assert server.calls(INTERRUPT) == []


def test_without_task_ids_a_run_on_an_idle_server_is_taken_for_ours(
    server: ReplayServer, client: WebuiClient
) -> None:
    server.without("/internal/ping", "/internal/progress")
    Run(server)
    with pytest.raises(Interrupted) as caught:
        client.txt2img(asked(), cancelled=cancel_when_running(server))
    assert caught.value.ours
    assert server.calls(INTERRUPT)


def test_without_task_ids_a_busy_server_is_left_alone(server: ReplayServer, client: WebuiClient) -> None:
    server.without("/internal/ping", "/internal/progress")
    server.state["state"].update(job="scripts_txt2img", job_count=1)
    Run(server, ends_by_itself=True)
    with pytest.raises(Interrupted):
        client.txt2img(asked(), cancelled=cancel_when_running(server))
    assert server.calls(INTERRUPT) == []


def test_a_task_left_behind_is_stopped_only_if_it_is_the_one_running(
    server: ReplayServer, client: WebuiClient
) -> None:
    server.on("POST", INTERRUPT, Reply(200, {}))
    server.active_task = "task(ours)"
    assert not client.stop("task(forgotten)")
    assert server.calls(INTERRUPT) == []
    assert client.stop("task(ours)")
    assert len(server.calls(INTERRUPT)) == 1


def test_where_no_task_is_known_by_id_none_is_stopped(server: ReplayServer, client: WebuiClient) -> None:
    server.without("/internal/ping", "/internal/progress")
    assert not client.stop("task(ours)")
