"""How far a run is, read from the two places where a WebUI tells it."""

from __future__ import annotations

import binascii
from collections.abc import Mapping
from typing import Any

from webui_client.answers import decode_base64, mapping_of, number_of
from webui_client.values import Progress


def read_progress(
    task: Mapping[str, Any] | None, whole: Mapping[str, Any], *, least: float = 0.0, waiting: bool = False
) -> Progress:
    """Return a Progress.

    task: the answer of ``/internal/progress`` for our own task, None where task ids are unknown. whole: the
    answer of ``/sdapi/v1/progress``, which describes whatever runs. least: the fraction told before;
    ADetailer and hires fix add passes on the way, and the server then goes back. waiting: without task,
    whether another job was before ours.
    """
    told = whole if task is None else task
    queued = waiting if task is None else bool(task.get("queued"))
    eta = number_of(told.get("eta_relative" if task is None else "eta"))
    state = mapping_of(whole.get("state"))
    return Progress(
        fraction=least if queued else max(least, min(1.0, number_of(told.get("progress")))),
        eta_seconds=eta if eta > 0 and not queued else None,
        preview=_preview(whole.get("current_image") if task is None else task.get("live_preview")),
        step=0 if queued else int(number_of(state.get("sampling_step"))),
        steps=0 if queued else int(number_of(state.get("sampling_steps"))),
        queued=queued,
    )


def _preview(text: Any) -> bytes | None:
    try:
        return decode_base64(text) if isinstance(text, str) else None
    except binascii.Error:
        return None
