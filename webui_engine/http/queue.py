"""One job at a time, first come first served."""

from __future__ import annotations

import secrets
import string
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from webui_engine.http.faults import QueueFull

REMEMBERED = 16


def new_task_id(kind: str) -> str:
    """An id in A1111's form, ``task(kind-XXXXXXX)``."""
    letters = "".join(secrets.choice(string.ascii_uppercase + string.digits) for _ in range(7))
    return f"task({kind}-{letters})"


class TaskQueue:
    """Lets one thread in at a time, in order of arrival, and knows by id who waits, runs and has run.

    limit: how many may wait; beyond it :class:`QueueFull` is raised, so that waiting requests never take all of the
    server's threads and the listings and progress routes keep answering.
    """

    def __init__(self, *, limit: int = 32) -> None:
        self._limit = limit
        self._changed = threading.Condition()
        self._waiting: deque[object] = deque()
        self._names: dict[object, str] = {}
        self._running: object | None = None
        self._finished: deque[str] = deque(maxlen=REMEMBERED)

    @contextmanager
    def turn(self, task_id: str | None = None) -> Iterator[None]:
        """Wait for one's turn and hold it for the body; a task is finished however the body ends."""
        ticket = object()
        self._enter(ticket, task_id)
        try:
            yield
        finally:
            self._leave(ticket, task_id)

    def pending(self) -> tuple[str, ...]:
        """The ids that wait, in order."""
        with self._changed:
            return tuple(self._names[ticket] for ticket in self._waiting if ticket in self._names)

    def current(self) -> str | None:
        """The id that runs now."""
        with self._changed:
            return self._names.get(self._running) if self._running is not None else None

    def has_finished(self, task_id: str) -> bool:
        """Whether task_id is among the last sixteen that ended."""
        with self._changed:
            return task_id in self._finished

    def _enter(self, ticket: object, task_id: str | None) -> None:
        with self._changed:
            if len(self._waiting) >= self._limit:
                raise QueueFull(len(self._waiting))
            self._waiting.append(ticket)
            if task_id is not None:
                self._names[ticket] = task_id
            self._changed.wait_for(lambda: self._running is None and self._waiting[0] is ticket)
            self._waiting.popleft()
            self._running = ticket

    def _leave(self, ticket: object, task_id: str | None) -> None:
        with self._changed:
            self._running = None
            self._names.pop(ticket, None)
            if task_id is not None:
                self._finished.append(task_id)
            self._changed.notify_all()
