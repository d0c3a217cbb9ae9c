"""The one small client between the pages and the API (/api/v1), with timeouts and errors for people."""

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import requests
from requests.adapters import HTTPAdapter

from gradio_app.errors import ApiProblem, ApiUnreachable

Json: TypeAlias = dict[str, Any]
"""One JSON object of the API, as docs/api.md describes it."""

CONNECT_SECONDS = 3.0
READ_SECONDS = 20.0
UPLOAD_SECONDS = 60.0
POOLED_CONNECTIONS = 32


def pooled_session() -> requests.Session:
    """Return a session that keeps connections open for all threads of the pages."""
    session = requests.Session()
    session.trust_env = False
    session.mount("http://", HTTPAdapter(pool_connections=4, pool_maxsize=POOLED_CONNECTIONS))
    return session


@dataclass(frozen=True)
class Api:
    """Calls of the API in one language.

    base_url: such as http://127.0.0.1:8000, without a slash at the end.
    language: "ko" or "en"; titles, messages and alt texts come back in it.
    Every call raises ApiUnreachable when nothing answers and ApiProblem when the answer is an error.
    """

    base_url: str
    language: str = "en"
    session: requests.Session = field(default_factory=pooled_session)

    def speaking(self, language: str) -> "Api":
        """Return the same client asking for texts in language."""
        return Api(self.base_url, language, self.session)

    def send(
        self, method: str, path: str, *, seconds: float = READ_SECONDS, **arguments: Any
    ) -> requests.Response:
        """Send one request to /api/v1 + path and return the answer, which has a status below 400.

        seconds: how long to wait for the answer; arguments: as requests.Session.request takes them.
        """
        headers = {"Accept-Language": self.language, **(arguments.pop("headers", None) or {})}
        try:
            answer = self.session.request(
                method,
                f"{self.base_url}/api/v1{path}",
                headers=headers,
                timeout=(CONNECT_SECONDS, seconds),
                **arguments,
            )
        except requests.RequestException as error:
            raise ApiUnreachable(self.base_url) from error
        if answer.status_code >= 400:
            raise problem_in(answer)
        return answer

    def read(self, path: str, **query: Any) -> Json:
        """Return the JSON object at path; query values that are None or empty are left out."""
        wanted = {key: value for key, value in query.items() if value not in (None, "")}
        return json_of(self.send("GET", path, params=wanted))

    def items(self, path: str, **query: Any) -> list[Json]:
        """Return the items of a listing."""
        return list(self.read(path, **query).get("items", []))

    def found(self, path: str) -> Json | None:
        """Return the JSON object at path, or None when it is not there (any more)."""
        try:
            return self.read(path)
        except ApiProblem as problem:
            if problem.status == 404:
                return None
            raise

    def post(self, path: str, body: Mapping[str, Any] | None = None, **headers: str) -> Json:
        """Send body as JSON and return the JSON answer."""
        return json_of(self.send("POST", path, json=dict(body or {}), headers=headers))

    def delete(self, path: str) -> None:
        """Erase what is at path."""
        self.send("DELETE", path)

    def stage_titles(self, preset: str) -> dict[str, str]:
        """Return what the stages of a look are called, by name; nothing for a look that is gone."""
        look = self.found(f"/presets/{preset}")
        return {stage["name"]: stage["title"] for stage in look["stages"]} if look else {}

    def create_subject(self, name: str, class_noun: str) -> Json:
        """Make a person, with the consent that the form has asked for."""
        return self.post("/subjects", {"name": name, "class_noun": class_noun, "consent": True})

    def add_photo(self, subject_id: str, path: Path) -> Json:
        """Upload one photo and return the API's list of added and refused files."""
        with path.open("rb") as photo:
            files = [("photos", (path.name, photo))]
            url = f"/subjects/{subject_id}/photos"
            return json_of(self.send("POST", url, files=files, seconds=UPLOAD_SECONDS))

    def set_caption(self, subject_id: str, photo_id: str, caption: str | None) -> Json:
        """Give a photo other words for learning, or with None its automatic ones again, and return it."""
        address = f"/subjects/{subject_id}/photos/{photo_id}"
        return json_of(self.send("PATCH", address, json={"caption": caption}))

    def add_pose(self, path: Path) -> Json:
        """Upload a pose picture and return its id and address."""
        with path.open("rb") as picture:
            return json_of(
                self.send("POST", "/poses", files={"picture": (path.name, picture)}, seconds=UPLOAD_SECONDS)
            )

    def restore(self, path: Path) -> Json:
        """Return the settings written in a Sajin or A1111 picture."""
        with path.open("rb") as picture:
            files = {"picture": (path.name, picture)}
            return json_of(self.send("POST", "/images/restore", files=files, seconds=UPLOAD_SECONDS))

    def make_id_photo(self, path: Path, document: str) -> Json:
        """Make an ID photo of a photo, which the API does not keep."""
        return self.send_photo("/id-photos", path, document)

    def check_id_photo(self, path: Path, document: str) -> Json:
        """Check whether a photo is acceptable for a document as it is."""
        return self.send_photo("/id-photos/check", path, document)

    def make_id_photo_of_image(self, image_id: str, document: str) -> Json:
        """Make an ID photo of a finished picture."""
        return self.post(f"/images/{image_id}/id-photos", {"document": document})

    def add_face_photo(self, path: Path) -> Json:
        """Keep the square around the head in a photo, with the consent that the page has asked for."""
        with path.open("rb") as photo:
            files, data = {"picture": (path.name, photo)}, {"consent": "true"}
            return json_of(self.send("POST", "/face-photos", files=files, data=data, seconds=UPLOAD_SECONDS))

    def send_photo(self, url: str, path: Path, document: str) -> Json:
        """Upload one photo for a document and return the ID photo or check made of it."""
        with path.open("rb") as photo:
            files = {"picture": (path.name, photo)}
            return json_of(
                self.send("POST", url, files=files, data={"document": document}, seconds=UPLOAD_SECONDS)
            )

    def create_job(self, request: Mapping[str, Any]) -> Json:
        """Order pictures; the key makes a repeat of this very call harmless."""
        return self.post("/jobs", request, **{"Idempotency-Key": str(uuid.uuid4())})

    def redo_job(self, job_id: str) -> Json:
        """Order an instant job once more with what was learned meanwhile, and return the new job."""
        return self.post(f"/jobs/{job_id}/again", None, **{"Idempotency-Key": str(uuid.uuid4())})

    def set_favourite(self, image_id: str, favourite: bool) -> Json:
        """Mark or unmark an image as a favourite and return it."""
        return json_of(self.send("PATCH", f"/images/{image_id}", json={"favourite": favourite}))

    def archive(self, image_ids: Iterable[str]) -> requests.Response:
        """Return the zip of several images, still to be read."""
        return self.send(
            "POST", "/images/archive", json={"ids": list(image_ids)}, stream=True, seconds=UPLOAD_SECONDS
        )


