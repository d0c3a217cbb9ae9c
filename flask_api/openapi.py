"""Mends and completes the OpenAPI 3.1 document that apiflask derives from the routes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from apiflask import APIFlask

from flask_api.answers import Problem
from flask_api.forms import query_without_none
from flask_api.problems import PROBLEM_TYPE

CONFIGURATION = {
    "OPENAPI_VERSION": "3.1.0",
    "DESCRIPTION": "The studio's HTTP border. Texts follow Accept-Language (en, ko); codes are stable.",
    "AUTO_OPERATION_ID": True,
    "AUTO_404_RESPONSE": False,
    "AUTO_VALIDATION_ERROR_RESPONSE": False,
    "AUTO_SERVERS": False,
}
PROBLEM_REFERENCE = "#/components/schemas/Problem"


def install(app: APIFlask) -> None:
    """Let /openapi.json say how errors look and what optional parameters may be."""
    app.spec_processor(_processed)


def _processed(document: dict[str, Any] | str) -> dict[str, Any] | str:
    return complete(document) if isinstance(document, dict) else document


def complete(document: dict[str, Any]) -> dict[str, Any]:
    """The document with the problem response in every operation and parameters that a query can spell."""
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas.update(problem.pop("$defs", {}))
    schemas["Problem"] = problem
    for operation in operations(document):
        for parameter in operation.get("parameters", []):
            parameter["schema"] = query_without_none(parameter["schema"])
        operation["responses"]["default"] = {
            "description": "What went wrong",
            "content": {PROBLEM_TYPE: {"schema": {"$ref": PROBLEM_REFERENCE}}},
        }
        if "requestBody" in operation:
            operation["requestBody"]["required"] = True
    return document


def operations(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every operation of an OpenAPI document."""
    for path in document["paths"].values():
        yield from (operation for method, operation in path.items() if method != "parameters")
