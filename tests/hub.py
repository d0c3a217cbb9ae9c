"""A small Hugging Face hub: a real HTTP server with what a download needs; it misbehaves when a test says so."""

from __future__ import annotations

import hashlib
import threading
from collections import deque
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from types import TracebackType
from typing import Self

from tests.replay import QuietServer

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@dataclass(frozen=True)
class Status:
    """The download is answered with this status, and no content."""

    code: int


@dataclass(frozen=True)
class Pause:
    """The download stands still after so many bytes until it may go on. Broken off there where it may not."""

    after: int
    go_on: threading.Event | None = None


@dataclass(kw_only=True)
class HubFile:
    """A file as the hub has it.

    content: what is sent. sha256: what is announced. announces: whether it is. gated: given only with a token.
    troubles: what happens to the next downloads, one each; those after them run through.
    """

    content: bytes
    sha256: str = ""
    announces: bool = True
    gated: bool = False
    troubles: deque[Status | Pause] = field(default_factory=deque)

    def __post_init__(self) -> None:
        self.sha256 = self.sha256 or hashlib.sha256(self.content).hexdigest()


class Hub:
    """The server.

    files: by "owner/name/revision/path". agents: what whoever asked for a path said of itself. ranges: the Range header
    of every download, "" for none. told_to_content: its Authorization header likewise, which is none of the content
    host's business.
    """

    def __init__(self) -> None:
        self.files: dict[str, HubFile] = {}
        self.agents: dict[str, str] = {}
        self.ranges: list[str] = []
        self.told_to_content: list[str] = []
        self._server = QuietServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"hub": self}))
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def content_url(self) -> str:
        """Where contents lie: on another host than the hub, as in the world."""
        return self.url.replace("127.0.0.1", "localhost")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Handler(BaseHTTPRequestHandler):
    hub: Hub
    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        self._resolve()

    def do_GET(self) -> None:
        if self.headers["Host"].startswith("localhost"):
            self._send(self.hub.files[self.path.removeprefix("/")])
        else:
            self._resolve()

    def _resolve(self) -> None:
        """Answer as the hub does for large files: with what is known of it, and where its content lies."""
        self.hub.agents[self.path] = self.headers.get("User-Agent", "")
        repo, _, place = self.path.removeprefix("/").partition("/resolve/")
        key = f"{repo}/{place}"
        if not any(known.startswith(f"{repo}/") for known in self.hub.files):
            self._refuse(401, "RepoNotFound")
        elif key not in self.hub.files:
            self._refuse(404, "EntryNotFound")
        elif self.hub.files[key].gated and "Authorization" not in self.headers:
            self._refuse(401, "GatedRepo")
        else:
            self._point_to(key, self.hub.files[key])

    def _point_to(self, key: str, file: HubFile) -> None:
        self.send_response(302)
        self.send_header("Location", f"{self.hub.content_url}/{key}")
        self.send_header("X-Repo-Commit", COMMIT)
        self.send_header("X-Linked-Size", str(len(file.content)))
        self.send_header("X-Linked-ETag", f'"{file.sha256 if file.announces else file.sha256[:40]}"')
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _refuse(self, status: int, code: str) -> None:
        self.send_response(status)
        self.send_header("X-Error-Code", code)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _send(self, file: HubFile) -> None:
        asked = self.headers.get("Range", "")
        self.hub.ranges.append(asked)
        self.hub.told_to_content.append(self.headers.get("Authorization", ""))
        trouble = file.troubles.popleft() if file.troubles else None
        if isinstance(trouble, Status):
            self._refuse(trouble.code, "")
            return
        begin = int(asked.removeprefix("bytes=").partition("-")[0] or 0)
        self._begin(file, begin if asked else None)
        if trouble is not None:
            self.wfile.write(file.content[begin : begin + trouble.after])
            begin += trouble.after
            if trouble.go_on is None:
                self.close_connection = True
                return
            trouble.go_on.wait(30)
        self.wfile.write(file.content[begin:])

    def _begin(self, file: HubFile, begin: int | None) -> None:
        size = len(file.content)
        self.send_response(200 if begin is None else 206)
        if begin is not None:
            self.send_header("Content-Range", f"bytes {begin}-{size - 1}/{size}")
        self.send_header("Content-Length", str(size - (begin or 0)))
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""
