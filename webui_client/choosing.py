"""Who gets which free server: a pure decision from all who wait and all servers.

A WebUI keeps the checkpoint of its last run in memory, and to load another one takes it up to tens of seconds. So work
goes where its checkpoint is loaded, and a server that has just become free is kept a moment for more work of the same
kind, which comes at once when a job goes on to its next stage (after anticipatory disk scheduling, Iyer and Druschel
2001). Both have an end: whoever waited for long enough may have any server's checkpoint changed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

FOLLOW_SECONDS = 3.0
"""How long a free server is kept for work of the checkpoint it has loaded."""
SWITCH_SECONDS = 20.0
"""What loading a checkpoint may cost: so long is waited for a busy server that has it, while another stands idle."""
STARVED_SECONDS = 90.0
"""After so long a wait the checkpoint counts no more, and whoever came first is served first."""
PACE_STEP = 1.25
"""Servers whose speeds differ by less take turns."""


class Claim(Enum):
    """What gives a wish a server, the strongest first."""

    STARVED = "waited too long to look at checkpoints"
    LOADED = "its checkpoint is loaded there"
    SWITCH = "loading its checkpoint there is worth it"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """Somebody who waits for a server.

    able: the title of the checkpoint that it will run there, by the URL of each server that can serve; None leaves the
    one that is loaded. avoid: URLs to take only if no other is free. since: monotonic seconds.
    """

    able: Mapping[str, str | None]
    since: float
    avoid: frozenset[str] = frozenset()

    def finds_loaded(self, server: Candidate) -> bool:
        """Whether the server need not change its checkpoint for this."""
        return self.able[server.url] in (None, server.checkpoint)


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A server that takes work.

    checkpoint: title of the loaded one. idle_since: monotonic seconds, None while it is busy. rests: it failed and is
    left alone unless nobody else can serve. speed: in pixel steps a second, None until measured. turn: grows with
    every lease.
    """

    url: str
    checkpoint: str
    idle_since: float | None
    rests: bool = False
    speed: float | None = None
    turn: int = 0


def choose(wishes: Sequence[Wish], servers: Sequence[Candidate], moment: float) -> dict[int, str]:
    """The URL that each wish takes now, by its position; who goes on waiting is left out.

    wishes: in the order they came. moment: monotonic seconds.
    """
    chosen: dict[int, str] = {}
    for claim in Claim:
        for number, wish in enumerate(wishes):
            able = _able(wish, servers)
            free = [
                server
                for server in able
                if server.url not in chosen.values() and _claim(wish, server, able, moment) is claim
            ]
            if number not in chosen and free:
                chosen[number] = min(free, key=_preference(wish)).url
    return chosen


def _able(wish: Wish, servers: Sequence[Candidate]) -> list[Candidate]:
    able = [server for server in servers if server.url in wish.able]
    return [server for server in able if not server.rests] or able


def _claim(wish: Wish, server: Candidate, able: Sequence[Candidate], moment: float) -> Claim | None:
    """The claim of a wish to a server; None while that is busy or waiting is better."""
    if server.idle_since is None:
        return None
    waited = moment - wish.since
    if waited >= STARVED_SECONDS:
        return Claim.STARVED
    if wish.finds_loaded(server):
        return Claim.LOADED
    kept = moment - server.idle_since < FOLLOW_SECONDS
    loaded_elsewhere = any(map(wish.finds_loaded, able))
    return None if kept or (loaded_elsewhere and waited < SWITCH_SECONDS) else Claim.SWITCH


def _preference(wish: Wish) -> Callable[[Candidate], tuple[bool, bool, float, int]]:
    def order(server: Candidate) -> tuple[bool, bool, float, int]:
        return server.url in wish.avoid, not wish.finds_loaded(server), -_pace(server.speed), server.turn

    return order


def _pace(speed: float | None) -> float:
    """A speed in coarse steps; one that is not known yet comes first, so that it becomes known."""
    return math.inf if speed is None else round(math.log(speed, PACE_STEP))
