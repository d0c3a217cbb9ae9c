"""Several WebUI servers: one request in flight on each, and the free one that can do what is needed.

A lock is a file in a folder that all processes of this host share, held by ``flock``: the operating system
lets it go when its process dies, however it dies.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from webui_client.client import WebuiClient
from webui_client.errors import Interrupted, MissingCapability, NoFreeServer, WebuiError
from webui_client.preflight import Need

LOOK_SECONDS = 0.1
DOWN_SECONDS = 15.0


class WebuiPool:
    """The servers given, in order of preference for none: the one that was leased longest ago is tried first.

    clients: one per server; lock_folder: is made if missing, shared by all processes that use these servers.
    """

    def __init__(self, clients: Sequence[WebuiClient], lock_folder: Path) -> None:
        if not clients:
            raise ValueError("a pool needs at least one server")
        self._clients = list(clients)
        self._lock_folder = lock_folder
        self._order = threading.Lock()
        self._down_until: dict[str, float] = {}
        lock_folder.mkdir(parents=True, exist_ok=True)

    @property
    def clients(self) -> tuple[WebuiClient, ...]:
        """The clients, least recently leased first."""
        with self._order:
            return tuple(self._clients)

    @contextmanager
    def lease(
        self,
        *needs: Need,
        wait_seconds: float | None = None,
        cancelled: Callable[[], bool] | None = None,
        avoid: Collection[str] = (),
    ) -> Iterator[WebuiClient]:
        """Hold a free server that meets every need for the length of the context.

        needs: checks of a capability record, such as ``needs_of(request)``. wait_seconds: how long to wait
        for one to become free, for ever if None. avoid: URLs to take only if no other server will do.
        Raises MissingCapability if no server can meet the needs, NoFreeServer after wait_seconds, the last
        error of contact if no server can be reached, and Interrupted once cancelled says so.
        """
        deadline = None if wait_seconds is None else time.monotonic() + wait_seconds
        able = self._able(needs, avoid)
        while True:
            for client in able:
                with self._held(client) as is_ours:
                    if is_ours:
                        self._move_last(client)
                        yield client
                        return
            if cancelled and cancelled():
                raise Interrupted(able[0].url, ours=True, reason="while waiting for a free server")
            if deadline is not None and time.monotonic() > deadline:
                raise NoFreeServer([client.url for client in able], wait_seconds or 0.0)
            time.sleep(LOOK_SECONDS)

    def is_busy(self, client: WebuiClient) -> bool:
        """Whether some process of this host holds the client's server now."""
        with self._held(client) as is_ours:
            return not is_ours

    def _able(self, needs: Sequence[Need], avoid: Collection[str]) -> list[WebuiClient]:
        """Return the servers that meet the needs; one that was down just now is asked only if no other can serve."""
        now = time.monotonic()
        up = [client for client in self.clients if self._down_until.get(client.url, 0.0) <= now]
        down = [client for client in self.clients if client not in up]
        errors: list[WebuiError] = []
        able = self._meeting(up, needs, errors) or self._meeting(down, needs, errors)
        if not able:
            raise next((error for error in errors if isinstance(error, MissingCapability)), errors[-1])
        return sorted(able, key=lambda client: client.url in avoid)

    def _meeting(
        self, clients: Sequence[WebuiClient], needs: Sequence[Need], errors: list[WebuiError]
    ) -> list[WebuiClient]:
        """Return those of clients that meet the needs; append why the others do not to errors."""
        able = []
        for client in clients:
            try:
                _meet(client, needs)
                able.append(client)
                self._down_until.pop(client.url, None)
            except WebuiError as error:
                errors.append(error)
                if not isinstance(error, MissingCapability):
                    self._down_until[client.url] = time.monotonic() + DOWN_SECONDS
        return able

    def _move_last(self, client: WebuiClient) -> None:
        with self._order:
            self._clients.remove(client)
            self._clients.append(client)

    @contextmanager
    def _held(self, client: WebuiClient) -> Iterator[bool]:
        """Try the server's lock without waiting; yield whether it is ours within the context."""
        name = hashlib.sha256(client.url.encode()).hexdigest()[:16]
        descriptor = os.open(self._lock_folder / f"webui-{name}.lock", os.O_RDONLY | os.O_CREAT, 0o600)
        try:
            yield _try_lock(descriptor)
        finally:
            os.close(descriptor)


def _meet(client: WebuiClient, needs: Sequence[Need]) -> None:
    """Check needs against the record, and against a fresh one if they are not met: it may be stale."""
    try:
        record = client.capabilities()
        for need in needs:
            need(record)
    except MissingCapability as error:
        if error.kind == "LoRA":
            client.refresh_loras()
        record = client.probe()
        for need in needs:
            need(record)


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
