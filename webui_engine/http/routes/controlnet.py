"""The ControlNet extension's own routes. Source: the A1111 contract notes, controlnet section 8."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, jsonify
from PIL import Image

from webui_engine.controlnet.preprocessors import Module
from webui_engine.errors import UnknownName
from webui_engine.http.faults import Refused
from webui_engine.http.generation import names
from webui_engine.http.openpose import people_of
from webui_engine.http.pictures import FileForm, decode, encode, flat
from webui_engine.http.reading import query_flag, read, read_list
from webui_engine.http.routes.table import get, post
from webui_engine.http.schema import DetectRequest
from webui_engine.http.services import services

blueprint = Blueprint("controlnet", __name__)

API_VERSION = 3
ALL = "All"
TAGS = (
    "Canny",
    "Depth",
    "IP-Adapter",
    "Inpaint",
    "Instant-ID",
    "InstructP2P",
    "Lineart",
    "MLSD",
    "NormalMap",
    "OpenPose",
    "Recolor",
    "Reference",
    "Revision",
    "Scribble",
    "Segmentation",
    "Shuffle",
    "SoftEdge",
    "SparseCtrl",
    "T2I-Adapter",
    "Tile",
)
"""The extension's purposes, whether anything here serves them or not."""

NONE = "None"
NOT_FOR_DETECTION = frozenset(
    {"clip_vision", "revision_clipvision", "revision_ignore_prompt", "ip-adapter-auto"}
)


@get(blueprint, "/controlnet/version")
def version() -> Response:
    """The version of the extension's API that this server speaks."""
    return jsonify({"version": API_VERSION})


@get(blueprint, "/controlnet/settings")
def settings() -> Response:
    """How many units a request may have."""
    return jsonify({"control_net_unit_count": services().options.effective().controlnet_units})


@get(blueprint, "/controlnet/model_list")
def model_list() -> Response:
    """The ControlNets; folders are looked through each time."""
    query_flag("update", default=True)
    return jsonify({"model_list": list(services().engine.controlnet_models())})


@get(blueprint, "/controlnet/module_list")
def module_list() -> Response:
    """The preprocessors with their sliders."""
    alias_names = query_flag("alias_names", default=False)
    modules = {_shown(item, alias_names): item for item in services().engine.controlnet_modules()}
    detail = {
        name: {"model_free": item.model_free, "sliders": _sliders(item)} for name, item in modules.items()
    }
    return jsonify({"module_list": list(modules), "module_detail": detail})


@get(blueprint, "/controlnet/control_types")
def control_types() -> Response:
    """Preprocessors and models by purpose."""
    engine = services().engine
    modules, models = engine.controlnet_modules(), engine.controlnet_models()
    types = {ALL: _type([item.alias for item in modules], list(models), "none")}
    for tag in TAGS:
        fitting = [item.alias for item in modules if item.name == "none" or tag in item.tags]
        default = "openpose_full" if tag == "OpenPose" else fitting[-1]
        types[tag] = _type(fitting, [model for model in models if tag.lower() in model.lower()], default)
    return jsonify({"control_types": types})


@post(blueprint, "/controlnet/detect")
def detect() -> Response:
    """The maps of a preprocessor for some pictures."""
    request = read(DetectRequest)
    if request.controlnet_module in NOT_FOR_DETECTION:
        raise Refused(422, "Module not supported")
    module = _module(request.controlnet_module)
    if not services().engine.draws(module):
        raise Refused(422, "Module not supported")
    if not request.controlnet_input_images:
        raise Refused(422, "No image selected")
    pictures = [flat(decode(text)) for text in request.controlnet_input_images]
    drawn = [_drawn(picture, module, request) for picture in pictures]
    poses = [pose for _, pose in drawn if pose is not None]
    images = [encode(drawing, FileForm()) for drawing, _ in drawn]
    return jsonify({"info": "Success", **({"poses": poses} if poses else {}), "images": images})


@post(blueprint, "/controlnet/render_openpose_json")
def render_openpose_json() -> Response:
    """Poses drawn as pictures."""
    poses = read_list()
    if not poses:
        return jsonify({"info": "No pose data detected."})
    images = [people_of(pose) for pose in poses]
    return jsonify({"images": [encode(image, FileForm()) for image in images], "info": "Success"})


def _drawn(
    picture: Image.Image, module: str, request: DetectRequest
) -> tuple[Image.Image, dict[str, Any] | None]:
    """A preprocessor's drawing, and the pose in it where it draws poses."""
    engine, resolution = services().engine, request.controlnet_processor_res
    posed = engine.read_pose(picture, module, resolution)
    if posed is not None:
        return posed
    thresholds = request.controlnet_threshold_a, request.controlnet_threshold_b
    return engine.preprocess(picture, module, resolution, *thresholds), None


def _module(name: str) -> str:
    try:
        return names.controlnet_module(services().engine, name)
    except UnknownName as error:
        raise Refused(422, "Module not available") from error


def _shown(module: Module, alias_names: bool) -> str:
    return module.alias if alias_names else module.name


def _sliders(module: Module) -> list[dict[str, Any]]:
    return [
        {
            "name": slider.name,
            "value": slider.value,
            "min": slider.min,
            "max": slider.max,
            "step": slider.step,
        }
        for slider in module.sliders
    ]


def _type(modules: list[str], models: list[str], default: str) -> dict[str, object]:
    default_model = models[0] if models and default != "none" else NONE
    return {
        "module_list": modules,
        "model_list": [NONE, *models],
        "default_option": default,
        "default_model": default_model,
    }
