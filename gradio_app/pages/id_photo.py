"""ID photo: a document, a photo, the finished picture with every measured value, and a sheet to print."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from gradio_app import frame as frames
from gradio_app.api import Json
from gradio_app.frame import CLICKS, Frame, Updates, view
from gradio_app.pages.studio.photos import FILE_TYPES
from gradio_app.site import Site

FIRST_DOCUMENT = "kr-passport"
PAPERS = ("10x15", "13x18", "a4", "4x6in", "5x7in")
WIDEST_GAP = 10.0
USUAL_GAP = 2.0
MOST_EARLIER = 24
MOST_ON_SHEET = 20


@dataclass(frozen=True)
class IdPhotos:
    """The components of the page. image: id of the finished picture to start from; opened: id of the shown ID photo."""

    site: Site
    frame: Frame
    image: gr.State
    opened: gr.State
    document: gr.Dropdown
    rule: gr.HTML
    start: gr.HTML
    photo: gr.File
    make: gr.Button
    check: gr.Button
    notice: gr.HTML
    result: gr.HTML
    printing: gr.Accordion
    paper: gr.Dropdown
    gap: gr.Number
    marks: gr.Checkbox
    together: gr.CheckboxGroup
    sheet: gr.HTML
    earlier: gr.HTML

    @property
    def inputs(self) -> set[Any]:
        """What decides what is made and shown."""
        return {
            self.image,
            self.opened,
            self.document,
            self.photo,
            self.paper,
            self.gap,
            self.marks,
            self.together,
        }

    @property
    def outputs(self) -> set[Any]:
        """Every component that an event may change."""
        frame = {self.frame.now, self.frame.reachable, self.frame.address}
        mine = {
            self.image, self.opened, self.document, self.rule, self.start, self.photo, self.make, self.check,
            self.notice, self.result, self.printing, self.together, self.sheet, self.earlier,
        }  # fmt: skip
        return frame | mine

    def on(self, event: Callable[..., Any], work: Callable[[Updates, Json], Updates]) -> Any:
        """Let work change the page at an event; its errors stand below the buttons."""
        return frames.react(event, frames.told(self.site, self.notice, work), self.inputs, self.outputs)

    def go(self, data: Updates) -> Updates:
        """Draw the document's rule, the opened ID photo and those made before."""
        earlier = self.site.api.items("/id-photos", limit=MOST_EARLIER)
        shown = self.site.api.found(f"/id-photos/{data[self.opened]}") if data[self.opened] else None
        made = [photo for photo in earlier if photo["made"]]
        return (
            self.drawn_rule(data)
            | self.drawn_start(data)
            | {
                self.opened: shown["id"] if shown else "",
                self.result: self.site.html("id_result", photo=shown) if shown else "",
                self.earlier: self.site.html("id_earlier", photos=made, opened=data[self.opened])
                if made
                else "",
                self.frame.address: self.address(data[self.document], data[self.image], shown),
            }
            | self.drawn_printing(data, shown, made)
        )

    def drawn_rule(self, data: Updates) -> Updates:
        """The rule of the chosen document."""
        rule = self.site.api.read(f"/id-documents/{data[self.document]}")
        return {self.rule: self.site.html("id_rule", rule=rule)}

    def drawn_start(self, data: Updates) -> Updates:
        """What the ID photo is made from, and whether anything is there to make one from."""
        image = self.site.api.found(f"/images/{data[self.image]}") if data[self.image] else None
        ready = bool(image or data[self.photo])
        return {
            self.image: image["id"] if image else "",
            self.start: self.site.html("id_start", image=image) if image else "",
            self.photo: gr.File(visible=image is None),
            self.make: gr.Button(interactive=ready),
            self.check: gr.Button(interactive=ready, visible=image is None),
        }

    def drawn_printing(self, data: Updates, shown: Json | None, made: list[Json]) -> Updates:
        """The fold for printing: only for a finished ID photo."""
        if not shown or not shown["made"]:
            return {self.printing: gr.update(visible=False)}
        others = [photo for photo in made if photo["id"] != shown["id"]][: MOST_ON_SHEET - 1]
        known = {photo["id"] for photo in others}
        chosen = [name for name in data[self.together] or [] if name in known]
        moment = self.site.words.moment
        choices = [(f"{photo['title']} · {moment(photo['created_at'])}", photo["id"]) for photo in others]
        return {
            self.printing: gr.update(visible=True),
            self.together: gr.CheckboxGroup(choices=choices, value=chosen, visible=bool(others)),
            self.sheet: self.links(data | {self.together: chosen}, shown["id"]),
        }

    def links(self, data: Updates, opened: str) -> str:
        """The two files of the sheet, as links."""
        wanted = {
            "photos": ",".join([opened, *(data[self.together] or [])]),
            "paper": data[self.paper],
            "gap": f"{data[self.gap] or 0:g}",
            "cut_marks": "true" if data[self.marks] else "false",
        }
        return self.site.html("id_sheet", wanted=wanted)

    def address(self, document: str, image: str, shown: Json | None) -> str:
        """The address of what is shown."""
        fields = {"document": document, "image": image, "photo": shown["id"] if shown else ""}
        return "?" + "&".join(f"{name}={value}" for name, value in fields.items() if value)


def build(site: Site, blocks: gr.Blocks) -> None:
    """Draw the page and connect it."""
    page = parts(site)
    wire_arrival(page, blocks)
    wire_making(page)
    wire_printing(page)


