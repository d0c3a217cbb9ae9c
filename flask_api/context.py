"""What every route reaches for: the studio it serves, the event listeners, and the caller's language."""

from __future__ import annotations

from flask import current_app, request

from flask_api.events import Listeners
from flask_api.present import Presenter
from flask_api.texts import LANGUAGES, Texts, texts_in
from studio.service import Studio

STUDIO = "sajin-studio"
LISTENERS = "sajin-listeners"


def studio() -> Studio:
    """The studio this app was made for."""
    served: Studio = current_app.extensions[STUDIO]
    return served


def listeners() -> Listeners:
    """The open event streams."""
    streams: Listeners = current_app.extensions[LISTENERS]
    return streams


def texts() -> Texts:
    """The sentences in the language that Accept-Language prefers, English if it names none of ours."""
    return texts_in(request.accept_languages.best_match(LANGUAGES, default="en") or "en")


def presenter() -> Presenter:
    """Presents values in the caller's language."""
    return Presenter(texts())
