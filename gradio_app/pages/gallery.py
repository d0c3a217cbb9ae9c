"""Gallery: search, favourites, several as a zip, two side by side, and settings out of a dropped picture."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from gradio_app import frame as frames
from gradio_app import picture as pictures
from gradio_app.api import Json
from gradio_app.frame import CLICKS, Frame, Updates, view
from gradio_app.picture import Picture
from gradio_app.place import Place, place_in
from gradio_app.site import Site

PAGE_LENGTH = 24
EVERYTHING = ""


@dataclass(frozen=True)
class Gallery:
    """The components of the page. place: the opened picture; chosen: ids of those marked; shown: at most so many."""

    site: Site
    frame: Frame
    place: gr.State
    chosen: gr.State
    shown: gr.State
    search: gr.Textbox
    person: gr.Dropdown
    look: gr.Dropdown
    favourites: gr.Checkbox
    marking: gr.Checkbox
    dropped: gr.File
    tiles: gr.HTML
    selection: gr.HTML
    more: gr.Button
    notice: gr.HTML
    picture: Picture

    @property
    def outputs(self) -> set[Any]:
        """Every component that an event may change."""
        frame = {self.frame.now, self.frame.reachable, self.frame.address, self.frame.goto}
        mine = {
            self.place, self.chosen, self.shown, self.person, self.look, self.tiles, self.selection, self.more,
            self.notice, self.dropped,
        }  # fmt: skip
        return frame | mine | self.picture.outputs()

    @property
    def inputs(self) -> set[Any]:
        """What decides which pictures are shown, and how."""
        return {
            self.place, self.chosen, self.shown, self.search, self.person, self.look, self.favourites, self.marking,
            self.dropped,
        }  # fmt: skip

    def on(self, event: Callable[..., Any], work: Callable[[Updates, Json], Updates]) -> Any:
        """Let work change the page at an event; its errors stand above the pictures."""
        return frames.react(event, frames.told(self.site, self.notice, work), self.inputs, self.outputs)

    def go(self, data: Updates) -> Updates:
        """Draw the pictures that are searched for, those marked, and the opened one."""
        place: Place = data[self.place]
        found_images = self.listed(data)
        opened = self.site.api.found(f"/images/{place.image}") if place.image else None
        marked = list(data[self.chosen]) if data[self.marking] else None
        return {
            self.place: place,
            self.chosen: data[self.chosen],
            self.shown: data[self.shown],
            self.tiles: self.tiles_of(found_images["items"], place, marked, searched(self, data)),
            self.selection: selection_bar(self.site, marked),
            self.more: gr.Button(visible=bool(found_images["next"])),
            self.frame.address: f"?image={place.image}" if opened else "?",
        } | self.picture.draw(self.site, opened)

    def listed(self, data: Updates) -> Json:
        """Return the page of images that are searched for."""
        return self.site.api.read(
            "/images",
            q=(data[self.search] or "").strip(),
            subject=data[self.person],
            preset=data[self.look],
            favourite="true" if data[self.favourites] else None,
            limit=data[self.shown],
        )

    def tiles_of(self, images: list[Json], place: Place, marked: list[str] | None, sought: bool) -> str:
        """Return the grid, or a kind word where it is empty."""
        if not images:
            return self.site.html("gallery_empty", sought=sought)
        return self.site.html("picture_tiles", images=images, chosen=place.image, marked=marked)

    def filters(self, data: Updates) -> Updates:
        """Return the people and looks one can choose from, with the chosen ones."""
        words = self.site.words
        subjects = self.site.api.items("/subjects")
        presets = self.site.api.items("/presets")
        people = [
            (words("gallery.every_person"), EVERYTHING),
            *((one["name"], one["id"]) for one in subjects),
        ]
        looks = [(words("gallery.every_look"), EVERYTHING), *((one["title"], one["name"]) for one in presets)]
        return {
            self.person: gr.Dropdown(choices=people, value=data[self.person]),
            self.look: gr.Dropdown(choices=looks, value=data[self.look]),
        }


def searched(gallery: Gallery, data: Updates) -> bool:
    """Return whether anything narrows the gallery."""
    return any(data[field] for field in (gallery.search, gallery.person, gallery.look, gallery.favourites))


def selection_bar(site: Site, marked: list[str] | None) -> str:
    """Return the bar of what can be done with the marked pictures; nothing while none are being marked."""
    if marked is None:
        return ""
    return site.html(
        "gallery_selection",
        count=len(marked),
        text=site.words.counted("gallery.chosen", len(marked)),
        zip=f"/download/archive?ids={','.join(marked)}",
    )


def build(site: Site, blocks: gr.Blocks) -> None:
    """Draw the page and connect it."""
    gallery = parts(site)
    wire_search(gallery, blocks)
    wire_tiles(gallery)
    wire_restore(gallery)


def parts(site: Site) -> Gallery:
    """Draw the page."""
    words = site.words
    frame = frames.build(site, "gallery")
    with gr.Row(elem_classes="sj-filters"):
        search = gr.Textbox(
            label=words("gallery.search"), placeholder=words("gallery.search_hint"), elem_id="search"
        )
        person = gr.Dropdown(
            label=words("gallery.person"),
            choices=[(words("gallery.every_person"), EVERYTHING)],
            value=EVERYTHING,
        )
        look = gr.Dropdown(
            label=words("gallery.look"), choices=[(words("gallery.every_look"), EVERYTHING)], value=EVERYTHING
        )
    with gr.Row(elem_classes="sj-switches"):
        favourites = gr.Checkbox(label=words("gallery.favourites"), container=False, elem_id="favourites")
        marking = gr.Checkbox(label=words("gallery.mark"), container=False, elem_id="marking")
    notice = view()
    selection = view(name="selection", listens=CLICKS)
    tiles = view(name="pictures", listens=CLICKS)
    more = gr.Button(words("list.more"), visible=False)
    picture = pictures.build(site)
    with gr.Column(elem_classes="sj-card"):
        view(site.html("gallery_restore"))
        dropped = gr.File(
            label=words("gallery.restore_drop"), file_types=["image"], elem_id="drop-anywhere", height=120
        )
    states = gr.State(Place()), gr.State([]), gr.State(PAGE_LENGTH)
    return Gallery(
        site,
        frame,
        *states,
        search,
        person,
        look,
        favourites,
        marking,
        dropped,
        tiles,
        selection,
        more,
        notice,
        picture,
    )


def wire_search(gallery: Gallery, blocks: gr.Blocks) -> None:
    """Connect opening the page, the search fields and the button for more."""

    def arrive(data: Updates) -> Updates:
        return frames.arrive(gallery.frame, lambda: gallery.filters(data) | gallery.go(data))

    def opened(data: Updates, request: gr.Request) -> Updates:
        place = place_in(dict(request.query_params))
        return arrive(data | {gallery.place: place, gallery.person: place.subject})

    def search(data: Updates, _: Json) -> Updates:
        return gallery.go(data | {gallery.shown: PAGE_LENGTH})

    def more(data: Updates, _: Json) -> Updates:
        return gallery.go(data | {gallery.shown: data[gallery.shown] + PAGE_LENGTH})

    frames.react(blocks.load, opened, gallery.inputs, gallery.outputs)
    frames.react(gallery.frame.recovered.change, arrive, gallery.inputs, gallery.outputs)
    fields = (gallery.search, gallery.person, gallery.look, gallery.favourites, gallery.marking)
    for field in fields:
        gallery.on(field.input, search)
    gallery.on(gallery.more.click, more)


def wire_tiles(gallery: Gallery) -> None:
    """Connect the tiles, the bar of the marked ones and the opened picture."""

    def touch(data: Updates, touched: Json) -> Updates:
        if data[gallery.marking]:
            marked = [*data[gallery.chosen]]
            marked.remove(touched["id"]) if touched["id"] in marked else marked.append(touched["id"])
            return gallery.go(data | {gallery.chosen: marked})
        return gallery.go(data | {gallery.place: Place(image=touched["id"])})

    def marked(data: Updates, touched: Json) -> Updates:
        if touched["act"] == "compare":
            return {gallery.selection: compared(gallery, data[gallery.chosen])}
        return gallery.go(data | {gallery.chosen: []})

    def follow(data: Updates, place: Place | None) -> Updates:
        if place and place.step:
            return {gallery.frame.goto: gallery.site.link("", place)}
        return gallery.go(data | ({gallery.place: place} if place else {}))

    gallery.on(gallery.tiles.click, touch).then(None, None, None, js="() => sajin.reveal('#picture')")
    gallery.on(gallery.selection.click, marked)
    pictures.wire(gallery.picture, gallery.site, gallery.place, gallery.outputs, follow, gallery.inputs)


def compared(gallery: Gallery, marked: list[str]) -> str:
    """Return the bar with the two marked pictures side by side below it."""
    pair = [gallery.site.api.read(f"/images/{image_id}") for image_id in marked[:2]]
    return selection_bar(gallery.site, marked) + gallery.site.html("gallery_compare", images=pair)


def wire_restore(gallery: Gallery) -> None:
    """Connect a dropped picture: its settings open in the studio."""

    def restore(data: Updates, _: Json) -> Updates:
        restored = gallery.site.api.restore(Path(data[gallery.dropped]))
        return {gallery.dropped: None, gallery.frame.goto: gallery.site.link("", place_of(restored))}

    gallery.on(gallery.dropped.upload, restore)


def place_of(restored: Json) -> Place:
    """Return the place in the studio where the settings of a restored picture are filled in."""
    options = {name: value for name, value in restored["options"].items() if value not in (None, "", {})}
    return Place(
        subject=restored["subject"] or "", step="look", preset=restored["preset"] or "", options=options
    )
