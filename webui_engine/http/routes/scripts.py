"""Which scripts there are, and what arguments they take; ADetailer's own routes."""

from __future__ import annotations

import json
from typing import Any

from flask import Blueprint, Response, jsonify

from webui_engine.adetailer.infotext import VERSION
from webui_engine.adetailer.tabs import ADetailerArgs
from webui_engine.animatediff.arguments import TITLE as ANIMATEDIFF
from webui_engine.animatediff.arguments import AnimateDiffArgs
from webui_engine.http.generation.plan import ADETAILER, ALWAYS_ON, CONTROLNET, SELECTABLE
from webui_engine.http.generation.units import ControlNetUnit
from webui_engine.http.routes.table import get
from webui_engine.http.services import services
from webui_engine.scripts.listing import Argument, sd_upscale_arguments, ultimate_arguments

blueprint = Blueprint("scripts", __name__)


@get(blueprint, "/sdapi/v1/scripts")
def scripts() -> Response:
    """The scripts of each tab, selectable ones first."""
    return jsonify({kind: [*selectable, *ALWAYS_ON] for kind, selectable in SELECTABLE.items()})


@get(blueprint, "/sdapi/v1/script-info")
def script_info() -> Response:
    """Every script's arguments with defaults and ranges."""
    return jsonify(
        [
            _entry(name, _arguments(name), always_on=name in ALWAYS_ON, img2img=kind == "img2img")
            for kind, selectable in SELECTABLE.items()
            for name in (*selectable, *ALWAYS_ON)
        ]
    )


@get(blueprint, "/adetailer/v1/version")
def adetailer_version() -> Response:
    """The version of ADetailer whose arguments and infotext this server speaks."""
    return jsonify({"version": VERSION})


@get(blueprint, "/adetailer/v1/schema")
def adetailer_schema() -> Response:
    """The JSON schema of a tab."""
    schema = ADetailerArgs.schema()
    schema.pop("description", None)
    return jsonify(schema)


@get(blueprint, "/adetailer/v1/ad_model")
def adetailer_models() -> Response:
    """The detectors."""
    return jsonify({"ad_model": list(services().detectors.names())})


def _arguments(name: str) -> list[Argument]:
    held = services()
    options = held.options.effective()
    if name == ADETAILER:
        return _adetailer_arguments(options.adetailer_tabs)
    if name == ANIMATEDIFF:
        return [Argument(value=_animatediff_defaults())]
    if name == CONTROLNET:
        return [Argument(value=ControlNetUnit().dict())] * options.controlnet_units
    upscalers = [item.name for item in held.engine.upscalers()]
    return (
        sd_upscale_arguments(upscalers) if name == SELECTABLE["img2img"][0] else ultimate_arguments(upscalers)
    )


def _animatediff_defaults() -> dict[str, Any]:
    modules = [info.name for info in services().engine.fitting_motion_modules()]
    return {**json.loads(AnimateDiffArgs().json()), "model": modules[0] if modules else ""}


def _adetailer_arguments(tabs: int) -> list[Argument]:
    tab = ADetailerArgs().dict(exclude={"is_api"})
    tab |= {"ad_checkpoint": "Use same checkpoint", "ad_vae": "Use same VAE", "ad_sampler": "DPM++ 2M"}
    switches = [Argument(label="ADetailer", value=False), Argument(label="Skip img2img", value=False)]
    return [*switches, *[Argument(value=tab)] * tabs]


def _entry(name: str, arguments: list[Argument], *, always_on: bool, img2img: bool) -> dict[str, Any]:
    return {
        "name": name,
        "is_alwayson": always_on,
        "is_img2img": img2img,
        "args": [argument.as_dict() for argument in arguments],
    }
