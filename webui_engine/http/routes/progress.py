"""How far the running job is, by process and by task id; interrupt and skip."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify

from webui_engine.http.pictures import FileForm, data_uri, encode
from webui_engine.http.progress import ProgressView
from webui_engine.http.reading import query_flag, read
from webui_engine.http.routes.table import get, post
from webui_engine.http.schema import ProgressRequest
from webui_engine.http.services import Services, services

blueprint = Blueprint("progress", __name__)


@get(blueprint, "/sdapi/v1/progress")
def progress() -> Response:
    """The running job, whoever sent it; all zero when idle."""
    skip_picture = query_flag("skip_current_image", default=False)
    held = services()
    view = held.progress.view()
    preview = None if skip_picture else held.progress.ask_preview()
    return jsonify(
        {
            "progress": view.fraction if view.job_count else 0.0,
            "eta_relative": (view.eta_seconds or 0.0) if view.job_count else 0.0,
            "state": _state(view),
            "current_image": encode(preview.picture, FileForm()) if preview else None,
            "textinfo": None,
        }
    )


@post(blueprint, "/internal/progress")
def task_progress() -> Response:
    """One task by its id."""
    asked = read(ProgressRequest)
    held = services()
    current = held.queue.current()
    if asked.id_task is None or asked.id_task != current:
        return jsonify(_not_running(asked, held))
    view = held.progress.view()
    preview, number = _preview(asked, held)
    return jsonify(
        {
            "active": True,
            "queued": False,
            "completed": False,
            "progress": view.fraction,
            "eta": view.eta_seconds,
            "live_preview": preview,
            "id_live_preview": number,
            "textinfo": None,
        }
    )


@get(blueprint, "/internal/pending-tasks")
def pending_tasks() -> Response:
    """The ids that wait for their turn."""
    waiting = services().queue.pending()
    return jsonify({"size": len(waiting), "tasks": list(waiting)})


@post(blueprint, "/sdapi/v1/interrupt")
def interrupt() -> Response:
    """Stop the running job; it answers with what it has."""
    services().progress.interrupt()
    return jsonify({})


@post(blueprint, "/sdapi/v1/skip")
def skip() -> Response:
    """Leave the current batch of the running job."""
    services().progress.skip()
    return jsonify(None)


def _state(view: ProgressView) -> dict[str, object]:
    return {
        "skipped": view.skipped,
        "interrupted": view.interrupted,
        "stopping_generation": False,
        "job": view.job,
        "job_count": view.job_count,
        "job_timestamp": view.job_timestamp,
        "job_no": view.job_no,
        "sampling_step": view.sampling_step,
        "sampling_steps": view.sampling_steps,
    }


def _not_running(asked: ProgressRequest, held: Services) -> dict[str, object]:
    waiting = held.queue.pending()
    queued = asked.id_task in waiting
    place = (
        f"In queue: {waiting.index(asked.id_task) + 1}/{len(waiting)}"
        if asked.id_task in waiting
        else "Waiting..."
    )
    return {
        "active": False,
        "queued": queued,
        "completed": asked.id_task is not None and held.queue.has_finished(asked.id_task),
        "progress": None,
        "eta": None,
        "live_preview": None,
        "id_live_preview": -1,
        "textinfo": place,
    }


def _preview(asked: ProgressRequest, held: Services) -> tuple[str | None, int | None]:
    """The newest preview as a data URI, unless the client has it already, and its number."""
    if not asked.live_preview:
        return None, asked.id_live_preview
    preview = held.progress.ask_preview()
    if preview is None:
        return None, -1
    if preview.number == asked.id_live_preview:
        return None, asked.id_live_preview
    return data_uri(preview.picture), preview.number
