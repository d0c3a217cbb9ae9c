"""Animated portrait: a person or a finished portrait, a motion, words over time; then a player and files to keep."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gradio as gr

from gradio_app import frame as frames
from gradio_app import picture as pictures
from gradio_app.api import Json
from gradio_app.errors import PageError
from gradio_app.frame import CLICKS, Frame, Updates, view
from gradio_app.pages.studio.portraits import job_view
from gradio_app.pages.studio.scene import unfinished
from gradio_app.picture import Picture
from gradio_app.place import Place, place_in
from gradio_app.site import Site

PRODUCT = "animated"
LIVE_SECONDS = 1.0
NEWEST = 8
ORDER = "animated"
"""A motion that was chosen just before "make" was touched must be known by then."""
TRAVEL, IMAGE, START = "travel", "image", "start"


@dataclass(frozen=True)
class Animated:
    """The components of the page. place: person, preset, the picture to begin with (an option), job, opened one."""

    site: Site
    frame: Frame
    place: gr.State
    timer: gr.Timer
    who: gr.HTML
    preset: gr.Radio
    about: gr.HTML
    words: gr.Textbox
    travel: gr.Textbox
    make: gr.Button
    notice: gr.HTML
    live_view: gr.HTML
    gallery: gr.HTML
    picture: Picture

    @property
    def outputs(self) -> set[Any]:
        """Every component that an event may change."""
        frame = {self.frame.now, self.frame.reachable, self.frame.address, self.frame.goto}
        mine = {
            self.place, self.timer, self.who, self.preset, self.about, self.words, self.travel, self.make, self.notice,
            self.live_view, self.gallery,
        }  # fmt: skip
        return frame | mine | self.picture.outputs()

    def on(self, event: Callable[..., Any], work: Callable[[Updates, Json], Updates], *inputs: Any) -> Any:
        """Let work change the page at an event; it gets place and inputs, and its errors stand below the button."""
        told = frames.told(self.site, self.notice, work)
        return frames.react(event, told, {self.place, *inputs}, self.outputs, ORDER)

    def go(self, place: Place) -> Updates:
        """Read everything at place and draw it. Raises PageError."""
        api = self.site.api
        presets = [one for one in api.items("/presets") if one["product"] == PRODUCT]
        job = api.found(f"/jobs/{place.job}?preview=true") if place.job else None
        subjects = api.items("/subjects")
        place = settled(self.site, place, job, presets, subjects)
        return {
            self.place: place,
            self.timer: gr.Timer(active=bool(job and unfinished(job))),
            self.frame.address: place.query(),
            **self.drawn_who(place, subjects),
            **self.drawn_order(place, presets),
            **self.drawn_job(place, job, presets),
        }

    def drawn_who(self, place: Place, subjects: list[Json]) -> Updates:
        """The people who are learned and the newest portraits, or the portrait that was chosen."""
        name = str(place.option("", IMAGE) or "")
        image = self.site.api.found(f"/images/{name}") if name else None
        newest = self.site.api.items("/images", limit=str(3 * NEWEST))
        return {
            self.who: self.site.html(
                "animated_who",
                image=image,
                subjects=[subject for subject in subjects if subject["adapter"]],
                images=[one for one in newest if one["animation"] is None][:NEWEST],
                chosen=place.subject,
            )
        }

    def drawn_order(self, place: Place, presets: list[Json]) -> Updates:
        """The motions, what is said of the chosen one, its words over time, and whether it can be made."""
        chosen = next((one for one in presets if one["name"] == place.preset), None)
        stage, usual = travel_of(chosen)
        return {
            self.preset: gr.Radio(
                choices=[(one["title"], one["name"]) for one in presets], value=place.preset
            ),
            self.about: self.site.html("animal_way", preset=chosen) if chosen else "",
            self.words: gr.Textbox(value=str(place.option("", "prompt") or "")),
            self.travel: gr.Textbox(value=str(place.option(stage, TRAVEL) or usual)),
            self.make: gr.Button(interactive=bool(chosen and chosen["available"])),
        }

    def drawn_job(self, place: Place, job: Json | None, presets: list[Json]) -> Updates:
        """How far the job is, what it made, and the opened animation."""
        images = job["images"] if job else []
        opened = next((image for image in images if image["id"] == place.image), None)
        return self.live(job, presets, place) | self.picture.draw(self.site, opened)

    def live(self, job: Json | None, presets: list[Json], place: Place) -> Updates:
        """Only what changes while the job is under way."""
        if not job:
            return {self.live_view: "", self.gallery: ""}
        stages: list[Json] = next((one["stages"] for one in presets if one["name"] == job["preset"]), [])
        tiles = self.site.html("picture_tiles", images=job["images"], chosen=place.image, marked=None)
        return {self.live_view: job_view(self.site, stages, job), self.gallery: tiles}


def settled(site: Site, place: Place, job: Json | None, presets: list[Json], subjects: list[Json]) -> Place:
    """Return place without what no longer exists, with a motion chosen."""
    names = [one["name"] for one in presets]
    able = [one["name"] for one in presets if one["available"]]
    preset = place.preset if place.preset in names else (job or {}).get("preset", "")
    if preset not in names:
        preset = next(iter([*able, *names]), "")
    if place.option("", IMAGE) and site.api.found(f"/images/{place.option('', IMAGE)}") is None:
        place = place.with_option("", IMAGE, None)
    known = place.subject in [subject["id"] for subject in subjects]
    return place.moved(preset=preset, subject=place.subject if known else "", job=place.job if job else "")


def travel_of(preset: Json | None) -> tuple[str, str]:
    """Return the stage that takes words over time, and those the preset has; empty where none does."""
    options = preset["options"] if preset else []
    found = next((option for option in options if option["key"] == TRAVEL), None)
    return (str(found["stage"]), str(found["default"]).strip()) if found else ("", "")


def build(site: Site, blocks: gr.Blocks) -> None:
    """Draw the page and connect it."""
    page = parts(site)
    wire_arrival(page, blocks)
    wire_order(page)
    wire_job(page)


def parts(site: Site) -> Animated:
    """Draw the page."""
    words = site.words
    frame = frames.build(site, "animated")
    place, timer = gr.State(Place(count=1)), gr.Timer(LIVE_SECONDS, active=False)
    who = view(name="animated-who", listens=CLICKS)
    with gr.Column(elem_classes="sj-card", elem_id="animated-order"):
        preset = gr.Radio(
            label=words("animated.motion"), choices=[], elem_id="animated-motion", elem_classes="sj-chips"
        )
        about = view(name="animated-about")
        said = gr.Textbox(
            label=words("animated.words"), placeholder=words("animated.words_hint"), elem_id="animated-words"
        )
        with gr.Accordion(words("animated.travel"), open=False, elem_classes="sj-fold"):
            view(site.html("animated_travel"))
            travel = gr.Textbox(label=words("option.travel"), lines=4, elem_id="animated-travel")
        make = gr.Button(
            words("animated.make"), variant="primary", interactive=False, elem_id="animated-make"
        )
    notice = view()
    live_view = view(name="animated-job", listens=CLICKS)
    gallery = view(name="animated-pictures", listens=CLICKS)
    picture = pictures.build(site)
    return Animated(
        site, frame, place, timer, who, preset, about, said, travel, make, notice, live_view, gallery, picture,
    )  # fmt: skip


def wire_arrival(page: Animated, blocks: gr.Blocks) -> None:
    """Connect opening the page and the API's coming back."""

    def arrive(place: Place) -> Updates:
        updates: Updates = {page.place: place} | frames.draw(page.frame)
        try:
            return updates | page.go(place)
        except PageError as error:
            return updates | {page.frame.now: frames.offline_line(page.site, error)}

    def opened(_: Updates, request: gr.Request) -> Updates:
        place = place_in({"count": "1", **request.query_params})
        start = request.query_params.get(START)
        return arrive(place.with_option("", IMAGE, start) if start else place)

    def back(data: Updates) -> Updates:
        return arrive(data[page.place])

    frames.react(blocks.load, opened, set(), page.outputs)
    frames.react(page.frame.recovered.change, back, {page.place}, page.outputs)


