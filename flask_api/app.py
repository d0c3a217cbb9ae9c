"""Puts the HTTP border together around one studio."""

from __future__ import annotations

from apiflask import APIFlask

from flask_api import docs, guards, metrics, openapi, problems
from flask_api.context import LISTENERS, STUDIO
from flask_api.events import Listeners
from flask_api.routes.catalogue import poses, presets
from flask_api.routes.images import images
from flask_api.routes.installation import health, installation
from flask_api.routes.jobs import jobs
from flask_api.routes.photos import photos
from flask_api.routes.subjects import subjects
from flask_api.routes.trainings import trainings
from studio.service import Studio
from studio.values import MAX_PHOTOS

UPLOAD_LIMIT = MAX_PHOTOS * 30 * 1024 * 1024
FORM_MEMORY = 1024 * 1024


def create_app(studio: Studio) -> APIFlask:
    """The WSGI app that serves a studio. It does not own the studio: the caller closes it."""
    app = APIFlask("flask_api", title="Sajin", version=studio.status().version, docs_path=None)
    app.config.update(openapi.CONFIGURATION)
    app.config.update(MAX_CONTENT_LENGTH=UPLOAD_LIMIT, MAX_FORM_MEMORY_SIZE=FORM_MEMORY)
    app.json.sort_keys = False  # type: ignore[attr-defined]  # Flask's own default provider has it
    app.extensions[STUDIO] = studio
    app.extensions[LISTENERS] = Listeners()
    for blueprint in (subjects, photos, trainings, jobs, images, presets, poses, installation, health):
        app.register_blueprint(blueprint)
    guards.install(app, studio.settings.api_hosts)
    metrics.install(app)
    problems.install(app)
    openapi.install(app)
    docs.install(app)
    return app