def parts(site: Site) -> IdPhotos:
    """Draw the page."""
    words = site.words
    frame = frames.build(site, "id_photo")
    image, opened = gr.State(""), gr.State("")
    with gr.Column(elem_classes="sj-card"):
        document = gr.Dropdown(
            label=words("id_photo.document"), choices=[(FIRST_DOCUMENT, FIRST_DOCUMENT)], value=FIRST_DOCUMENT,
            elem_id="id-document",
        )  # fmt: skip
        rule = view(name="id-rule")
    start = view(name="id-start", listens=CLICKS)
    photo = gr.File(label=words("id_photo.photo"), file_types=FILE_TYPES, elem_id="id-drop", height=132)
    with gr.Row(elem_classes="sj-id-buttons"):
        make = gr.Button(words("id_photo.make"), variant="primary", interactive=False, elem_id="id-make")
        check = gr.Button(words("id_photo.check"), interactive=False, elem_id="id-check")
    view(site.html("id_kept"))
    notice = view()
    result = view(name="id-result", listens=CLICKS)
    with gr.Accordion(
        words("id_photo.print"), open=True, visible=False, elem_id="id-print", elem_classes="sj-fold"
    ) as printing:
        with gr.Row(elem_classes="sj-filters"):
            paper = gr.Dropdown(
                label=words("id_photo.paper"), value=PAPERS[0],
                choices=[(words(f"id_photo.papers.{name}"), name) for name in PAPERS],
            )  # fmt: skip
            gap = gr.Number(USUAL_GAP, minimum=0, maximum=WIDEST_GAP, step=0.5, label=words("id_photo.gap"))
        marks = gr.Checkbox(True, label=words("id_photo.marks"), container=False)
        together = gr.CheckboxGroup(label=words("id_photo.together"), choices=[], visible=False)
        sheet = view(name="id-sheet")
    earlier = view(name="id-earlier", listens=CLICKS)
    return IdPhotos(
        site, frame, image, opened, document, rule, start, photo, make, check, notice, result, printing, paper, gap,
        marks, together, sheet, earlier,
    )  # fmt: skip


def wire_arrival(page: IdPhotos, blocks: gr.Blocks) -> None:
    """Connect opening the page and the API's coming back."""

    def arrive(data: Updates) -> Updates:
        return frames.arrive(page.frame, lambda: drawn(data))

    def drawn(data: Updates) -> Updates:
        documents = page.site.api.items("/id-documents")
        chosen = chosen_document(documents, data[page.document])
        choices = [(one["title"], one["name"]) for one in documents]
        dropdown = {page.document: gr.Dropdown(choices=choices, value=chosen)}
        return dropdown | page.go(data | {page.document: chosen})

    def opened(data: Updates, request: gr.Request) -> Updates:
        query = request.query_params
        return arrive(
            data
            | {
                page.document: query.get("document", ""),
                page.image: query.get("image", ""),
                page.opened: query.get("photo", ""),
            }
        )

    frames.react(blocks.load, opened, page.inputs, page.outputs)
    frames.react(page.frame.recovered.change, arrive, page.inputs, page.outputs)


def chosen_document(documents: list[Json], wanted: str) -> str:
    """The wanted document's name, or that of the first one offered."""
    names = [one["name"] for one in documents]
    return next((name for name in (wanted, FIRST_DOCUMENT, *names) if name in names), "")


def wire_making(page: IdPhotos) -> None:
    """Connect document, photo, the two buttons, and what stands below them."""
    api = page.site.api

    def choose(data: Updates, _: Json) -> Updates:
        return page.drawn_rule(data) | {
            page.frame.address: page.address(data[page.document], data[page.image], None)
        }

    def added(data: Updates, _: Json) -> Updates:
        return page.drawn_start(data)

    def make(data: Updates, _: Json) -> Updates:
        if data[page.image]:
            made = api.make_id_photo_of_image(data[page.image], data[page.document])
            return page.go(data | {page.opened: made["id"]})
        return sent(page, data, api.make_id_photo)

    def check(data: Updates, _: Json) -> Updates:
        return sent(page, data, api.check_id_photo)

    def touch(data: Updates, touched: Json) -> Updates:
        if touched["act"] == "erase":
            api.delete(f"/id-photos/{data[page.opened]}")
            return page.go(data | {page.opened: ""})
        return page.go(data | {page.opened: touched["id"]})

    def other(data: Updates, _: Json) -> Updates:
        return page.go(data | {page.image: ""})

    reveal = "() => sajin.reveal('#id-result')"
    page.on(page.document.input, choose)
    page.on(page.photo.change, added)
    page.on(page.make.click, make).then(None, None, None, js=reveal)
    page.on(page.check.click, check).then(None, None, None, js=reveal)
    page.on(page.result.click, touch)
    page.on(page.earlier.click, touch).then(None, None, None, js=reveal)
    page.on(page.start.click, other)


def sent(page: IdPhotos, data: Updates, send: Callable[[Path, str], Json]) -> Updates:
    """Send the photo for the chosen document and show what came of it."""
    photo = Path(data[page.photo])
    if not photo.exists():
        return forgotten(page, data)
    return page.go(data | {page.opened: send(photo, data[page.document])["id"]})


def forgotten(page: IdPhotos, data: Updates) -> Updates:
    """Say that the photo must be chosen again: the pages let go of it after a while."""
    told = {page.notice: page.site.remark(page.site.words("id_photo.forgotten"), "warn")}
    return page.drawn_start(data | {page.photo: None}) | {page.photo: None} | told


def wire_printing(page: IdPhotos) -> None:
    """Connect paper, gap, marks and the other photos on the sheet."""

    def change(data: Updates, _: Json) -> Updates:
        return {page.sheet: page.links(data, data[page.opened])}

    for field in (page.paper, page.gap, page.marks, page.together):
        page.on(field.input, change)
