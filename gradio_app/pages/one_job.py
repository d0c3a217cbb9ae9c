"""What the pages of one product share: a preset is chosen, one job is under way, its pictures stand below."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import gradio as gr

from gradio_app import frame as frames
from gradio_app import picture as pictures
from gradio_app.api import Json
from gradio_app.errors import PageError
from gradio_app.frame import Frame, Updates
from gradio_app.pages.studio.portraits import job_view
from gradio_app.pages.studio.scene import unfinished
from gradio_app.picture import Picture
from gradio_app.place import Place
from gradio_app.site import Site

LIVE_SECONDS = 1.0


@dataclass(frozen=True, kw_only=True)
class OneJobPage(ABC):
    """The components of such a page. place: what is ordered, the job and the opened picture.

    product: of the presets it offers. order: events with the same word are worked on one after another.
    """

    product: ClassVar[str]
    order: ClassVar[str | None] = None

    site: Site
    frame: Frame
    place: gr.State
    timer: gr.Timer
    notice: gr.HTML
    preset: gr.Radio
    about: gr.HTML
    make: gr.Button
    live_view: gr.HTML
    gallery: gr.HTML
    picture: Picture

    @abstractmethod
    def own(self) -> set[Any]:
        """Return the components beyond those of every such page that an event may change."""

    @abstractmethod
    def go(self, place: Place) -> Updates:
        """Read everything at place and draw it. Raises PageError."""

    def ended(self, place: Place, job: Json | None) -> Place:
        """Return where to be when the job at place has ended, or is gone."""
        del job
        return place

    @property
    def outputs(self) -> set[Any]:
        """Every component that an event may change."""
        frame = {self.frame.now, self.frame.reachable, self.frame.address, self.frame.goto}
        shared = {
            self.place, self.timer, self.notice, self.preset, self.about, self.make, self.live_view, self.gallery,
        }  # fmt: skip
        return frame | shared | self.own() | self.picture.outputs()

    def on(self, event: Callable[..., Any], work: Callable[[Updates, Json], Updates], *inputs: Any) -> Any:
        """Let work change the page at an event; it gets place and inputs, and its errors stand in notice."""
        told = frames.told(self.site, self.notice, work)
        return frames.react(event, told, {self.place, *inputs}, self.outputs, self.order)

    def presets(self) -> list[Json]:
        """Read the presets that the page offers. Raises PageError."""
        return [one for one in self.site.api.items("/presets") if one["product"] == self.product]

    def job_at(self, place: Place) -> Json | None:
        """Read the job at place, whose live previews are then made. Raises PageError."""
        return self.site.api.found(f"/jobs/{place.job}?preview=true") if place.job else None

    def drawn_preset(self, place: Place, presets: list[Json]) -> Updates:
        """The presets, what is said of the chosen one, and whether it can be made."""
        chosen = next((one for one in presets if one["name"] == place.preset), None)
        return {
            self.preset: gr.Radio(
                choices=[(one["title"], one["name"]) for one in presets], value=place.preset
            ),
            self.about: self.site.html("preset_about", preset=chosen) if chosen else "",
            self.make: gr.Button(interactive=bool(chosen and chosen["available"])),
        }

    def drawn_job(self, place: Place, job: Json | None, presets: list[Json]) -> Updates:
        """How far the job is, what it made, and the opened picture."""
        moving = gr.Timer(active=bool(job and unfinished(job)))
        opened = self.picture.draw(self.site, opened_image(place, job))
        return {self.timer: moving} | self.live(place, job, presets) | opened

    def live(self, place: Place, job: Json | None, presets: list[Json]) -> Updates:
        """Only what changes while the job is under way."""
        if not job:
            return {self.live_view: "", self.gallery: ""}
        stages: list[Json] = next((one["stages"] for one in presets if one["name"] == job["preset"]), [])
        tiles = self.site.html("picture_tiles", images=job["images"], chosen=place.image, marked=None)
        return {self.live_view: job_view(self.site, stages, job), self.gallery: tiles}


def opened_image(place: Place, job: Json | None) -> Json | None:
    """Return the picture of the job that is opened at place."""
    images = job["images"] if job else []
    return next((image for image in images if image["id"] == place.image), None)


def chosen_preset(place: Place, job: Json | None, presets: list[Json]) -> str:
    """Return the preset at place, else the job's, else the first that can be made."""
    names = [one["name"] for one in presets]
    able = [one["name"] for one in presets if one["available"]]
    wanted = place.preset if place.preset in names else (job or {}).get("preset", "")
    return wanted if wanted in names else next(iter([*able, *names]), "")


def wire_arrival(page: OneJobPage, blocks: gr.Blocks, read: Callable[[Mapping[str, str]], Place]) -> None:
    """Connect opening the page, at the place that read finds in the address, and the API's coming back."""

    def arrive(place: Place) -> Updates:
        return {page.place: place} | frames.arrive(page.frame, lambda: page.go(place))

    def opened(_: Updates, request: gr.Request) -> Updates:
        return arrive(read(request.query_params))

    def back(data: Updates) -> Updates:
        return arrive(data[page.place])

    frames.react(blocks.load, opened, set(), page.outputs)
    frames.react(page.frame.recovered.change, back, {page.place}, page.outputs)


def wire_job(page: OneJobPage) -> None:
    """Connect what is under way and its pictures."""

    def follow(data: Updates) -> Updates:
        place: Place = data[page.place]
        try:
            job = page.job_at(place)
            if not job or not unfinished(job):
                return page.go(page.ended(place, job))
            return page.live(place, job, [page.site.api.read(f"/presets/{job['preset']}")])
        except PageError:
            return {page.place: place}

    def steer(data: Updates, touched: Json) -> Updates:
        place: Place = data[page.place]
        if touched["act"] == "look":
            return page.go(place.moved(job="", image=""))
        page.site.api.post(f"/jobs/{place.job}/{touched['act']}")
        return page.go(place)

    def show(data: Updates, touched: Json) -> Updates:
        return page.go(data[page.place].moved(image=touched["id"]))

    def after(data: Updates, place: Place | None) -> Updates:
        if place and place.preset not in [one["name"] for one in page.presets()]:
            return {page.frame.goto: page.site.link("", place)}
        return page.go(place or data[page.place])

    frames.react(page.timer.tick, follow, {page.place}, page.outputs)
    page.on(page.live_view.click, steer)
    page.on(page.gallery.click, show).then(None, None, None, js="() => sajin.reveal('#picture')")
    pictures.wire(page.picture, page.site, page.place, page.outputs, after)
