"""The studio's HTTP API as the command line uses it: JSON in, JSON out, errors in one line."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import requests

from command_line.errors import JobFailed

TIMEOUT_SECONDS = (5, 120)
Body = dict[str, Any]


def direct_session() -> requests.Session:
    """A session that ignores the proxies of the environment, which do not know this machine's own addresses."""
    session = requests.Session()
    session.trust_env = False
    return session


class ApiClient:
    """Speaks to one API. Every method raises JobFailed with the API's own sentence when it refuses."""

    def __init__(self, address: str) -> None:
        self.address = address.rstrip("/")
        self._session = direct_session()
        self._session.headers["Accept-Language"] = "en"

    def get(self, path: str) -> Body:
        """The resource at a path below /api/v1."""
        return self._json(self._call("GET", path))

    def post(self, path: str, body: Body | None = None, headers: dict[str, str] | None = None) -> Body:
        """The answer to a JSON body."""
        return self._json(self._call("POST", path, json=body if body is not None else {}, headers=headers))

    def upload(
        self, path: str, field: str, files: Sequence[Path], others: Mapping[str, str] | None = None
    ) -> Body:
        """The answer to files sent as one form; others: its fields that are text."""
        with contextlib.ExitStack() as opened:
            parts = [(field, (file.name, opened.enter_context(file.open("rb")))) for file in files]
            return self._json(self._call("POST", path, files=parts, data=others))

    def download(self, url: str, target: Path) -> None:
        """Write what an answer's url names (a path of the API) to target, whole or not at all."""
        partial = target.with_name(f".{target.name}.part")
        with (
            self._request("GET", f"{self.address}{url}", stream=True) as response,
            partial.open("wb") as file,
        ):
            for piece in response.iter_content(1 << 16):
                file.write(piece)
        partial.replace(target)

    def items(self, path: str) -> Iterator[Body]:
        """The items of a list."""
        yield from self.get(path)["items"]

    def _call(self, method: str, path: str, **arguments: Any) -> requests.Response:
        return self._request(method, f"{self.address}/api/v1{path}", **arguments)

    def _request(self, method: str, url: str, **arguments: Any) -> requests.Response:
        try:
            response = self._session.request(method, url, timeout=TIMEOUT_SECONDS, **arguments)
        except requests.RequestException as error:
            raise JobFailed(f"the studio at {self.address} does not answer: {error}") from error
        if not response.ok:
            raise _refusal(response)
        return response

    def _json(self, response: requests.Response) -> Body:
        body: Body = response.json()
        return body


def _refusal(response: requests.Response) -> JobFailed:
    try:
        problem: Body = response.json()
    except requests.JSONDecodeError:
        return JobFailed(f"{response.url} answered {response.status_code}")
    return JobFailed(str(problem.get("detail", problem)), str(problem.get("code", "")))
