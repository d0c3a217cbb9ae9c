"""One job at a time, in order, and known by its id."""

from __future__ import annotations

import threading

import pytest

from tests.unit.webui_engine.http.waiting import eventually
from webui_engine.http.faults import QueueFull
from webui_engine.http.queue import TaskQueue


def test_those_who_wait_are_served_in_order() -> None:
    queue, order = TaskQueue(), list[str]()
    threads = [threading.Thread(target=_take_turn, args=(queue, name, order)) for name in "abc"]
    with queue.turn("first"):
        for index, thread in enumerate(threads):
            thread.start()
            _until_pending(queue, index + 1)
        assert queue.pending() == ("a", "b", "c")
        assert queue.current() == "first"
    for thread in threads:
        thread.join()
    assert order == ["a", "b", "c"]


def _take_turn(queue: TaskQueue, name: str, order: list[str]) -> None:
    with queue.turn(name):
        order.append(name)


def test_a_task_that_fails_is_finished() -> None:
    queue = TaskQueue()
    with pytest.raises(RuntimeError), queue.turn("broken"):
        raise RuntimeError
    assert queue.current() is None
    assert queue.has_finished("broken")


def test_a_full_queue_says_so_at_once() -> None:
    queue, order = TaskQueue(limit=1), list[str]()
    thread = threading.Thread(target=_take_turn, args=(queue, "waits", order))
    with queue.turn("runs"):
        thread.start()
        eventually(lambda: queue.pending() == ("waits",))
        with pytest.raises(QueueFull), queue.turn("too many"):
            pass
    thread.join()


def test_only_the_last_sixteen_are_remembered() -> None:
    queue = TaskQueue()
    for number in range(17):
        with queue.turn(f"task {number}"):
            pass
    assert not queue.has_finished("task 0")
    assert queue.has_finished("task 16")


def _until_pending(queue: TaskQueue, number: int) -> None:
    eventually(lambda: len(queue.pending()) == number)
