"""Everything that computes runs in one thread, one after the other, whoever asks."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from webui_engine.one_thread import OneThread


def test_work_of_many_callers_runs_in_the_same_thread() -> None:
    place = OneThread("test")
    with ThreadPoolExecutor(8) as callers:
        seen = set(callers.map(lambda _: place.run(threading.get_ident), range(40)))
    assert len(seen) == 1
    assert threading.get_ident() not in seen


def test_an_error_is_raised_where_the_work_was_asked_for_and_the_next_work_runs() -> None:
    place = OneThread("test")
    with pytest.raises(ZeroDivisionError):
        place.run(lambda: 1 // 0)
    assert place.run(lambda: 3) == 3


def test_work_within_work_does_not_wait_for_itself() -> None:
    place = OneThread("test")
    assert place.run(lambda: place.run(lambda: 5)) == 5
