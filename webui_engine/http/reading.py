"""Turning a request's body into one of the models of :mod:`schema`, with FastAPI's complaints where it does not fit."""

from __future__ import annotations

import json
from typing import Any, TypeVar

from flask import Request, request
from pydantic.v1 import BaseModel, ValidationError

from webui_engine.http.faults import BodyDoesNotFit

Model = TypeVar("Model", bound=BaseModel)

TRUE_WORDS = frozenset({"1", "on", "t", "true", "y", "yes"})
FALSE_WORDS = frozenset({"0", "off", "f", "false", "n", "no"})


def read(model: type[Model]) -> Model:
    """The current request's body as a model; raises BodyDoesNotFit."""
    value = json_body(request)
    if not isinstance(value, dict):
        raise _problem(("body",), "value is not a valid dict", "type_error.dict")
    try:
        return model.parse_obj(value)
    except ValidationError as error:
        raise BodyDoesNotFit([{**item, "loc": ["body", *item["loc"]]} for item in error.errors()]) from error


def json_body(incoming: Request) -> Any:
    """The parsed body; a body of another content type stays bytes. Raises BodyDoesNotFit for none and for bad JSON."""
    raw = incoming.get_data()
    if not _is_json(incoming.headers.get("Content-Type")):
        value: Any = raw or None
    elif not raw:
        value = None
    else:
        value = _parsed(raw)
    if value is None:
        raise _problem(("body",), "field required", "value_error.missing")
    return value


def read_dict() -> dict[str, Any]:
    """The current request's body as a plain object; raises BodyDoesNotFit."""
    value = json_body(request)
    if not isinstance(value, dict):
        raise _problem(("body",), "value is not a valid dict", "type_error.dict")
    return value


def read_list() -> list[Any]:
    """The current request's body as a list; raises BodyDoesNotFit."""
    value = json_body(request)
    if not isinstance(value, list):
        raise _problem(("body",), "value is not a valid list", "type_error.list")
    return value


def query_flag(name: str, *, default: bool) -> bool:
    """A yes-or-no query parameter in any of the spellings FastAPI takes; raises BodyDoesNotFit for another word."""
    word = request.args.get(name)
    if word is None:
        return default
    if word.lower() in TRUE_WORDS:
        return True
    if word.lower() in FALSE_WORDS:
        return False
    raise _problem(("query", name), "value could not be parsed to a boolean", "type_error.bool")


def _is_json(content_type: str | None) -> bool:
    if not content_type:
        return True
    kind = content_type.partition(";")[0].strip().lower()
    return kind == "application/json" or kind.endswith("+json")


def _parsed(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except json.JSONDecodeError as error:
        place = {
            "msg": error.msg,
            "doc": error.doc,
            "pos": error.pos,
            "lineno": error.lineno,
            "colno": error.colno,
        }
        problem = {
            "loc": ["body", error.pos],
            "msg": str(error),
            "type": "value_error.jsondecode",
            "ctx": place,
        }
        raise BodyDoesNotFit([problem]) from error
    except UnicodeDecodeError as error:
        raise _problem(("body",), "the body is not UTF-8", "value_error.unicodedecode") from error


def _problem(place: tuple[str, ...], message: str, kind: str) -> BodyDoesNotFit:
    return BodyDoesNotFit([{"loc": list(place), "msg": message, "type": kind}])
