"""What this server is, whether it lives, and its OpenAPI description."""

from __future__ import annotations

import secrets

from flask import Blueprint, Response, current_app, jsonify

from webui_engine import __version__
from webui_engine.http.openapi import document
from webui_engine.http.routes.table import get
from webui_engine.http.services import services

blueprint = Blueprint("about", __name__)

APP_ID = secrets.randbits(63)


@get(blueprint, "/internal/sajin")
def sajin() -> Response:
    """That this is Sajin's engine, and what its checkpoint is like."""
    engine = services().engine
    return jsonify(
        {
            "name": "sajin",
            "version": __version__,
            "checkpoint": engine.loaded.title,
            "native_size": engine.native_size,
            "demonstration": engine.demonstration,
            "motion_modules": [info.name for info in engine.fitting_motion_modules()],
        }
    )


@get(blueprint, "/internal/ping")
def ping() -> Response:
    """An empty answer from a living server."""
    return jsonify({})


@get(blueprint, "/app_id")
@get(blueprint, "/app_id/")
def app_id() -> Response:
    """A number that stays the same until the server is started anew."""
    return jsonify({"app_id": APP_ID})


@get(blueprint, "/openapi.json")
def openapi() -> Response:
    """The routes of this server."""
    return jsonify(document(current_app.url_map))