def wire_order(page: Animated) -> None:
    """Connect whom it shows, the motion, the words and the order."""

    def begin(data: Updates, touched: Json) -> Updates:
        place: Place = data[page.place]
        match touched["act"]:
            case "person":
                place = place.with_option("", IMAGE, None).moved(subject=touched["id"])
            case "nobody":
                place = place.with_option("", IMAGE, None).moved(subject="")
            case "start":
                place = place.with_option("", IMAGE, touched["id"]).moved(subject="")
        return page.go(place.moved(job="", image=""))

    def choose(data: Updates, _: Json) -> Updates:
        place: Place = data[page.place]
        options = {name: value for name, value in place.options.items() if name != "stages"}
        return page.go(place.moved(preset=data[page.preset], options=options, job="", image=""))

    def make(data: Updates, _: Json) -> Updates:
        place = worded(page, data)
        request = {"preset": place.preset, "subject": place.subject or None, "options": dict(place.options)}
        job = page.site.api.create_job(request)
        return page.go(place.moved(job=job["id"], image=""))

    page.on(page.who.click, begin)
    page.on(page.preset.input, choose, page.preset)
    fields = (page.words, page.travel)
    page.on(page.make.click, make, *fields).then(None, None, None, js="() => sajin.reveal('#animated-job')")


def worded(page: Animated, data: Updates) -> Place:
    """Return the place with the words that stand in the fields, where they are not those of a preset.

    The words over time may still be those of the motion that was chosen before.
    """
    place: Place = data[page.place]
    presets = [one for one in page.site.api.items("/presets") if one["product"] == PRODUCT]
    stage, _ = travel_of(next((one for one in presets if one["name"] == place.preset), None))
    travel = data[page.travel].strip()
    own = travel not in ("", *(travel_of(one)[1] for one in presets))
    place = place.with_option("", "prompt", data[page.words].strip() or None)
    return place.with_option(stage, TRAVEL, travel if own else None) if stage else place


def wire_job(page: Animated) -> None:
    """Connect what is under way and what it made."""

    def follow(data: Updates) -> Updates:
        place: Place = data[page.place]
        try:
            job = page.site.api.found(f"/jobs/{place.job}?preview=true")
            if not job or not unfinished(job):
                made = next((image["id"] for image in job["images"]), "") if job else ""
                return page.go(place.moved(image=made))
            return page.live(job, [page.site.api.read(f"/presets/{job['preset']}")], place)
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
        if place and place.step:
            return {page.frame.goto: page.site.link("", place)}
        return page.go(place or data[page.place])

    frames.react(page.timer.tick, follow, {page.place}, page.outputs)
    page.on(page.live_view.click, steer)
    page.on(page.gallery.click, show).then(None, None, None, js="() => sajin.reveal('#picture')")
    pictures.wire(page.picture, page.site, page.place, page.outputs, after)
