"""The page /docs: the OpenAPI document as plain HTML, which works offline and without scripts."""

from __future__ import annotations

from apiflask import APIFlask
from flask import Response, render_template

from flask_api.context import texts
from flask_api.problems import STATUS_OF


def install(app: APIFlask) -> None:
    """Serve /docs and its style sheet."""

    @app.get("/docs")
    @app.doc(hide=True)
    def read_docs() -> str:
        """The API in words."""
        return render_template("docs.html", document=app.spec, errors=errors_by_code(), words=texts())

    @app.get("/docs.css")
    @app.doc(hide=True)
    def read_style() -> Response:
        """The style of the page."""
        return Response(render_template("docs.css"), mimetype="text/css")


def errors_by_code() -> dict[str, tuple[int, str]]:
    """(status, title) of every studio error that has its own sentence, by stable code."""
    found: dict[str, tuple[int, str]] = {}
    for kind, status in STATUS_OF:
        for error in (kind, *kind.__subclasses__()):
            title = texts().find("errors", error.code, "title")
            if title is not None:
                found.setdefault(error.code, (status, title))
    return dict(sorted(found.items()))
