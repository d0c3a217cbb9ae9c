"""One pooled HTTP session to one WebUI, and the translation of everything that can go wrong into the error
tree.

Rules kept here: connect and read timeouts on every call; no redirect is followed; the environment's proxies
and netrc are ignored; ``Accept-Encoding: identity``, because gzip of base64 costs more than it saves on a
LAN; only GETs are repeated by themselves, and a POST only when no connection could be made, so that it
cannot have run.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import MaxRetryError, NameResolutionError, NewConnectionError
from urllib3.util.retry import Retry

from webui_client.errors import (
    AuthenticationRequired,
    BadAnswer,
    NotAWebui,
    RequestRefused,
    ServerFailed,
    ServerTimeout,
    ServerUnreachable,
)
from webui_client.values import Timeouts

LARGEST_ANSWER_BYTES = 1 << 30
CHUNK_BYTES = 1 << 18
LONGEST_DETAIL = 500
WRONG_VERB = 405

_UNSENT = (NewConnectionError, NameResolutionError)
_BASE64_RUN = re.compile(r"[A-Za-z0-9+/=]{120,}")


class Transport:
    """Sends one request at a time to one server and returns decoded JSON, or raises an error of the tree.

    url: the server's root, with any subpath. Thread-safe as far as each thread makes its own calls.
    """

    def __init__(self, url: str, auth: tuple[str, str] | None, timeouts: Timeouts) -> None:
        self.url = normal_url(url)
        self.timeouts = timeouts
        self._auth = auth
        self._session = _session(auth)

    def get(self, path: str, *, params: Mapping[str, Any] | None = None) -> Any:
        """GET path and return its JSON."""
        return self._call("GET", path, params=params, deadline_seconds=self.timeouts.read)

    def post(self, path: str, body: Any = None) -> Any:
        """POST body as JSON and return the answer's JSON."""
        return self._call("POST", path, body=body, deadline_seconds=self.timeouts.read)

    def post_once(self, path: str, body: Any, *, seconds: float | None = None) -> Any:
        """POST what must not run twice, on a connection of its own, within seconds, None for the generation timeout.

        A pooled connection may have been closed by the server meanwhile; a request lost on it could not be
        told from one that ran.
        """
        with _session(self._auth) as session:
            deadline = self.timeouts.generation if seconds is None else seconds
            return self._call("POST", path, body=body, deadline_seconds=deadline, session=session)

    def find(self, path: str, *, params: Mapping[str, Any] | None = None) -> Any | None:
        """GET path and return its JSON, or None where the server has no such path or no JSON there."""
        try:
            return self.get(path, params=params)
        except (RequestRefused, BadAnswer, ServerFailed, NotAWebui):
            return None

    def takes_post(self, path: str) -> bool:
        """Whether the server has a route at path for POST alone, which it says (405) when it is asked by GET."""
        try:
            self.get(path)
        except RequestRefused as error:
            return error.status == WRONG_VERB
        except (BadAnswer, ServerFailed, NotAWebui):
            return False
        return False

    def close(self) -> None:
        """Close the pooled connections."""
        self._session.close()

    def _call(
        self,
        verb: str,
        path: str,
        *,
        deadline_seconds: float,
        params: Mapping[str, Any] | None = None,
        body: Any = None,
        session: requests.Session | None = None,
    ) -> Any:
        deadline = time.monotonic() + deadline_seconds
        try:
            with (session or self._session).request(
                verb,
                self.url + path,
                params=params,
                json=body,
                timeout=(self.timeouts.connect, deadline_seconds),
                allow_redirects=False,
                stream=True,
            ) as response:
                content = self._read(response, path, deadline, deadline_seconds)
        except requests.RequestException as error:
            raise self._translated(error, path, deadline_seconds) from error
        return self._decoded(response, content, path)

    def _read(self, response: requests.Response, path: str, deadline: float, seconds: float) -> bytes:
        chunks = bytearray()
        for chunk in response.iter_content(CHUNK_BYTES):
            chunks += chunk
            if len(chunks) > LARGEST_ANSWER_BYTES:
                raise BadAnswer(self.url, path, f"it is longer than {LARGEST_ANSWER_BYTES} bytes")
            if time.monotonic() > deadline:
                raise ServerTimeout(self.url, path, seconds)
        return bytes(chunks)

    def _translated(
        self, error: requests.RequestException, path: str, seconds: float
    ) -> ServerUnreachable | ServerTimeout:
        if isinstance(error, requests.ConnectTimeout) or _never_connected(error):
            return ServerUnreachable(self.url, _cause(error))
        if isinstance(error, requests.Timeout) or "timed out" in str(error).lower():
            return ServerTimeout(self.url, path, seconds)
        return ServerUnreachable(self.url, _cause(error), sent=True)

    def _decoded(self, response: requests.Response, content: bytes, path: str) -> Any:
        status = response.status_code
        if 300 <= status < 400:
            location = response.headers.get("Location")
            raise NotAWebui(self.url, f"{path} redirects ({status})", location=location)
        if status in (401, 403):
            raise AuthenticationRequired(self.url, given=self._auth is not None)
        if 400 <= status < 500:
            raise RequestRefused(self.url, path, status, error_text(content))
        if status >= 500:
            raise ServerFailed(self.url, path, status, error_text(content))
        try:
            return json.loads(content)
        except ValueError as error:
            kind = response.headers.get("Content-Type", "unnamed content")
            raise BadAnswer(self.url, path, f"it is no JSON but {kind}") from error


