"""Pictures of the API for the browser, through the pages' own port: a phone needs to reach only that one."""

import re
from collections.abc import Iterator

import requests
from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import StreamingResponse

from gradio_app.api import UPLOAD_SECONDS, Api
from gradio_app.errors import ApiProblem, PageError

CHUNK_BYTES = 64 * 1024
PASSED_ON = ("content-type", "content-length", "etag", "last-modified", "cache-control")
ASKED = ("budget_kb", "fps")
NAME = r"[A-Za-z0-9_.-]+"
SERVED = re.compile(
    rf"subjects/{NAME}/photos/{NAME}/(file|thumbnail)"
    rf"|subjects/{NAME}/trainings/{NAME}/report/pictures/{NAME}"
    rf"|images/{NAME}/(file|thumbnail|recipe|stages/{NAME}|landmarks/file|animation/(gif|mp4|webp|apng))"
    rf"|(presets|products)/{NAME}/thumbnail"
    rf"|poses/{NAME}(/(file|thumbnail))?"
    rf"|jobs/{NAME}/(preview|nearest)"
    rf"|id-photos/{NAME}/(file|check)"
    rf"|face-photos/{NAME}/file"
)
"""The pictures and recipes of the API that a browser may ask for; nothing else is passed through."""


def chunks(answer: requests.Response) -> Iterator[bytes]:
    """Yield the body of an answer piece by piece and give its connection back."""
    with answer:
        yield from answer.iter_content(CHUNK_BYTES)


def passed_on(answer: requests.Response, filename: str = "") -> StreamingResponse:
    """Hand an answer of the API to the browser, as a file to keep when filename is given."""
    headers = {name: answer.headers[name] for name in PASSED_ON if name in answer.headers}
    if answer.headers.get("content-encoding"):
        headers.pop("content-length", None)
    headers["X-Content-Type-Options"] = "nosniff"
    if filename:
        headers["Content-Disposition"] = f'attachment; filename="{re.sub("[^A-Za-z0-9_.-]", "_", filename)}"'
    return StreamingResponse(chunks(answer), headers=headers, status_code=answer.status_code)


def http_error(error: PageError) -> HTTPException:
    """Return what the browser is told when a picture cannot be had."""
    if isinstance(error, ApiProblem):
        return HTTPException(error.status, error.code)
    return HTTPException(503, "api_unreachable")


def media_routes(api: Api) -> APIRouter:
    """Return the routes /media/… (one picture) and /download/archive (several as a zip) and
    /download/sheet (ID photos to print).
    """
    router = APIRouter()

    @router.get("/media/{path:path}")
    def picture(path: str, request: Request, download: str = "") -> StreamingResponse:
        if not SERVED.fullmatch(path):
            raise HTTPException(404, "not_served")
        try:
            headers = {"Accept-Encoding": "identity"}
            if match := request.headers.get("if-none-match"):
                headers["If-None-Match"] = match
            asked = {name: request.query_params[name] for name in ASKED if name in request.query_params}
            answer = api.send(
                "GET", f"/{path}", params=asked, stream=True, headers=headers, seconds=UPLOAD_SECONDS
            )
        except PageError as error:
            raise http_error(error) from error
        return passed_on(answer, download)

    @router.get("/download/archive")
    def archive(ids: str) -> StreamingResponse:
        try:
            answer = api.archive([name for name in ids.split(",") if name])
        except PageError as error:
            raise http_error(error) from error
        return passed_on(answer, "sajin-pictures.zip")

    @router.get("/download/sheet")
    def sheet(request: Request, paper: str = "", format: str = "pdf") -> StreamingResponse:
        try:
            query = dict(request.query_params)
            answer = api.send("GET", "/id-photos/sheet", params=query, stream=True, seconds=UPLOAD_SECONDS)
        except PageError as error:
            raise http_error(error) from error
        return passed_on(answer, f"sajin-sheet-{paper}.{'pdf' if format == 'pdf' else 'jpg'}")

    return router
