"""The frame round every page: navigation, language and light, what runs now, offline and demonstration lines."""

from collections.abc import Callable, Set
from dataclasses import dataclass
from typing import Any, TypeAlias

import gradio as gr

from gradio_app.api import Json
from gradio_app.errors import ApiUnreachable, PageError
from gradio_app.place import Place
from gradio_app.site import Site, percent_of
from gradio_app.words import LANGUAGES

Updates: TypeAlias = dict[Any, Any]
"""What a callback changes: new values or gr.update(...) by component."""

START = "start"
PAGES = (
    (START, "start"),
    ("studio", ""),
    ("id_photo", "id-photo"),
    ("animated", "animated"),
    ("animal", "animal"),
    ("people", "people"),
    ("gallery", "gallery"),
    ("jobs", "jobs"),
    ("servers", "servers"),
)
NOW_SECONDS = 3.0
CLICKS = "sajin.clicks(element, trigger)"
"""js_on_load of the templates: a touch on anything with data-act becomes a click event that carries its data."""
FIELDS = "sajin.fields(element, trigger)"
"""js_on_load of templates with fields: the same, and a change of a field with data-key becomes an input event."""


def view(value: str = "", *, name: str | None = None, listens: str | None = None) -> gr.HTML:
    """Return a place for a filled template. name: its id; listens: CLICKS or FIELDS if it can be touched."""
    return gr.HTML(value, elem_id=name, js_on_load=listens, apply_default_css=False)


@dataclass(frozen=True)
class Frame:
    """The components of the frame that pages use.

    address: set it to a query to write that into the address bar; goto: set it to an address to go there;
    recovered: counts up when the API answers again after it was gone.
    """

    site: Site
    now: gr.HTML
    address: gr.Textbox
    goto: gr.Textbox
    reachable: gr.State
    recovered: gr.State


def build(site: Site, page: str) -> Frame:
    """Draw the frame of a page, to be called first in it."""
    gr.Navbar(visible=False)
    path = dict(PAGES)[page]
    listed = [named for named in PAGES if named[0] != START]
    start = dict(PAGES)[START]
    languages = {"languages": LANGUAGES, "here": site.words.language}
    view(site.html("head", pages=listed, page=page, path=path, start=start, **languages))
    frame = Frame(
        site,
        now=view(name="now"),
        address=gr.Textbox(visible="hidden", elem_classes="sj-hidden"),
        goto=gr.Textbox(visible="hidden", elem_classes="sj-hidden"),
        reachable=gr.State(True),
        recovered=gr.State(0),
    )
    frame.address.change(None, frame.address, None, js="(query) => sajin.address(query)")
    frame.goto.change(None, frame.goto, None, js="(url) => sajin.goto(url)")
    follow_api(frame)
    return frame


def follow_api(frame: Frame) -> None:
    """Keep the bar of what runs now fresh, and notice when the API goes and comes back."""

    def look(data: Updates) -> Updates:
        try:
            status = frame.site.api.read("/status")
        except PageError as error:
            return {frame.now: offline_line(frame.site, error), frame.reachable: False}
        came_back = {frame.recovered: data[frame.recovered] + 1} if not data[frame.reachable] else {}
        return {frame.now: now_line(frame.site, status), frame.reachable: True, **came_back}

    known = {frame.reachable, frame.recovered}
    react(gr.Timer(NOW_SECONDS).tick, look, known, {frame.now, *known})


def offline_line(site: Site, error: PageError) -> str:
    """Return the line that says the API cannot be reached, or answers with an error."""
    where = error.url if isinstance(error, ApiUnreachable) else str(error)
    return site.html("now", offline=where)


def now_line(site: Site, status: Json) -> str:
    """Return the bar of everything that runs, and the line about the demonstration model."""
    running = [running_item(site, item) for item in status.get("running", [])]
    return site.html("now", offline="", running=running, demonstration=status.get("demonstration", False))


def running_item(site: Site, item: Json) -> Json:
    """Return one running job or training as the bar shows it."""
    if item["kind"] == "job":
        place = Place(job=item["id"], step="portraits")
    else:
        place = Place(subject=item["subject"] or "", step="learn")
    return {"href": site.link("", place), "text": item["text"], "done": percent_of(item)}


def draw(frame: Frame) -> Updates:
    """Return the first look of the frame; when the API is gone, its line says so."""
    try:
        return {frame.now: now_line(frame.site, frame.site.api.read("/status")), frame.reachable: True}
    except PageError as error:
        return {frame.now: offline_line(frame.site, error), frame.reachable: False}


def arrive(frame: Frame, read: Callable[[], Updates]) -> Updates:
    """Return the first look of the frame with the page that read draws from the API.

    Where that fails the frame's line says so; an API that was gone counts as back when it answers, which draws again.
    """
    updates = draw(frame)
    try:
        return updates | read()
    except ApiUnreachable as error:
        return updates | {frame.now: offline_line(frame.site, error), frame.reachable: False}
    except PageError as error:
        return updates | {frame.now: offline_line(frame.site, error)}


def react(
    event: Callable[..., Any],
    callback: Callable[..., Any],
    inputs: Set[Any],
    outputs: Set[Any],
    order: str | None = None,
) -> Any:
    """Call callback with inputs by component at an event, quietly: nothing on the page is greyed out meanwhile.

    order: events with the same word are worked on one after another, as they came; others side by side.
    """
    queue = {"concurrency_id": order, "concurrency_limit": 1} if order else {}
    return event(callback, inputs, outputs, show_progress="hidden", **queue)


def told(site: Site, notice: gr.HTML, work: Callable[[Updates, Json], Updates]) -> Callable[..., Updates]:
    """Return work as a callback with its errors shown in notice, which is cleared when it goes well.

    work gets the inputs by component, and what the touched element carries in its data attributes.
    """

    def careful(data: Updates, event: gr.EventData) -> Updates:
        try:
            return {notice: "", **work(data, event._data or {})}
        except PageError as error:
            return {notice: site.notice(error)}

    return careful
