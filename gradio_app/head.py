"""The head of every page, written by the server: language, style and script are there before anything is drawn.

Gradio adds the head it is given only once its own script runs. Then the page would first be seen without its style,
and a touch could come before the script that listens for it.
"""

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from markupsafe import Markup
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gradio_app.words import Words

STYLE = Path(__file__).parent / "style"
PLAIN_START = b'<html\n\tlang="en"'


class Heads:
    """ASGI middleware that completes the HTML of the pages below /<language>/.

    words: the texts of each language that has pages.
    """

    def __init__(self, app: ASGIApp, words: Mapping[str, Words]) -> None:
        """Wrap app."""
        self.app = app
        self.words = words

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything on but the HTML of a page, which gets its head."""
        language = scope["path"].split("/")[1] if scope["type"] == "http" else ""
        if language not in self.words:
            await self.app(scope, receive, send)
        else:
            await self.app(scope, receive, Completing(send, self.words[language]))


class Completing:
    """Sends an answer on; if it is HTML, only when it is whole, and with its head."""

    def __init__(self, send: Send, words: Words) -> None:
        """Send on through send."""
        self.send = send
        self.words = words
        self.start: Message | None = None
        self.body = b""

    async def __call__(self, message: Message) -> None:
        """Send one ASGI message on, or keep it until the HTML is whole."""
        if message["type"] == "http.response.start" and is_html(message):
            self.start = message
        elif self.start is None:
            await self.send(message)
        else:
            self.body += message.get("body", b"")
            if not message.get("more_body"):
                await self.finish(self.start)

    async def finish(self, start: Message) -> None:
        """Send the whole HTML."""
        body = completed(self.body, self.words)
        headers = [(name, value) for name, value in start["headers"] if name != b"content-length"]
        await self.send({**start, "headers": [*headers, (b"content-length", str(len(body)).encode())]})
        await self.send({"type": "http.response.body", "body": body})


def is_html(start: Message) -> bool:
    """Return whether an answer that starts so is an HTML page."""
    return any(name == b"content-type" and value.startswith(b"text/html") for name, value in start["headers"])


def completed(html: bytes, words: Words) -> bytes:
    """Return the HTML of a page with its language and head."""
    named = html.replace(PLAIN_START, f'<html lang="{words.language}"'.encode(), 1)
    return named.replace(b"</head>", head(words).encode() + b"</head>", 1)


@cache
def head(words: Words) -> str:
    """Return the lines of a page's head."""
    return Markup(
        '<meta name="description" content="{description}">'
        '<link rel="icon" href="/style/icon.png">'
        '<link rel="stylesheet" href="/style/sajin.css?{version}">'
        '<script src="/style/page.js?{version}" data-language="{language}"></script>'
    ).format(description=words("app.description"), language=words.language, version=style_version())


@cache
def style_version() -> int:
    """Return a number that changes with the style files, so that browsers never keep an old one."""
    return int(max(file.stat().st_mtime for file in STYLE.iterdir()))
