"""Stopping a worker without telling any job that it was cancelled: the durable queue resumes them at the next start."""

from __future__ import annotations

import threading
import time

LOOK_SECONDS = 0.2


class Stopping:
    """Whether the process was asked to stop, and how many steps have noticed."""

    def __init__(self) -> None:
        self._asked = False
        self._busy = 0
        self._changed = threading.Condition()

    @property
    def asked(self) -> bool:
        """Whether every step shall let go of what it does."""
        return self._asked

    def ask(self) -> None:
        """Ask all steps to let go. Takes no lock, so that a signal handler may call it."""
        self._asked = True

    def wait_until_asked(self, seconds: float) -> bool:
        """Wait at most so long; whether it was asked."""
        deadline = time.monotonic() + seconds
        while not self._asked and time.monotonic() < deadline:
            time.sleep(LOOK_SECONDS)
        return self._asked

    def entered(self) -> None:
        """A step begins."""
        with self._changed:
            self._busy += 1

    def left(self) -> None:
        """A step has ended or let go."""
        with self._changed:
            self._busy -= 1
            self._changed.notify_all()

    def wait_until_idle(self, seconds: float) -> bool:
        """Wait until no step works any more, at most so long; whether that came true."""
        with self._changed:
            return self._changed.wait_for(lambda: self._busy <= 0, seconds)

    def park_if_asked(self) -> None:
        """When asked: say that this step has let go, and never return, so that nothing is recorded of it.

        The process ends while the thread waits; the step is run again at the next start.
        """
        if self.asked:
            self.left()
            threading.Event().wait()
