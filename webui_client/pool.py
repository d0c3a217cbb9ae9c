"""Several WebUI servers: one request in flight on each, and for each request the best of those that can serve it.

What a pool learns of its servers it keeps to itself; only who holds which is known to all processes of this host.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from webui_client.capabilities import Capabilities
from webui_client.choosing import Candidate, Wish, choose
from webui_client.client import WebuiClient
from webui_client.errors import Interrupted, MissingCapability, NoFreeServer, WebuiError
from webui_client.health import WELL, Health
from webui_client.locks import ServerLock, ServerLocks
from webui_client.preflight import Need, resolve_checkpoint

LOOK_SECONDS = 0.25
ASK_SECONDS = 10.0
NEWEST_SHARE = 0.2
"""What the newest measurement counts in the moving average of a server's speed."""

Meet = Callable[[WebuiClient, Sequence[Need]], Capabilities]


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a server stands in the pool now.

    busy: some process of this host holds it. drained: it takes no new work. rest_seconds: for how much longer it is
    left alone after it failed; failures: in a row; error: the last one. speed: pixel steps a second, None until
    measured.
    """

    busy: bool
    drained: bool
    rest_seconds: float
    failures: int
    error: WebuiError | None
    speed: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """told: the server's own word for its checkpoint; loaded: what our last run left there, unless told changed since.

    switched: the run under way, or the last one, had to load its checkpoint first.
    """

    told: str = ""
    loaded: str = ""
    switched: bool = False
    health: Health = WELL
    speed: float | None = None
    turn: int = 0
    idle_since: float = -math.inf


class WebuiPool:
    """The servers given.

    clients: one per server; lock_folder: is made if missing, shared by all processes that use these servers.
    """

    def __init__(self, clients: Sequence[WebuiClient], lock_folder: Path) -> None:
        if not clients:
            raise ValueError("a pool needs at least one server")
        self._clients = {client.url: client for client in clients}
        self._known = {client.url: _Known() for client in clients}
        self._locks = ServerLocks(lock_folder)
        self._drained: frozenset[str] = frozenset()
        self._line: dict[int, Wish] = {}
        self._numbers = itertools.count(1)
        self._changed = threading.Condition()

    @property
    def clients(self) -> tuple[WebuiClient, ...]:
        """The clients: those that take work and do well first, and of these the least recently leased."""

        def order(url: str) -> tuple[bool, bool, int]:
            return url in self._drained, self._rests(url), self._known[url].turn

        with self._changed:
            return tuple(self._clients[url] for url in sorted(self._clients, key=order))

    @contextmanager
    def lease(
        self,
        *needs: Need,
        checkpoint: str | None = None,
        wait_seconds: float | None = None,
        cancelled: Callable[[], bool] | None = None,
        avoid: Collection[str] = (),
    ) -> Iterator[WebuiClient]:
        """Hold a free server that meets every need for the length of the context.

        needs: checks of a capability record, such as ``needs_of(request)``. checkpoint: that the request will run on;
        what it counts for is told in webui_client.choosing. wait_seconds: how long to wait for a server to become free,
        for ever if None. avoid: URLs to take only if no other will do.
        A WebuiError that leaves the context counts against the server if it speaks of the server.
        Raises MissingCapability if no server can meet the needs, NoFreeServer after wait_seconds, the last
        error of contact if no server can be reached, and Interrupted once cancelled says so.
        """
        wish = Wish(able=self._able(needs, checkpoint), since=time.monotonic(), avoid=frozenset(avoid))
        asked = wish.since
        while True:
            with self._taken(wish) as client:
                if client is not None and self._is_there(client, wish):
                    with self._watched(client):
                        yield client
                    return
            if cancelled and cancelled():
                raise Interrupted(next(iter(wish.able)), ours=True, reason="while waiting for a free server")
            moment = time.monotonic()
            if wait_seconds is not None and moment - wish.since > wait_seconds:
                raise NoFreeServer(list(wish.able), wait_seconds)
            if moment - asked > ASK_SECONDS:
                wish, asked = self._renewed(wish, needs, checkpoint), moment

    def drain(self, urls: Iterable[str]) -> None:
        """Let these servers, and no others, take no new work; what runs there goes on to its end."""
        with self._changed:
            self._drained = frozenset(urls)
            self._changed.notify_all()

    def measured(self, client: WebuiClient, *, pixel_steps: float, seconds: float) -> None:
        """Take note of how fast a leased server was; a run that had to load its checkpoint first does not count."""
        with self._changed:
            known = self._known[client.url]
            if known.switched or pixel_steps <= 0 or seconds <= 0:
                return
            newest = pixel_steps / seconds
            before = newest if known.speed is None else known.speed
            self._learn(client.url, speed=before + NEWEST_SHARE * (newest - before))

    def answered(self, client: WebuiClient) -> None:
        """Take note that a server has told what it can do."""
        with self._changed:
            self._learn(client.url, health=self._known[client.url].health.after_an_answer())

    def failed(self, client: WebuiClient, error: WebuiError) -> None:
        """Take note that a server could not tell what it can do."""
        self._blame(client, error, at_work=False)

    def is_busy(self, client: WebuiClient) -> bool:
        """Whether some process of this host holds the client's server now."""
        return self._locks.is_held(client.url)

    def standing(self, client: WebuiClient) -> Standing:
        """How the client's server stands now."""
        known = self._known[client.url]
        return Standing(
            busy=self.is_busy(client),
            drained=client.url in self._drained,
            rest_seconds=known.health.rest_seconds(time.monotonic()),
            failures=known.health.failures,
            error=known.health.error,
            speed=known.speed,
        )

    def _able(self, needs: Sequence[Need], checkpoint: str | None) -> dict[str, str | None]:
        """The title of the checkpoint to run, by the URL of each server that meets the needs.

        Where a record lacks something the server is asked again only if no other can serve, and a server that rests
        only if none of the others can.
        """
        clients = self.clients
        up = [client for client in clients if not self._rests(client.url)]
        errors: list[WebuiError] = []

        def able(chosen: Sequence[WebuiClient], meet: Meet) -> dict[str, str | None]:
            found = {}
            for client in chosen:
                try:
                    record = meet(client, needs)
                    listed = resolve_checkpoint(checkpoint, record)
                except WebuiError as error:
                    self.failed(client, error)
                    errors.append(error)
                else:
                    self._hear(record)
                    found[client.url] = listed.title if listed else None
            return found

        def lacking() -> list[WebuiClient]:
            urls = {error.server for error in errors if isinstance(error, MissingCapability)}
            return [client for client in up if client.url in urls]

        found = (
            able(up, _meet)
            or able(lacking(), _meet_anew)
            or able([client for client in clients if client not in up], _meet_anew)
        )
        if not found:
            raise next((error for error in errors if isinstance(error, MissingCapability)), errors[-1])
        return found

    def _renewed(self, wish: Wish, needs: Sequence[Need], checkpoint: str | None) -> Wish:
        """The wish with the servers that came back, and without those that went away."""
        try:
            return dataclasses.replace(wish, able=self._able(needs, checkpoint))
        except WebuiError:
            return wish

    @contextmanager
    def _taken(self, wish: Wish) -> Iterator[WebuiClient | None]:
        """Hold the server that wish may have now; None after a while in which there was none."""
        lock = self._take(wish)
        if lock is None:
            yield None
            return
        try:
            yield self._clients[lock.url]
        finally:
            lock.let_go()
            with self._changed:
                self._learn(lock.url, idle_since=time.monotonic())
                self._changed.notify_all()

    def _take(self, wish: Wish) -> ServerLock | None:
        with self._changed:
            number = next(self._numbers)
            self._line[number] = wish
            try:
                lock = self._chosen(number)
                if lock is None:
                    self._changed.wait(LOOK_SECONDS)
                    lock = self._chosen(number)
            finally:
                del self._line[number]
            if lock is not None:
                self._begin(lock.url, wish.able[lock.url])
            return lock

    def _chosen(self, number: int) -> ServerLock | None:
        """The server that a wish in the line may have now."""
        numbers = sorted(self._line, key=lambda one: self._line[one].since)
        servers = [self._candidate(url) for url in self._clients if url not in self._drained]
        choice = choose([self._line[one] for one in numbers], servers, time.monotonic())
        url = choice.get(numbers.index(number))
        return None if url is None else self._locks.take(url)

    def _begin(self, url: str, checkpoint: str | None) -> None:
        loaded = self._known[url].loaded
        switched = checkpoint not in (None, loaded)
        self._learn(url, loaded=checkpoint or loaded, switched=switched, turn=next(self._numbers))

    def _candidate(self, url: str) -> Candidate:
        known = self._known[url]
        return Candidate(
            url=url,
            checkpoint=known.loaded,
            idle_since=None if self._locks.is_held(url) else known.idle_since,
            rests=self._rests(url),
            speed=known.speed,
            turn=known.turn,
        )

    def _is_there(self, client: WebuiClient, wish: Wish) -> bool:
        """Whether a server answers; asked only if it failed before.

        Raises the error when every other server that could serve rests as well.
        """
        if not self._known[client.url].health.failures:
            return True
        try:
            client.probe()
        except WebuiError as error:
            self.failed(client, error)
            if all(self._rests(url) for url in wish.able if url not in self._drained):
                raise
            return False
        self.answered(client)
        return True

    @contextmanager
    def _watched(self, client: WebuiClient) -> Iterator[None]:
        """Learn from how the work in the context ends."""
        try:
            yield
        except WebuiError as error:
            self._blame(client, error, at_work=True)
            raise
        with self._changed:
            self._learn(client.url, health=WELL)

    def _blame(self, client: WebuiClient, error: WebuiError, *, at_work: bool) -> None:
        """Hold an error against a server; if it is its fault, what it has in memory may be lost with a restart."""
        with self._changed:
            known = self._known[client.url]
            health = known.health.after(error, time.monotonic(), at_work=at_work)
            if health != known.health:
                self._learn(client.url, health=health, loaded=known.told)

    def _hear(self, record: Capabilities) -> None:
        """Learn which checkpoint a server names as its own.

        A1111 names its setting, and keeps the checkpoint of the last run in memory, which may be another one.
        """
        with self._changed:
            known = self._known[record.server]
            if record.checkpoint not in (known.told, known.loaded):
                self._learn(record.server, told=record.checkpoint, loaded=record.checkpoint)

    def _learn(self, url: str, **news: Any) -> None:
        self._known[url] = dataclasses.replace(self._known[url], **news)

    def _rests(self, url: str) -> bool:
        return self._known[url].health.rest_seconds(time.monotonic()) > 0


def _meet(client: WebuiClient, needs: Sequence[Need]) -> Capabilities:
    """Check needs against the record."""
    record = client.capabilities()
    for need in needs:
        need(record)
    return record


def _meet_anew(client: WebuiClient, needs: Sequence[Need]) -> Capabilities:
    """Check needs against the record, and against a fresh one if they are not met: it may be stale."""
    try:
        return _meet(client, needs)
    except MissingCapability as error:
        if error.kind == "LoRA":
            client.refresh_loras()
        client.probe()
        return _meet(client, needs)
