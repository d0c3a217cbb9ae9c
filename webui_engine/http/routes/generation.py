"""POST txt2img and img2img."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify

from webui_engine.http.generation.answer import answer, file_form
from webui_engine.http.generation.describe import describe
from webui_engine.http.generation.plan import Plan, plan
from webui_engine.http.generation.run import run
from webui_engine.http.queue import new_task_id
from webui_engine.http.reading import read
from webui_engine.http.routes.table import post
from webui_engine.http.schema import GenerationRequest, Img2ImgRequest, Txt2ImgRequest
from webui_engine.http.services import Services, services

blueprint = Blueprint("generation", __name__)


@post(blueprint, "/sdapi/v1/txt2img")
def txt2img() -> Response:
    """Pictures from a prompt."""
    return _generate(read(Txt2ImgRequest))


@post(blueprint, "/sdapi/v1/img2img")
def img2img() -> Response:
    """Pictures from a prompt and pictures."""
    return _generate(read(Img2ImgRequest))


def _generate(request: GenerationRequest) -> Response:
    held = services()
    planned = plan(request, held)
    file_form(planned.options)
    with held.queue.turn(request.force_task_id or new_task_id(planned.kind)):
        job_timestamp = held.progress.start(f"scripts_{planned.kind}", preview_every=_preview_every(planned))
        try:
            made = run(planned, held)
        finally:
            held.progress.finish()
            _keep_overrides(planned, held)
    description = describe(planned, made, job_timestamp=job_timestamp)
    return jsonify(answer(planned, made, description, held.data))


def _preview_every(planned: Plan) -> int:
    return planned.options.preview_every if planned.options.live_previews else 0


def _keep_overrides(planned: Plan, held: Services) -> None:
    """Let the request's override_settings stay where it says that they shall not be restored."""
    if not planned.request.override_settings_restore_afterwards:
        held.options.remember(planned.request.override_settings or {})
