"""Puts the HTTP border together around one studio."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any, NoReturn

from apiflask import APIFlask
from flask.json.provider import DefaultJSONProvider
from werkzeug.routing import BaseConverter

from flask_api import docs, guards, metrics, openapi, problems
from flask_api.context import LISTENERS, STUDIO
from flask_api.events import Listeners
from flask_api.routes.animals import animals, face_photos
from flask_api.routes.catalogue import poses, presets, products, tones
from flask_api.routes.id_photos import id_documents, id_photos
from flask_api.routes.images import images
from flask_api.routes.installation import health, installation
from flask_api.routes.jobs import jobs
from flask_api.routes.photos import photos
from flask_api.routes.subjects import subjects
from flask_api.routes.trainings import trainings
from studio.intake.decoding import LARGEST_FILE_BYTES
from studio.service import Studio
from studio.values import MAX_PHOTOS

UPLOAD_LIMIT = MAX_PHOTOS * LARGEST_FILE_BYTES
FORM_MEMORY = 1024 * 1024


class PlainJson(DefaultJSONProvider):
    """JSON with keys in our order and Korean as it is written."""

    ensure_ascii = False
    sort_keys = False

    def loads(self, s: str | bytes, **kwargs: Any) -> Any:
        """Read JSON, whose numbers are of one kind: 7.0 is the integer 7. NaN and infinity are no JSON."""
        return json.loads(s, parse_float=_number, parse_constant=_no_number, **kwargs)


def _number(text: str) -> int | float:
    value = float(text)
    return int(value) if value.is_integer() else value


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no JSON number")


class Identifier(BaseConverter):
    """A path segment that names a thing: anything but the words that are routes of their own beside it."""

    regex = "(?!(?:archive|check|restore|sheet|validate)$)[^/]+"


def create_app(studio: Studio, allowed_hosts: Collection[str] = ()) -> APIFlask:
    """The WSGI app that serves a studio. It does not own the studio: the caller closes it.

    allowed_hosts: names it answers to, besides localhost and addresses written as numbers.
    """
    app = APIFlask("flask_api", title="Sajin", version=studio.status().version, docs_path=None)
    app.config.update(openapi.CONFIGURATION)
    app.config.update(MAX_CONTENT_LENGTH=UPLOAD_LIMIT, MAX_FORM_MEMORY_SIZE=FORM_MEMORY)
    app.json = PlainJson(app)
    app.url_map.converters["identifier"] = Identifier
    app.extensions[STUDIO] = studio
    app.extensions[LISTENERS] = Listeners()
    for blueprint in (
        subjects, photos, trainings, jobs, images, products, presets, tones, poses, id_documents, id_photos, animals,
        face_photos, installation, health,
    ):  # fmt: skip
        app.register_blueprint(blueprint)
    guards.install(app, allowed_hosts)
    metrics.install(app)
    problems.install(app)
    openapi.install(app)
    docs.install(app)
    return app
