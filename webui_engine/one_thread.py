"""One thread for everything that computes.

The OpenMP runtime keeps a team of threads for each thread that computes. As soon as all teams together have more
threads than the processor has cores, waiting members sleep instead of spinning, and a network of many small operations
takes half as long again (measured on two cores). A server that computed in whichever thread took the request would
always be in that state.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from typing import Any, TypeVar

T = TypeVar("T")


class OneThread:
    """Runs what it is given in a thread of its own, one after the other; the thread ends with the process."""

    def __init__(self, name: str) -> None:
        self._orders: SimpleQueue[tuple[Callable[[], Any], Future[Any]]] = SimpleQueue()
        self._thread = threading.Thread(target=self._serve, name=name, daemon=True)
        self._thread.start()

    def run(self, work: Callable[[], T]) -> T:
        """What work returns, or raises; work that is run from within other work does not wait for its turn."""
        if threading.current_thread() is self._thread:
            return work()
        result: Future[T] = Future()
        self._orders.put((work, result))
        return result.result()

    def _serve(self) -> None:
        while True:
            _run(*self._orders.get())


def _run(work: Callable[[], Any], result: Future[Any]) -> None:
    try:
        result.set_result(work())
    except BaseException as error:  # noqa: BLE001  the caller's, wherever it waits
        result.set_exception(error)
