"""Recorded answers beside requests of ours that ask for the same."""

from __future__ import annotations

import json
from typing import Any

from tests.replay import answer_json, png
from webui_client.answers import read_generation
from webui_client.capabilities import Capabilities
from webui_client.postflight import Answer
from webui_client.preflight import Resolved
from webui_client.units.adetailer import ADetailer, ADetailerTab
from webui_client.units.controlnet import ControlNetUnit, PlacedUnit
from webui_client.values import Img2Img, Txt2Img

CANNY = "control_v11p_sd15_canny [7c896420]"
SMALL = {"width": 64, "height": 64, "seed": 1, "sampler_name": "Euler a"}


def asked(**changes: Any) -> Txt2Img:
    """Return a request like those that were recorded."""
    return Txt2Img.model_validate({"prompt": "a portrait", **SMALL, **changes})


def asked_img2img(**changes: Any) -> Img2Img:
    return Img2Img.model_validate({"prompt": "a portrait", **SMALL, "init_images": (png(),), **changes})


def with_canny(count: int = 1, **changes: Any) -> Txt2Img:
    return asked(controlnet=(ControlNetUnit(module="canny", image=png()),) * count, **changes)


def with_adetailer(*models: str, **changes: Any) -> Txt2Img:
    tabs = tuple(ADetailerTab(model=model) for model in models)
    return asked(adetailer=ADetailer(tabs=tabs), **changes)


def answer_to(
    request: Txt2Img | Img2Img, number: int, server: Capabilities, names: Resolved | None = None, **info: Any
) -> Answer:
    """Return recorded answer number as if it had been given to request; info changes what it says of itself."""
    answer = answer_json(number)
    answer["info"] = json.dumps({**json.loads(answer["info"]), **info})
    images, told = read_generation(answer, server.server, "/sdapi/v1/txt2img")
    resolved = names or Resolved(
        sampler=request.sampler_name,
        scheduler=request.scheduler,
        control_units=tuple(
            PlacedUnit(unit=unit, module=unit.module, model=CANNY) for unit in request.plain_units
        ),
    )
    return Answer(request=request, names=resolved, server=server, images=images, info=told)
