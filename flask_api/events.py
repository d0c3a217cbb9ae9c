"""Server-sent events: one stream per watched job or training, until its final status.

Each stream holds a thread of the server, so their number is bounded; the page falls back to polling.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

from flask import Response

from flask_api.answers import JobAnswer, TrainingAnswer
from flask_api.errors import Refusal
from studio.errors import StudioError

MAX_LISTENERS = 24
POLL_SECONDS = 0.25
HEARTBEAT_SECONDS = 10.0

Watched = JobAnswer | TrainingAnswer


class Listeners:
    """Counts the open streams and ends them all when the server stops."""

    def __init__(self, limit: int = MAX_LISTENERS) -> None:
        self._places = threading.BoundedSemaphore(limit)
        self._limit = limit
        self._stopped = threading.Event()

    def stop(self) -> None:
        """End all streams at their next look, within POLL_SECONDS."""
        self._stopped.set()

    def stream(self, name: str, read: Callable[[], Watched]) -> Response:
        """A stream of what read returns whenever it has changed.

        Raises Refusal 503 when too many listen; whatever read raises for the first value.
        """
        first = read()
        if not self._places.acquire(blocking=False):
            raise Refusal(503, "too_many_listeners", limit=self._limit)
        response = Response(self._events(name, first, read), content_type="text/event-stream")
        response.call_on_close(self._places.release)
        response.headers["X-Accel-Buffering"] = "no"
        return response

    def _events(self, name: str, value: Watched, read: Callable[[], Watched]) -> Iterator[str]:
        text = value.model_dump_json()
        yield event(name, text)
        said = time.monotonic()
        while not value.status.final and not self._stopped.wait(POLL_SECONDS):
            try:
                value = read()
            except StudioError:
                return  # erased meanwhile, or the database went away: the listener asks again and is told
            latest = value.model_dump_json()
            if latest != text:
                text, said = latest, time.monotonic()
                yield event(name, text)
            elif time.monotonic() - said > HEARTBEAT_SECONDS:
                said = time.monotonic()
                yield ": still here\n\n"


def event(name: str, data: str) -> str:
    """One event in the text form of the HTML standard, section 9.2; data is a single line."""
    return f"event: {name}\ndata: {data}\n\n"
