"""The process of the pages: one FastAPI application with the pages of each language and their pictures."""

import warnings

import gradio as gr
from fastapi import FastAPI, Request
from fastapi.responses import RedirectResponse
from fastapi.staticfiles import StaticFiles

from gradio_app import media, pages
from gradio_app.api import Api
from gradio_app.frame import PAGES, START
from gradio_app.head import STYLE, Heads
from gradio_app.site import Site
from gradio_app.theme import studio_theme
from gradio_app.words import LANGUAGES, language_for, words_in

LANGUAGE_COOKIE = "sajin_language"
LARGEST_UPLOAD = "60mb"
PARALLEL_EVENTS = 16
QUEUE_LOOK_SECONDS = 0.02
"""Gradio looks a thousand times a second for new events, which takes a tenth of a core while nobody is there."""


def create_app(api_url: str) -> FastAPI:
    """Return the pages, speaking to the API at api_url (without a slash at the end)."""
    api = Api(api_url.rstrip("/"))
    app = FastAPI(openapi_url=None)
    app.include_router(media.media_routes(api))
    app.mount("/style", StaticFiles(directory=STYLE))
    app.get("/")(to_own_language)
    app.get("/healthz")(alive)
    for language in LANGUAGES:
        mount(app, Site(api.speaking(language), words_in(language)))
    app.add_middleware(Heads, words={language: words_in(language) for language in LANGUAGES})
    return app


def to_own_language(request: Request) -> RedirectResponse:
    """Send a visitor to the pages in the language chosen before, else in the browser's own.

    A sent address with a query is one of the studio; without, it is the start page.
    """
    chosen = request.cookies.get(LANGUAGE_COOKIE)
    language = chosen if chosen in LANGUAGES else language_for(request.headers.get("accept-language"))
    return RedirectResponse(
        f"/{language}/{f'?{request.url.query}' if request.url.query else dict(PAGES)[START]}"
    )


def alive() -> dict[str, str]:
    """Tell the supervisor that the pages answer."""
    return {"status": "ok"}


def mount(app: FastAPI, site: Site) -> None:
    """Add the pages of one language under /<language>/, without Gradio's own footer, history and monitoring."""
    blocks = pages.build(site)
    blocks.queue(default_concurrency_limit=PARALLEL_EVENTS)
    blocks._queue.sleep_when_free = QUEUE_LOOK_SECONDS
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="SSR mode is not supported")
        gr.mount_gradio_app(
            app,
            blocks,
            path=f"/{site.words.language}",
            theme=studio_theme(),
            footer_links=[],
            run_history=False,
            ssr_mode=False,
            enable_monitoring=False,
            show_error=False,
            max_file_size=LARGEST_UPLOAD,
        )
