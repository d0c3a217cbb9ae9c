"""How responses that are no JSON of ours are described in the OpenAPI document."""

from __future__ import annotations

from typing import Any

Responses = dict[int | str, dict[str, str | dict[str, dict[str, Any]]]]


def described(status: int, description: str, schema: dict[str, Any], *content_types: str) -> Responses:
    """The responses argument of a route's doc(): one status, the same schema for each content type."""
    content: dict[str, dict[str, Any]] = {kind: {"schema": schema} for kind in content_types}
    return {status: {"description": description, "content": content}}


TEXT = {"type": "string"}
BINARY = {"type": "string", "format": "binary"}
PICTURE_RESPONSES = described(200, "The picture", BINARY, "image/jpeg", "image/png", "image/webp")
ANIMATION_RESPONSES = described(
    200, "The animation", BINARY, "image/gif", "video/mp4", "image/webp", "image/apng"
)
ZIP_RESPONSES = described(200, "The images as one zip file", BINARY, "application/zip")
SHEET_RESPONSES = described(200, "The sheet", BINARY, "application/pdf", "image/jpeg")
RECIPE_RESPONSES = described(200, "The recipe", {"type": "object"}, "application/json")
METRICS_RESPONSES = described(200, "The figures", TEXT, "text/plain")
NOT_READY_RESPONSES = described(
    503, "It would wait", {"$ref": "#/components/schemas/ReadyAnswer"}, "application/json"
)
EVENT = {"type": "object", "properties": {"event": {"enum": ["job", "training"]}, "data": TEXT}}
EVENT_RESPONSES = described(
    200,
    "Events named job or training whose data is the resource as JSON; comments are heartbeats",
    EVENT,
    "text/event-stream",
)
