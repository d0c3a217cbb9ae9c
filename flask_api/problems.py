"""Errors become RFC 9457 problem details here, by one table; routes hold no try/except for them."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

import structlog
from apiflask import APIFlask, HTTPError
from flask import Response, request

from flask_api.answers import FieldProblem, Problem
from flask_api.context import texts
from flask_api.errors import Refusal
from flask_api.texts import Texts
from studio import errors

PROBLEM_TYPE = "application/problem+json"

# The most special class first: the first that fits decides.
STATUS_OF: tuple[tuple[type[errors.StudioError], int], ...] = (
    (errors.NotFound, 404),
    (errors.NotEnoughPhotos, 409),
    (errors.TooManyPhotos, 409),
    (errors.UnfitPhoto, 422),
    (errors.Refused, 422),
    (errors.Conflict, 409),
    (errors.TrainingUnavailable, 409),
    (errors.NoFittingServer, 409),
    (errors.Unavailable, 503),
    (errors.DiskFull, 507),
    (errors.StorageError, 503),
    (errors.StudioError, 500),
)

CODE_OF_STATUS: Mapping[int, str] = {
    400: "bad_request",
    404: "route_not_found",
    405: "method_not_allowed",
    413: "too_large",
    422: "invalid_request",
}

log = structlog.get_logger("flask_api")


def status_of(error: errors.StudioError) -> int:
    """The HTTP status of a studio error."""
    return next(status for kind, status in STATUS_OF if isinstance(error, kind))


def sentence_of(error: errors.StudioError, words: Texts) -> str:
    """The error's sentence in the caller's language; the error's own English one where ours cannot be filled."""
    try:
        return words.say("errors", error.code, "detail", **_spoken_data(error, words))
    except KeyError:
        return str(error)


def _spoken_data(error: errors.StudioError, words: Texts) -> dict[str, object]:
    data: dict[str, object] = {"message": str(error), "problems": str(error), **error.data}
    kind = str(error.data.get("kind", ""))
    if isinstance(error, errors.NotFound):
        data["kind"] = words.find("kinds", kind) or kind
    if isinstance(error, errors.MissingCapability):
        data["kind_text"] = words.find("missing", "kinds", kind) or kind
    if isinstance(error, errors.BadUpload):
        data["reason_text"] = words.say("uploads", error.reason)
    if isinstance(error, errors.TrainingUnavailable):
        data["reason_text"] = words.say("training_available", error.reason)
    if isinstance(error, errors.NotRetryable):
        data["status_text"] = words.find("statuses", str(error.data["status"]))
    return data


def problem(
    status: int,
    code: str,
    detail: str,
    fields: tuple[FieldProblem, ...] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    """A problem response in the caller's language."""
    body = Problem(
        type=f"/docs#{code}",
        title=texts().say("errors", code, "title"),
        status=status,
        detail=detail,
        code=code,
        instance=request.path,
        errors=list(fields),
    )
    return Response(body.model_dump_json(), status, headers=dict(headers or {}), content_type=PROBLEM_TYPE)


def install(app: APIFlask) -> None:
    """Let every error of the app, expected or not, leave as a problem."""
    app.error_processor(_http_problem)
    app.register_error_handler(Refusal, _refusal_problem)
    app.register_error_handler(errors.StudioError, _studio_problem)
    app.register_error_handler(Exception, _unexpected_problem)


def _refusal_problem(error: Refusal) -> Response:
    headers = {"Retry-After": "5"} if error.status == 503 else None
    return problem(
        error.status, error.code, texts().say("errors", error.code, "detail", **error.data), headers=headers
    )


def _studio_problem(error: errors.StudioError) -> Response:
    status = status_of(error)
    if status >= 500:
        log.error("storage or installation fault", code=error.code, error=str(error), path=request.path)
    code = error.code if texts().find("errors", error.code, "title") else "studio_error"
    return problem(status, code, sentence_of(error, texts()), _fields_of(error))


def _fields_of(error: errors.StudioError) -> tuple[FieldProblem, ...]:
    if isinstance(error, errors.InvalidRequest):
        return tuple(FieldProblem(place=place, message=reason) for place, reason in error.problems)
    if isinstance(error, errors.BrokenLibrary):
        return tuple(
            FieldProblem(place=f"{item.file}:{item.line}: {item.key}", message=item.reason)
            for item in error.problems
        )
    return ()


def _http_problem(error: HTTPError) -> Response:
    """A problem for what Flask, werkzeug or the validation refused."""
    code = _code_of(error)
    fields = tuple(_validation_fields(error.detail)) if error.status_code == 422 else ()
    sentence = texts().say(
        "errors",
        code,
        "detail",
        status=error.status_code,
        problems="; ".join(f"{field.place}: {field.message}" for field in fields),
    )
    headers = {
        name: str(value) for name, value in dict(error.headers or {}).items() if name != "Content-Type"
    }
    return problem(error.status_code, code, sentence, fields, headers)


def _code_of(error: HTTPError) -> str:
    if error.status_code == 400 and request.is_json:
        return "malformed_json"
    return CODE_OF_STATUS.get(error.status_code, "http_error")


def _validation_fields(detail: Any) -> list[FieldProblem]:
    """apiflask's {"json": {"count": ["…"]}} as one flat list."""
    return [
        FieldProblem(place=place, message=message)
        for places in detail.values()
        for place, messages in places.items()
        for message in messages
    ]


def _unexpected_problem(error: Exception) -> Response:
    reference = uuid.uuid4().hex[:12]
    log.error("unexpected error", reference=reference, path=request.path, exc_info=error)
    return problem(
        500, "internal_error", texts().say("errors", "internal_error", "detail", reference=reference)
    )
