"""Waiting for something another thread does."""

from __future__ import annotations

import time
from collections.abc import Callable


def eventually(happened: Callable[[], object], *, seconds: float = 30.0) -> None:
    """Return when happened is true; fail after so many seconds."""
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.005)
