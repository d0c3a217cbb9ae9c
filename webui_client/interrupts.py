"""Was a run stopped before its end? What can be proven of it, from the server's one global state.

A WebUI answers an interrupted run with 200, a half-made picture and an unchanged infotext. The only trace is
``/sdapi/v1/progress``: ``interrupted``, ``skipped`` and ``stopping_generation`` stay set after the run until
the next job begins, and ``job_timestamp`` there equals the one in the run's ``info``. So the state is read
while the run goes on and once more after the answer; a set flag under our timestamp means that what came is
no result. An interrupt sent between our run's end and that last look is counted against us, which costs a
repeat and is safe.

One gap cannot be closed wholly: another client's queued job may begin, and clear the flags, before our
answer has arrived. Then the looks during the run are all there is; if by the last of them the server
expected to need far longer than it took, the run is taken for interrupted too. With the server to ourselves
the gap does not exist.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from webui_client.answers import mapping_of, number_of
from webui_client.errors import Interrupted
from webui_client.values import GenerationInfo

STOP_FLAGS = ("interrupted", "skipped", "stopping_generation")
SUDDEN_END_FACTOR, SUDDEN_END_SECONDS = 3.0, 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Glimpse:
    """The server's state at one moment.

    seen_at: of this host's monotonic clock. job_timestamp: of the job it was running, or ran last. stopped:
    it was interrupted, skipped or told to stop. ours: our task was the one running. eta_seconds: what it
    thought it needed.
    """

    seen_at: float
    job_timestamp: str
    stopped: bool
    ours: bool = False
    eta_seconds: float | None = None

    @classmethod
    def of(cls, progress: Mapping[str, Any], *, ours: bool = False) -> Glimpse:
        """Read an answer of ``/sdapi/v1/progress``; what it lacks stands at its neutral value."""
        flags = mapping_of(progress.get("state"))
        return cls(
            seen_at=time.monotonic(),
            job_timestamp=str(flags.get("job_timestamp") or ""),
            stopped=any(bool(flags.get(flag)) for flag in STOP_FLAGS),
            ours=ours,
            eta_seconds=max(0.0, number_of(progress.get("eta_relative"))) or None,
        )


def check_uninterrupted(
    server: str, info: GenerationInfo, glimpses: Sequence[Glimpse], after: Glimpse | None, *, ours: bool
) -> None:
    """Raise Interrupted if the run was stopped before its end, as far as it can be known (see :mod:`watch`).

    glimpses: seen during the run; after: once it had answered. ours: we asked for it ourselves.
    """
    if ours:
        raise Interrupted(server, ours=True)
    first = next((seen.job_timestamp for seen in glimpses if seen.ours), info.job_timestamp)
    of_the_run = [
        seen
        for seen in (*glimpses, *([after] if after else ()))
        if seen.job_timestamp and min(first, info.job_timestamp) <= seen.job_timestamp <= info.job_timestamp
    ]
    if any(seen.stopped for seen in of_the_run):
        raise Interrupted(server, ours=False, reason="the server's state says so")
    seen_running = any(seen.ours and seen.job_timestamp == info.job_timestamp for seen in glimpses)
    taken_over = after is not None and after.job_timestamp > info.job_timestamp
    if seen_running and taken_over and after and _ended_suddenly(glimpses, after.seen_at):
        raise Interrupted(
            server, ours=False, reason="it ended far sooner than its pace, and another job began"
        )


def _ended_suddenly(glimpses: Sequence[Glimpse], ended_at: float) -> bool:
    last = next((seen for seen in reversed(glimpses) if seen.ours), None)
    if last is None or last.eta_seconds is None:
        return False
    took = ended_at - last.seen_at
    return last.eta_seconds > SUDDEN_END_FACTOR * took + SUDDEN_END_SECONDS