def normal_url(url: str) -> str:
    """Return url without trailing slash, query, fragment or password; raises ValueError if it is no HTTP
    address.
    """
    parts = urlsplit(url.strip())
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"{url!r} is not an address such as http://127.0.0.1:7860")
    host = parts.netloc.rsplit("@", 1)[-1]
    return urlunsplit((parts.scheme, host, parts.path.rstrip("/"), "", ""))


def error_text(content: bytes) -> str:
    """Return what an error body says, shortened and without base64.

    A1111 puts it in ``errors`` (exceptions) or ``detail`` (refusals, a list for a bad schema); Forge answers
    plain text.
    """
    text = content.decode("utf-8", errors="replace").strip()
    try:
        body = json.loads(text)
    except ValueError:
        return _shortened(text)
    if not isinstance(body, dict):
        return _shortened(text)
    said = body.get("errors") or body.get("detail") or body.get("error") or text
    return _shortened(_schema_complaints(said) if isinstance(said, list) else str(said))


def _schema_complaints(complaints: list[Any]) -> str:
    told = [complaint for complaint in complaints if isinstance(complaint, dict)]
    return "; ".join(f"{'.'.join(map(str, item.get('loc', ())))}: {item.get('msg', item)}" for item in told)


def _shortened(text: str) -> str:
    plain = _BASE64_RUN.sub("…", text)
    return plain if len(plain) <= LONGEST_DETAIL else plain[:LONGEST_DETAIL] + "…"


def _session(auth: tuple[str, str] | None) -> requests.Session:
    session = requests.Session()
    session.trust_env = False
    session.auth = auth
    session.headers.update({"Accept-Encoding": "identity", "Accept": "application/json"})
    for scheme in ("http://", "https://"):
        session.mount(scheme, HTTPAdapter(pool_connections=2, pool_maxsize=8, max_retries=_retry()))
    return session


def _retry() -> Retry:
    """Repeat what had no connection (any verb), and reads that broke (GET alone). Statuses are never
    repeated.
    """
    return Retry(
        total=3,
        connect=2,
        read=1,
        redirect=False,
        status=0,
        other=0,
        allowed_methods={"GET"},
        backoff_factor=0.1,
        raise_on_status=False,
    )


def _never_connected(error: requests.RequestException) -> bool:
    inner = error.args[0] if error.args else None
    reason = inner.reason if isinstance(inner, MaxRetryError) else inner
    return isinstance(reason, _UNSENT)


def _cause(error: BaseException) -> str:
    """Return the innermost reason, in the operating system's words, without addresses of objects."""
    inner = error.args[0] if error.args else None
    reason = inner.reason if isinstance(inner, MaxRetryError) else inner
    cause = reason.__cause__ or reason.__context__ if isinstance(reason, BaseException) else None
    return re.sub(r"<[^>]*>:? ?", "", str(cause or reason or error)).strip() or type(error).__name__
