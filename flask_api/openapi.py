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
# What a created thing's id is good for: operation -> (status, name of the path parameter, where the id is).
CREATORS = {
    "post_subjects_create_subject": ("201", "subject_id", "$response.body#/id"),
    "post_photos_add_photos": ("201", "photo_id", "$response.body#/items/0/id"),
    "post_trainings_start_training": ("202", "training_id", "$response.body#/id"),
    "post_jobs_create_job": ("202", "job_id", "$response.body#/id"),
    "post_id_photos_make_id_photo": ("201", "id_photo_id", "$response.body#/id"),
    "post_face_photos_add_face_photo": ("201", "face_photo_id", "$response.body#/id"),
    "post_poses_add_pose": ("201", "pose_id", "$response.body#/id"),
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
        if operation["operationId"] in CREATORS:
            status, name, place = CREATORS[operation["operationId"]]
            operation["responses"][status]["links"] = links(document, operation, name, place)
    return document


def links(document: dict[str, Any], creator: dict[str, Any], name: str, place: str) -> dict[str, Any]:
    """OpenAPI links from a creating operation to all that take the created thing's id as the parameter name."""
    given = {parameter: f"$request.path.{parameter}" for parameter in path_parameters(creator)} | {
        name: place
    }
    return {
        operation["operationId"]: {
            "operationId": operation["operationId"],
            "parameters": {parameter: given[parameter] for parameter in needed},
        }
        for operation in operations(document)
        if name in (needed := path_parameters(operation)) and set(needed) <= given.keys()
    }


def path_parameters(operation: dict[str, Any]) -> list[str]:
    """Names of an operation's path parameters, in order."""
    return [item["name"] for item in operation.get("parameters", []) if item["in"] == "path"]


def operations(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every operation of an OpenAPI document."""
    for path in document["paths"].values():
        yield from (operation for method, operation in path.items() if method != "parameters")
