"""Stands between studio and engine and writes down the generating requests, so that a script can repeat them."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import requests

GENERATING = ("/sdapi/v1/txt2img", "/sdapi/v1/img2img", "/sdapi/v1/extra-single-image")
OF_THE_CONNECTION = frozenset(
    [
        "connection",
        "content-encoding",
        "content-length",
        "date",
        "host",
        "keep-alive",
        "server",
        "transfer-encoding",
    ]
)


class Recorder:
    """The requests that made pictures since the last take()."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._made: list[tuple[str, bytes]] = []

    def note(self, path: str, body: bytes) -> None:
        """Keep a request if it makes pictures."""
        if path in GENERATING:
            self._made.append((path, body))

    def take(self) -> list[tuple[str, bytes]]:
        """The (path, body) pairs so far, in order; starts anew."""
        made, self._made = self._made, []
        return made


@contextmanager
def recording(engine: str) -> Iterator[Recorder]:
    """A recorder that passes everything on to the engine."""
    session = requests.Session()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _pass_on(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            recorder.note(self.path, body)
            headers = _passed_on(self.headers)
            answer = session.request(
                self.command, f"{engine}{self.path}", data=body, headers=headers, timeout=600
            )
            self.send_response(answer.status_code)
            for name, value in _passed_on(answer.headers).items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.content)))
            self.end_headers()
            self.wfile.write(answer.content)

        do_GET = do_POST = _pass_on  # noqa: N815  (the names http.server calls)

        def log_message(self, format: str, *args: object) -> None:
            """Stay quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    recorder = Recorder(f"http://127.0.0.1:{server.server_port}")
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield recorder
    finally:
        server.shutdown()


def _passed_on(headers: Message | Mapping[str, str]) -> dict[str, str]:
    """The headers that are about the content, not about one connection."""
    return {name: value for name, value in headers.items() if name.lower() not in OF_THE_CONNECTION}
