"""One lock per server, shared by all processes of this host.

A lock is a file held by ``flock``: the operating system lets it go when its process dies, however it dies.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerLock:
    """A server held by this process until it is let go, or the process ends."""

    url: str
    descriptor: int

    def let_go(self) -> None:
        """Let another one have the server; to be called once."""
        os.close(self.descriptor)


class ServerLocks:
    """The locks in a folder, which is made if missing."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def take(self, url: str) -> ServerLock | None:
        """The server's lock, without waiting for it; None while somebody holds it."""
        name = hashlib.sha256(url.encode()).hexdigest()[:16]
        descriptor = os.open(self._folder / f"webui-{name}.lock", os.O_RDONLY | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
        return ServerLock(url=url, descriptor=descriptor)

    def is_held(self, url: str) -> bool:
        """Whether some process holds the server now."""
        lock = self.take(url)
        if lock is not None:
            lock.let_go()
        return lock is None
