"""How a failure is worded on the wire: A1111 has two shapes, and a client has to read both.

``{"detail": …}`` for a body that does not fit, an unknown path and a wrong verb; ``{"error", "detail", "body",
"errors"}`` for everything else, with the text in ``detail`` when the server refused and in ``errors`` when it failed.
"""

from __future__ import annotations

import logging
from typing import Any

from flask import Flask, Response, jsonify, redirect, request
from pydantic.v1 import ValidationError
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound, RequestEntityTooLarge
from werkzeug.wrappers import Response as BaseResponse

from webui_engine import errors

log = logging.getLogger(__name__)

Answer = tuple[Response, int]


class Refused(Exception):
    """A request the server understood and will not run; A1111 raises HTTPException for these."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail


class BodyDoesNotFit(Exception):
    """A body or query that does not fit its schema: status 422 and a list of what is wrong where."""

    def __init__(self, problems: list[dict[str, Any]]) -> None:
        super().__init__(f"{len(problems)} problems in the request")
        self.problems = problems


class QueueFull(Exception):
    """More requests wait than the server keeps connections for."""

    def __init__(self, waiting: int) -> None:
        super().__init__(f"{waiting} requests are waiting already; try again when some of them are done")


STATUS: tuple[tuple[type[Exception], int], ...] = (
    (errors.UnknownName, 400),
    (errors.WouldBeIgnored, 422),
    (QueueFull, 503),
)
"""The errors that are not 500, as everything is in A1111 that no check foresaw."""

FAILS_IN_A1111 = frozenset({"option", "checkpoint", "upscaler", "ControlNet module"})
"""Kinds of unknown names for which A1111 answers 500, so we do."""


def install(app: Flask) -> None:
    """Give app the error bodies of A1111."""
    app.register_error_handler(Refused, _refused)
    app.register_error_handler(BodyDoesNotFit, _body_does_not_fit)
    app.register_error_handler(ValidationError, _failed)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Exception, _failed)


def body(error: str, *, detail: str = "", errors_text: str = "") -> Response:
    """The four-key error body."""
    return jsonify({"error": error, "detail": detail, "body": "", "errors": errors_text})


def _refused(fault: Refused) -> Answer:
    return body("HTTPException", detail=fault.detail), fault.status


def _body_does_not_fit(fault: BodyDoesNotFit) -> Answer:
    return jsonify({"detail": fault.problems}), 422


def _http(fault: HTTPException) -> Answer | BaseResponse:
    if isinstance(fault, RequestEntityTooLarge):
        return jsonify({"detail": "The request body is too large"}), 413
    if isinstance(fault, NotFound) and request.path.rstrip("/") != request.path and len(request.path) > 1:
        return redirect(request.path.rstrip("/"), code=307)
    if isinstance(fault, (NotFound, MethodNotAllowed)):
        return jsonify({"detail": fault.name}), fault.code or 404
    return body("HTTPException", detail=fault.description or fault.name), fault.code or 500


def _failed(fault: Exception) -> Answer:
    status = next((status for kind, status in STATUS if isinstance(fault, kind)), 500)
    if isinstance(fault, errors.UnknownName) and fault.kind in FAILS_IN_A1111:
        status = 500
    if status == 500 and not isinstance(fault, (errors.EngineError, ValidationError)):
        log.exception("request failed: %s %s", request.method, request.path)
    return body(type(fault).__name__, errors_text=str(fault)), status
