"""Animated portrait: a person or a finished portrait, a motion, words over time; then a player and files to keep."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import gradio as gr

from gradio_app import frame as frames
from gradio_app import picture as pictures
from gradio_app.api import Json
from gradio_app.frame import CLICKS, Updates, view
from gradio_app.pages.one_job import LIVE_SECONDS, OneJobPage, chosen_preset, wire_arrival, wire_job
from gradio_app.place import Place, place_in
from gradio_app.site import Site

NEWEST = 8
TRAVEL, IMAGE, START = "travel", "image", "start"


@dataclass(frozen=True, kw_only=True)
class Animated(OneJobPage):
    """The components of the page. place: person, preset, the picture to begin with (an option), job, opened one."""

    product = "animated"
    order = "animated"  # a motion chosen just before "make" was touched must be known by then

    who: gr.HTML
    words: gr.Textbox
    travel: gr.Textbox

    def own(self) -> set[Any]:
        """Return the components beyond those of every such page that an event may change."""
        return {self.who, self.words, self.travel}

    def go(self, place: Place) -> Updates:
        """Read everything at place and draw it. Raises PageError."""
        presets, job = self.presets(), self.job_at(place)
        subjects = self.site.api.items("/subjects")
        place = settled(self.site, place, job, presets, subjects)
        return {
            self.place: place,
            self.frame.address: place.query(),
            **self.drawn_who(place, subjects),
            **self.drawn_words(place, presets),
            **self.drawn_preset(place, presets),
            **self.drawn_job(place, job, presets),
        }

    def ended(self, place: Place, job: Json | None) -> Place:
        """Return place with what was made opened, since an animation is seen only then."""
        return place.moved(image=next((image["id"] for image in job["images"]), "") if job else "")

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

    def drawn_words(self, place: Place, presets: list[Json]) -> Updates:
        """The words of the picture, and those over time, which are the motion's own unless others were written."""
        stage, usual = travel_of(next((one for one in presets if one["name"] == place.preset), None))
        return {
            self.words: gr.Textbox(value=str(place.option("", "prompt") or "")),
            self.travel: gr.Textbox(value=str(place.option(stage, TRAVEL) or usual)),
        }


def settled(site: Site, place: Place, job: Json | None, presets: list[Json], subjects: list[Json]) -> Place:
    """Return place without what no longer exists, with a motion chosen."""
    preset = chosen_preset(place, job, presets)
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
    wire_arrival(page, blocks, arrived_at)
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
        site=site, frame=frame, place=place, timer=timer, who=who, preset=preset, about=about, words=said,
        travel=travel, make=make, notice=notice, live_view=live_view, gallery=gallery, picture=picture,
    )  # fmt: skip


def arrived_at(query: Mapping[str, str]) -> Place:
    """Return the place in an address; "start" names the picture to begin with."""
    place = place_in({"count": "1", **query})
    start = query.get(START)
    return place.with_option("", IMAGE, start) if start else place


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
    presets = page.presets()
    stage, _ = travel_of(next((one for one in presets if one["name"] == place.preset), None))
    travel = data[page.travel].strip()
    own = travel not in ("", *(travel_of(one)[1] for one in presets))
    place = place.with_option("", "prompt", data[page.words].strip() or None)
    return place.with_option(stage, TRAVEL, travel if own else None) if stage else place
