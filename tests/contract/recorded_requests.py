"""Recorded requests made sendable: pictures drawn where they were cut off, and this server's names for models."""

from __future__ import annotations

import base64
import io
import json
import re
from typing import Any

from PIL import Image, PngImagePlugin
from skimage import data

CUT_OFF = re.compile(r"(?P<prefix>data:image/\w+;base64,)?(?P<head>[A-Za-z0-9+/]{40,}).*\.\.\.\(\d+ chars\)$")
NAMES = (
    (re.compile(r"tiny-random-([ab])(\.safetensors)?( \[\w+\])?"), r"tiny-random-\1"),
    (re.compile(r"temp-c(\.safetensors)?"), "tiny-random-b"),
    (re.compile(r"(control_v11\w+) \[\w{8}\]"), r"\1"),
    (re.compile(r"tiny_x4"), "Lanczos"),
)
"""Names of the recorded server's models, and what stands for them here."""
MODES = {0: "L", 2: "RGB", 3: "P", 4: "LA", 6: "RGBA"}
INFOTEXT = "a portrait\nSteps: 2, Sampler: Euler, CFG scale: 7.0, Seed: 1, Size: 64x64"


def sendable(value: Any, infotext: str = "") -> Any:
    """The request's JSON with real pictures; infotext is written into those that carried text."""
    if isinstance(value, dict):
        return {key: sendable(item, infotext) for key, item in value.items()}
    if isinstance(value, list):
        return [sendable(item, infotext) for item in value]
    if not isinstance(value, str):
        return value
    cut = CUT_OFF.fullmatch(value)
    if cut:
        return (cut["prefix"] or "") + _picture(cut["head"], infotext)
    for pattern, name in NAMES:
        value = pattern.sub(name, value)
    return value


def _picture(head: str, infotext: str) -> str:
    start = base64.b64decode(head[: len(head) // 4 * 4])
    if not start.startswith(b"\x89PNG"):
        return _encoded(_face(64, 64), "JPEG", "")
    size = int.from_bytes(start[16:20], "big"), int.from_bytes(start[20:24], "big")
    mode = MODES[start[25]]
    picture = _drawn_mask(*size) if mode == "L" else _face(*size).convert(mode)
    if mode == "L" and b"IDAT" in start and start[start.index(b"IDAT") - 1] == 27:
        picture = Image.new("L", size, 0)
    return _encoded(picture, "PNG", infotext if b"tEXt" in start[:60] else "")


def _face(width: int, height: int) -> Image.Image:
    astronaut = Image.fromarray(data.astronaut())
    return astronaut.crop((96, 0, 352, 256)).resize((width, height))


def _drawn_mask(width: int, height: int) -> Image.Image:
    mask = Image.new("L", (width, height), 0)
    mask.paste(255, (width // 4, height // 4, width * 3 // 4, height * 3 // 4))
    return mask


def _encoded(picture: Image.Image, kind: str, infotext: str) -> str:
    out = io.BytesIO()
    if kind == "PNG":
        chunks = PngImagePlugin.PngInfo()
        if infotext:
            chunks.add_text("parameters", infotext)
        picture.save(out, kind, pnginfo=chunks)
    else:
        picture.save(out, kind)
    return base64.b64encode(out.getvalue()).decode()


def infotext_of(recording: dict[str, Any]) -> str:
    """The infotext that the recorded picture must have carried, as far as the answer tells."""
    answer = recording["response"].get("json")
    told = answer.get("info") if isinstance(answer, dict) else None
    return told if isinstance(told, str) and "Steps: " in told and not told.startswith("{") else INFOTEXT


def body(recording: dict[str, Any]) -> tuple[bytes | None, dict[str, str]]:
    """The bytes and headers to send."""
    request = recording["request"]
    headers = dict(request.get("headers") or {})
    if "raw_body" in request:
        raw = request["raw_body"]
        return (raw[2:-1] if raw.startswith("b'") else raw).encode(), headers
    if "json" not in request:
        return None, headers
    content = json.dumps(sendable(request["json"], infotext_of(recording))).encode()
    return content, headers | {"Content-Type": "application/json"}
