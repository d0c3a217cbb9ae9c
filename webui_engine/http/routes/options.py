"""The options page and the start-up flags."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, jsonify

from webui_engine.diffusion.checkpoints import find_checkpoint
from webui_engine.http.generation import names
from webui_engine.http.options import CHECKPOINT, CHECKPOINT_HASH
from webui_engine.http.reading import read_dict
from webui_engine.http.routes.table import get, post
from webui_engine.http.services import Services, services

blueprint = Blueprint("options", __name__)


@get(blueprint, "/sdapi/v1/options")
def show() -> Response:
    """Every listed option."""
    held = services()
    values = held.options.listed()
    values[CHECKPOINT_HASH] = held.engine.loaded.sha256 or ""
    return jsonify(values)


@post(blueprint, "/sdapi/v1/options")
def change() -> Response:
    """Set options for good, all or none; a change of checkpoint or VAE waits for its turn and loads."""
    held = services()
    changes = held.options.check(read_dict())
    if "sd_vae" in changes:
        names.vae(held.engine, str(changes["sd_vae"]))
    if changes.get(CHECKPOINT):
        changes = changes | {CHECKPOINT: _load(str(changes[CHECKPOINT]), held)}
    held.options.save(changes)
    return jsonify(None)


@get(blueprint, "/sdapi/v1/cmd-flags")
def flags() -> Response:
    """A1111's start-up flags with this server's own values where it has any; the password is never shown."""
    values: dict[str, Any] = services().flags
    return jsonify(values)


def _load(name: str, held: Services) -> str:
    """Bring a checkpoint into memory and return its title."""
    find_checkpoint(name, held.engine.checkpoints())
    with held.queue.turn():
        return held.engine.load(name).title
