"""The recorded exchanges with a real A1111 server, see tests/data/a1111/README.md."""

from __future__ import annotations

import functools
import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

DATA = Path(__file__).parent / "data" / "a1111"


@functools.cache
def recordings() -> dict[int, dict[str, Any]]:
    """Return every recording by its number."""
    lines = gzip.decompress((DATA / "recordings.jsonl.gz").read_bytes()).decode("utf-8").splitlines()
    return {recording["number"]: recording for recording in map(json.loads, lines)}


def openapi() -> dict[str, Any]:
    """Return the recorded server's OpenAPI document."""
    document: dict[str, Any] = json.loads(gzip.decompress((DATA / "openapi.json.gz").read_bytes()))
    return document


def exchanges() -> Iterator[dict[str, Any]]:
    """Yield the recordings that are one request with a path and one answer with a status."""
    for recording in recordings().values():
        request, response = recording.get("request"), recording.get("response")
        if isinstance(request, dict) and isinstance(response, dict) and "path" in request:
            yield recording


def infotexts() -> set[str]:
    """Return every generation-parameters text that stands anywhere in the recordings."""
    return {text for recording in recordings().values() for text in _infotexts(recording)}


def _infotexts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for item in value.values():
            yield from _infotexts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _infotexts(item)
    elif isinstance(value, str) and value.startswith("{") and '"infotexts"' in value:
        yield from _infotexts(json.loads(value))
    elif isinstance(value, str) and "Steps: " in value and "Sampler: " in value and "<p" not in value:
        yield value