def json_of(answer: requests.Response) -> Json:
    """Return the JSON object of an answer; an answer without a body is an empty object."""
    if not answer.content:
        return {}
    body = answer.json()
    if not isinstance(body, dict):
        raise ApiProblem(answer.status_code, "unexpected_answer", answer.url, type(body).__name__)
    return body


def problem_in(answer: requests.Response) -> ApiProblem:
    """Read problem details (RFC 9457) from an answer; any other body gives its status and reason."""
    try:
        body = answer.json()
    except ValueError:
        body = None
    if not isinstance(body, dict):
        return ApiProblem(answer.status_code, f"http_{answer.status_code}", answer.reason or "", "")
    return ApiProblem(
        status=answer.status_code,
        code=str(body.get("code", f"http_{answer.status_code}")),
        title=str(body.get("title") or body.get("message") or answer.reason or ""),
        detail=str(body.get("detail") or ""),
        errors=tuple(error_line(error) for error in body.get("errors") or []),
    )


def error_line(error: object) -> str:
    """Return one line for one entry of a problem's errors."""
    if not isinstance(error, Mapping):
        return str(error)
    where = error.get("location") or error.get("key") or error.get("field") or error.get("loc") or ""
    where = ".".join(map(str, where)) if isinstance(where, list) else str(where)
    message = str(error.get("message") or error.get("msg") or error.get("detail") or "")
    return f"{where}: {message}" if where else message
