"""The Flask application: the routes, the error bodies, and what holds for every request."""

from __future__ import annotations

import time

from flask import Flask, Response, g, request
from werkzeug.exceptions import MethodNotAllowed

from webui_engine.http import faults
from webui_engine.http.routes import (
    about,
    controlnet,
    easyphoto,
    extras,
    faceswap,
    generation,
    models,
    options,
    progress,
    scripts,
)
from webui_engine.http.services import KEY, Services, services

LARGEST_BODY = 256 * 1024 * 1024
GROUPS = (generation, extras, progress, options, models, scripts, controlnet, faceswap, easyphoto, about)


def create_app(held: Services) -> Flask:
    """A new application around its services; it can be served by any WSGI server with threads."""
    app = Flask("webui_engine", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = LARGEST_BODY
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.extensions[KEY] = held
    faults.install(app)
    for group in GROUPS:
        app.register_blueprint(group.blueprint)
    app.before_request(_before)
    app.after_request(_after)
    return app


def _before() -> None:
    g.began_at = time.monotonic()
    if request.method == "HEAD":
        raise MethodNotAllowed
    services().access.check()


def _after(response: Response) -> Response:
    response.headers["X-Process-Time"] = f"{time.monotonic() - g.get('began_at', time.monotonic()):.4f}"
    return response
