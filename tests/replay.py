"""A real HTTP server that answers as a recorded A1111 did, and misbehaves when a test says so."""

from __future__ import annotations

import base64
import io
import json
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from PIL import ExifTags, Image, PngImagePlugin

from tests.recordings import recordings

LISTINGS = [*range(1, 20), *range(26, 38), 22, 23, 24, 275, 306, 314]


@dataclass
class Reply:
    """What is sent back. body: bytes as they are, anything else as JSON."""

    status: int = 200
    body: Any = None
    headers: tuple[tuple[str, str], ...] = ()

    def encoded(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


@dataclass
class Asked:
    """One request as it came in."""

    method: str
    path: str
    query: dict[str, str]
    json: Any
    headers: dict[str, str]


Route = Callable[[Asked], Reply]


class QuietServer(ThreadingHTTPServer):
    """Says nothing of clients that hang up, which is what several tests are about."""

    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


class ReplayServer:
    """A context manager: the server runs on a free port of this machine within it."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.routes: dict[tuple[str, str], Route] = {}
        self.state: dict[str, Any] = json.loads(json.dumps(recordings()[19]["response"]["json"]))
        for number in LISTINGS:
            self.replay(number)
        self.on("GET", "/sdapi/v1/progress", lambda asked: Reply(body=self.state))
        self.on("POST", "/internal/progress", self._task_progress)
        self.on("GET", "/internal/sysinfo", Reply(body={"Version": "v1.10.1", "Platform": "Linux"}))
        self.active_task: str | None = None
        self._server = QuietServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def on(self, method: str, path: str, answer: Reply | Route) -> None:
        """Answer a path in this way from now on."""
        self.routes[method, path] = answer if callable(answer) else lambda asked: answer

    def without(self, *paths: str) -> None:
        """Have no such paths any more."""
        self.routes = {key: route for key, route in self.routes.items() if key[1] not in paths}

    def replay(self, number: int) -> None:
        """Answer the path of a recording as it was answered then, with its pictures painted anew."""
        recording = recordings()[number]
        path = urlsplit(recording["request"]["path"]).path
        self.on(
            recording["request"].get("method", "POST"),
            path,
            Reply(answer_status(number), answer_json(number)),
        )

    def calls(self, path: str) -> list[Asked]:
        """Return the requests that came for path."""
        return [asked for asked in self.asked if asked.path == path]

    def _task_progress(self, asked: Asked) -> Reply:
        active = self.active_task is not None and asked.json["id_task"] == self.active_task
        told = {"active": active, "queued": False, "completed": False, "progress": 0.5 if active else None}
        return Reply(body={**told, "eta": 3.0, "live_preview": None, "id_live_preview": -1, "textinfo": None})

    def _answer(self, asked: Asked) -> Reply:
        self.asked.append(asked)
        route = self.routes.get((asked.method, asked.path))
        return route(asked) if route else Reply(404, {"detail": "Not Found"})

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        replay = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def _serve(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                body = self.rfile.read(length)
                parts = urlsplit(self.path)
                query = {key: values[0] for key, values in parse_qs(parts.query).items()}
                content = json.loads(body) if body else None
                reply = replay._answer(Asked(self.command, parts.path, query, content, dict(self.headers)))
                data = reply.encoded()
                self.send_response(reply.status)
                for name, value in reply.headers:
                    self.send_header(name, value)
                if not any(name.lower() == "content-type" for name, _ in reply.headers):
                    self.send_header("Content-Type", "application/json")
                if not any(name.lower() == "content-length" for name, _ in reply.headers):
                    self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)
                if any(
                    name.lower() == "content-length" and int(value) > len(data)
                    for name, value in reply.headers
                ):
                    self.close_connection = True

            do_GET = do_POST = _serve  # noqa: N815

            def log_message(self, format: str, *args: Any) -> None:
                return

        return Handler


def answer_status(number: int) -> int:
    """Return the status of a recorded answer."""
    recording = recordings()[number]
    return int((recording.get("response") or recording["answer_of_the_run"])["status"])


def answer_json(number: int) -> Any:
    """Return a recorded answer with real pictures where the recording has cut them off."""
    recording = recordings()[number]
    answer = json.loads(json.dumps((recording.get("response") or recording["answer_of_the_run"])["json"]))
    if isinstance(answer, dict) and "infotexts" in str(answer.get("info")):
        answer["images"] = painted_images(number, json.loads(answer["info"])["infotexts"])
    elif isinstance(answer, dict) and isinstance(answer.get("image"), str):
        answer["image"] = painted_images(number, [])[0]
    return answer


def painted_images(number: int, infotexts: list[str]) -> list[str]:
    """Return base64 pictures of the formats, sizes and text keys that the recording notes."""
    recording = recordings()[number]
    decoded = recording.get("decoded") or {}
    found = decoded.get("images") or [decoded["image"]] if decoded else []
    described = found or recording["answer_of_the_run"]["images_decoded"]
    texts = iter(infotexts)
    return [painted(item, next(texts, None)) for item in described]


def painted(described: dict[str, Any], infotext: str | None) -> str:
    """Return one base64 picture: a colour gradient of the described format and size."""
    size = tuple(described["size"])
    gradient = Image.linear_gradient("L").resize(size)
    picture = Image.merge("RGB", (gradient, gradient.rotate(90), gradient.rotate(180)))
    return encoded(
        picture,
        described["format"],
        infotext if described["text_keys"] or described["format"] != "PNG" else None,
    )


def encoded(picture: Image.Image, kind: str = "PNG", infotext: str | None = None) -> str:
    """Return a picture as base64, with an infotext where A1111 writes it in that format."""
    buffer = io.BytesIO()
    if kind == "PNG":
        chunks = PngImagePlugin.PngInfo()
        if infotext is not None:
            chunks.add_text("parameters", infotext)
        picture.save(buffer, format=kind, pnginfo=chunks)
    else:
        exif = Image.Exif()
        comment = b"UNICODE\0" + (infotext or "").encode("utf-16-be")
        exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.UserComment] = comment
        picture.save(buffer, format=kind, exif=exif)
    return base64.b64encode(buffer.getvalue()).decode()


def png(width: int = 64, height: int = 64, colour: str = "teal") -> bytes:
    """Return an encoded picture to send."""
    buffer = io.BytesIO()
    Image.new("RGB", (width, height), colour).save(buffer, format="PNG")
    return buffer.getvalue()
