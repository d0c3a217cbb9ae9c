"""Comparing answers by what a client can rely on: keys and types, not values."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Iterator
from typing import Any

from PIL import Image

from webui_client.infotext import parse

FREE = frozenset({"value", "minimum", "maximum", "step", "choices"})
"""Keys whose value is whatever a script's own argument is."""

NAMED = frozenset({"loaded", "skipped", "module_detail", "metadata", "items"})
"""Objects whose keys are names of the server's own; their values are compared with each other."""

ECHOED = frozenset({"override_settings", "alwayson_scripts", "ngrok_options"})
"""Objects of an answer that hold whatever was sent."""

OPENAPI = frozenset({"components", "paths"})
"""The description of the routes, which tests of its own compare."""

TOLD_BESIDES = frozenset({"RNG"})
"""Keys of the infotext that the recorded server leaves out at its own default, which the engine does not share."""

STUCK = frozenset({"VAE hash", "VAE", "Clip skip", "ENSD"})
"""Keys of options that an earlier request had overridden and that stuck on the real server (recordings 116, 117)."""

COUNTED = frozenset({"images", "infotexts", "all_prompts", "all_seeds", "all_subseeds"})


OPTIONAL = frozenset({"hash", "sha256", "config", "model_name", "model_path", "sd_vae_name", "sd_vae_hash"})
"""Keys that are null on a real server, too: a checkpoint is hashed when it is first loaded, and a VAE of
its own is the exception."""


def differences(recorded: Any, given: Any, place: str = "") -> Iterator[str]:
    """Every difference in keys, types and number of pictures; null may stand for a value that is not there."""
    if recorded is None:
        return
    if _kind(recorded) != _kind(given):
        yield f"{place}: {_kind(given)} instead of {_kind(recorded)}"
    elif isinstance(recorded, dict):
        yield from _in_objects(recorded, given, place)
    elif isinstance(recorded, list):
        yield from _in_lists(recorded, given, place)


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "boolean"
    return {int: "number", float: "number", str: "text", dict: "object", list: "list"}.get(
        type(value), "null"
    )


def _in_objects(recorded: dict[str, Any], given: dict[str, Any], place: str) -> Iterator[str]:
    here = place.rpartition(".")[2]
    if here in ECHOED | OPENAPI:
        return
    if here in NAMED:
        yield from _in_lists(list(recorded.values()), list(given.values()), place)
        return
    for key in sorted(recorded.keys() ^ given.keys()):
        yield f"{place}.{key}: {'missing' if key in recorded else 'not in the recording'}"
    for key in recorded.keys() & given.keys():
        if key not in FREE and not (key in OPTIONAL and given[key] is None):
            yield from _at_key(key, recorded[key], given[key], f"{place}.{key}")


def _at_key(key: str, recorded: Any, given: Any, place: str) -> Iterator[str]:
    if key in COUNTED and len(recorded) != len(given):
        yield f"{place}: {len(given)} instead of {len(recorded)}"
    if key == "info" and isinstance(recorded, str) and recorded.startswith("{"):
        yield from differences({"told": json.loads(recorded)}, {"told": json.loads(given)}, place)
    else:
        yield from differences(recorded, given, place)


def _in_lists(recorded: list[Any], given: list[Any], place: str) -> Iterator[str]:
    for index, item in enumerate(given):
        found = [list(differences(other, item, f"{place}[{index}]")) for other in recorded]
        if found and all(found):
            yield from min(found, key=len)


def picture_differences(decoded: dict[str, Any], answer: Any) -> Iterator[str]:
    """Differences in format, size and text chunks of the pictures that the recorder looked at; how a film begins."""
    described = decoded.get("images") or (
        [decoded["image"]] if isinstance(decoded.get("image"), dict) else []
    )
    given = answer.get("images", [answer.get("image")]) if isinstance(answer, dict) else []
    for index, (expected, text) in enumerate(zip(described, given, strict=False)):
        if "undecodable" in expected:
            if not text.startswith(expected["first"]):
                yield f"file {index}: {text[:20]} instead of {expected['first']}"
            continue
        with Image.open(io.BytesIO(base64.b64decode(text))) as picture:
            keys = sorted(key for key in getattr(picture, "text", {}))
            seen = {"format": picture.format, "size": list(picture.size), "text_keys": keys}
        wanted = {
            "format": expected["format"],
            "size": expected["size"],
            "text_keys": sorted(expected["text_keys"]),
        }
        if seen != wanted:
            yield f"picture {index}: {seen} instead of {wanted}"


def infotext_differences(recorded: Any, given: Any) -> Iterator[str]:
    """Differences in the keys of the infotexts of a generation's answer, in their order."""
    for index, (expected, told) in enumerate(zip(_infotexts(recorded), _infotexts(given), strict=False)):
        seen = [key for key, _ in parse(told).settings if key not in TOLD_BESIDES]
        wanted = [key for key, _ in parse(expected).settings if key not in STUCK or key in seen]
        if seen != wanted:
            yield f"infotext {index}: {seen} instead of {wanted}"


def _infotexts(answer: Any) -> list[str]:
    info = answer.get("info") if isinstance(answer, dict) else None
    if not isinstance(info, str) or not info.startswith("{"):
        return []
    infotexts: list[str] = json.loads(info)["infotexts"]
    return infotexts
