"""Answers of a WebUI as values. Everything here distrusts what came: garbage becomes BadAnswer, never a
traceback.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from webui_client.errors import BadAnswer
from webui_client.pictures import BadPicture, Picture, text_chunks
from webui_client.units.animatediff import Animation
from webui_client.values import GenerationInfo, PngInfo


def read_generation(answer: Any, server: str, path: str) -> tuple[tuple[Picture, ...], GenerationInfo]:
    """Return every picture of a txt2img or img2img answer, in its order, and its info; raises BadAnswer."""
    if not isinstance(answer, dict):
        raise BadAnswer(server, path, "it is no object")
    pictures = tuple(
        read_picture(image, server, path, f"picture {number}")
        for number, image in enumerate(_images_of(answer, server, path))
    )
    return pictures, _info_of(answer, server, path)


def read_animated(
    answer: Any, files: int, server: str, path: str
) -> tuple[tuple[Animation | None, ...], tuple[Picture, ...], GenerationInfo]:
    """Return (files, frames, info) of an answer to AnimateDiff; raises BadAnswer.

    files: how many files are due before the frames; what stands in the place of one and is no animation is None, and
    then the pictures that came are no frames but still pictures.
    """
    if not isinstance(answer, dict):
        raise BadAnswer(server, path, "it is no object")
    try:
        images = [decode_base64(str(image)) for image in _images_of(answer, server, path)]
        animations = tuple(map(Animation.read, images[:files]))
        frames = tuple(map(Picture.read, images[files:]))
    except (BadPicture, binascii.Error) as error:
        raise BadAnswer(server, path, f"its animation: {error}") from error
    return animations, frames, _info_of(answer, server, path)


def _images_of(answer: dict[str, Any], server: str, path: str) -> list[Any]:
    images = answer.get("images")
    if not isinstance(images, list):
        raise BadAnswer(server, path, "it has no list of images")
    return images


def _info_of(answer: dict[str, Any], server: str, path: str) -> GenerationInfo:
    try:
        return GenerationInfo.model_validate_json(str(answer.get("info")))
    except ValidationError as error:
        raise BadAnswer(
            server, path, f"its info is unusable: {error.errors(include_url=False)[:2]}"
        ) from error


def read_picture(text: Any, server: str, path: str, which: str) -> Picture:
    """Return the picture in a base64 text or data URI; raises BadAnswer, naming which picture it is."""
    if not isinstance(text, str):
        raise BadAnswer(server, path, f"{which} is no text")
    try:
        return Picture.read(decode_base64(text))
    except (BadPicture, binascii.Error) as error:
        raise BadAnswer(server, path, f"{which}: {error}") from error


def decode_base64(text: str) -> bytes:
    """Return the bytes of a base64 text, with or without a ``data:`` prefix; raises binascii.Error."""
    payload = text.split(",", 1)[1] if text.startswith("data:") and "," in text else text
    return base64.b64decode(payload, validate=True)


def read_png_info(answer: Any, server: str, path: str) -> PngInfo:
    """Return a png-info answer as a value; raises BadAnswer."""
    if not isinstance(answer, dict) or not isinstance(answer.get("info"), str | None):
        raise BadAnswer(server, path, "it has no info")
    parameters = answer.get("parameters")
    return PngInfo(
        infotext=answer.get("info") or "",
        items=text_chunks(answer.get("items")),
        parameters=parameters if isinstance(parameters, Mapping) else {},
    )


def mapping_of(value: Any) -> Mapping[str, Any]:
    """Return value if it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def number_of(value: Any) -> float:
    """Return value if it is a number, else 0."""
    return float(value) if isinstance(value, int | float) else 0.0


def strings_of(value: Any) -> tuple[str, ...]:
    """Return the items of a list, or the keys of an object, as texts; else nothing."""
    return tuple(str(item) for item in value) if isinstance(value, list | dict) else ()
