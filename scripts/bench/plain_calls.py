"""The calls that a plain script would make for a finished job, built again from the recipe of its picture."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from command_line.api_client import ApiClient
from studio.pipeline.stages import SampledInput, StageInput, request_of
from studio.planning.plan import PlannedStage
from webui_client.client import WebuiClient, new_task_id
from webui_client.preflight import resolve
from webui_client.values import Img2Img, Txt2Img
from webui_client.wire import img2img_body, txt2img_body

Call = tuple[str, dict[str, Any]]


def calls_of(api: ApiClient, job: dict[str, Any], webui: WebuiClient, folder: Path) -> list[Call]:
    """(path, body) of each stage in order; every call has a task id of its own. folder: for the stages' pictures."""
    image = job["images"][0]
    recipe = api.get(f"/images/{image['id']}/recipe")
    calls: list[Call] = []
    picture: bytes | None = None
    for stage in recipe["stages"]:
        planned = PlannedStage.model_validate(stage["request"])
        given = StageInput(request=planned, picture=picture, files={}, checkpoint=recipe["checkpoint"])
        calls.append(_call(given, webui))
        file = folder / f"{image['id']}-{planned.name}.png"
        api.download(f"/api/v1/images/{image['id']}/stages/{planned.name}", file)
        picture = file.read_bytes()
    return calls


def _call(given: SampledInput, webui: WebuiClient) -> Call:
    request, server = request_of(given), webui.capabilities()
    if not isinstance(request, Txt2Img | Img2Img):
        raise ValueError(f"{given.request.name} samples no still picture")
    names = resolve(request, server)
    if isinstance(request, Txt2Img):
        return "/sdapi/v1/txt2img", txt2img_body(request, names, server, new_task_id())
    return "/sdapi/v1/img2img", img2img_body(request, names, server, new_task_id())
