"""Private pictures as responses: never cached without asking again, answered 304 by ETag."""

from __future__ import annotations

import mimetypes
from pathlib import Path

from flask import Response, send_file


def picture_file(path: Path, download_name: str | None = None, kind: str | None = None) -> Response:
    """A picture file; download_name is the name a browser keeps it under. kind: its media type, else by its name."""
    kind = kind or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    response = send_file(
        path.absolute(), mimetype=kind, download_name=download_name, conditional=True, etag=True
    )
    response.headers["Cache-Control"] = "private, no-cache"
    return response
