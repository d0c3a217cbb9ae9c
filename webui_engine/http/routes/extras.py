"""POST extra-single-image, extra-batch-images, png-info and interrogate."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify

from webui_client import infotext
from webui_engine.http.enlarging import enlarge
from webui_engine.http.faults import Refused
from webui_engine.http.generation.answer import file_form
from webui_engine.http.pasting import shown_parameters
from webui_engine.http.pictures import decode, encode, read_texts
from webui_engine.http.reading import read
from webui_engine.http.routes.table import post
from webui_engine.http.schema import (
    ExtrasBatchRequest,
    ExtrasSingleRequest,
    InterrogateRequest,
    PngInfoRequest,
)
from webui_engine.http.services import services

blueprint = Blueprint("extras", __name__)


@post(blueprint, "/sdapi/v1/extra-single-image")
def extra_single_image() -> Response:
    """One picture enlarged."""
    request = read(ExtrasSingleRequest)
    held = services()
    with held.queue.turn():
        made = enlarge(request, [decode(request.image)], held.engine)
    form = file_form(held.options.effective())
    return jsonify({"html_info": made.html, "image": encode(made.pictures[0], form, made.texts[0])})


@post(blueprint, "/sdapi/v1/extra-batch-images")
def extra_batch_images() -> Response:
    """Several pictures enlarged alike."""
    request = read(ExtrasBatchRequest)
    held = services()
    with held.queue.turn():
        made = enlarge(request, [decode(item.data) for item in request.imageList], held.engine)
    form = file_form(held.options.effective())
    images = [encode(picture, form, text) for picture, text in zip(made.pictures, made.texts, strict=True)]
    return jsonify({"html_info": made.html, "images": images})


@post(blueprint, "/sdapi/v1/png-info")
def png_info() -> Response:
    """The infotext of a picture, raw and parsed."""
    text, items = read_texts(decode(read(PngInfoRequest).image))
    return jsonify({"info": text, "items": items, "parameters": shown_parameters(infotext.parse(text))})


@post(blueprint, "/sdapi/v1/interrogate")
def interrogate() -> Response:
    """No captioner is bundled: a picture is answered with an error, an unknown model with 404."""
    request = read(InterrogateRequest)
    decode(request.image)
    if request.model not in ("clip", "deepdanbooru"):
        raise Refused(404, "Model not found")
    raise Refused(500, f"No captioner is installed, so {request.model} cannot describe pictures")
