"""Animal: a photo, the animals its face is like with reasons, a choice, and pictures that keep pose and features."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from gradio_app import frame as frames
from gradio_app import picture as pictures
from gradio_app.api import Json
from gradio_app.errors import PageError
from gradio_app.frame import CLICKS, Updates, view
from gradio_app.pages.one_job import (
    LIVE_SECONDS,
    OneJobPage,
    chosen_preset,
    opened_image,
    wire_arrival,
    wire_job,
)
from gradio_app.pages.studio.photos import FILE_TYPES
from gradio_app.place import COUNTS, Place, place_in
from gradio_app.site import Site

NEAREST = 6
MOST_PICTURES = 4


@dataclass(frozen=True, kw_only=True)
class Animal(OneJobPage):
    """The components of the page. place: the photo and animal (its options), the way (its preset), job and picture."""

    product = "animal"

    demonstration: gr.HTML
    photo: gr.File
    consent: gr.Checkbox
    send: gr.Button
    face: gr.HTML
    form: gr.Column
    count: gr.Radio
    landmarks: gr.HTML

    def own(self) -> set[Any]:
        """Return the components beyond those of every such page that an event may change."""
        return {
            self.demonstration, self.photo, self.consent, self.send, self.face, self.form, self.count, self.landmarks,
        }  # fmt: skip

    def go(self, place: Place) -> Updates:
        """Read everything at place and draw it. Raises PageError."""
        presets, job = self.presets(), self.job_at(place)
        demonstration = bool(self.site.api.read("/status")["demonstration"])
        place = settled(self.site, place, job, presets, demonstration=demonstration)
        opened = opened_image(place, job)
        return {
            self.place: place,
            self.demonstration: demonstration_of(self.site) if demonstration else "",
            self.frame.address: place.query(),
            **self.drawn_face(place, demonstration=demonstration),
            self.form: gr.Column(visible=bool(place.option("", "photo"))),
            self.count: gr.Radio(value=min(place.count, MOST_PICTURES)),
            **self.drawn_preset(place, presets),
            **self.drawn_job(place, job, presets),
            self.landmarks: landmarks_of(self.site, opened) if opened else "",
        }

    def drawn_face(self, place: Place, *, demonstration: bool) -> Updates:
        """The photo with the animals its face is like, the chosen one marked and among those seen at once."""
        name = place.option("", "photo")
        if not name:
            return {self.face: ""}
        photo = self.site.api.read(f"/face-photos/{name}")
        matches = self.site.api.items(f"/face-photos/{name}/animals")
        chosen = place.option("", "animal")
        seen = [match for rank, match in enumerate(matches) if rank < NEAREST or match["name"] == chosen]
        others = [match for match in matches if match not in seen]
        return {
            self.face: self.site.html(
                "animal_face", photo=photo, groups=(seen, others), chosen=chosen, demonstration=demonstration
            )
        }


def settled(site: Site, place: Place, job: Json | None, presets: list[Json], *, demonstration: bool) -> Place:
    """Return place without what no longer exists, with the job's photo, an animal and a way chosen."""
    options = dict(place.options) or photo_of(job)
    photo = str(options.get("photo") or "")
    if not photo or site.api.found(f"/face-photos/{photo}") is None:
        options = {}
    elif not options.get("animal"):
        matches = site.api.items(f"/face-photos/{photo}/animals")
        options["animal"] = nearest(matches, demonstration=demonstration)
    preset = chosen_preset(place, job, presets)
    return place.moved(options=options, preset=preset, job=place.job if job else "")


def photo_of(job: Json | None) -> dict[str, Any]:
    """Return photo and animal of a job as options."""
    chosen = job["options"] if job else {}
    return {name: chosen[name] for name in ("photo", "animal") if chosen.get(name)}


def nearest(matches: list[Json], *, demonstration: bool) -> str:
    """Return the animal most like the face; with the demonstration model, of those that it has learnt."""
    drawn = [match for match in matches if match["demonstrated"] or not demonstration]
    return str((drawn or matches)[0]["name"])


def demonstration_of(site: Site) -> str:
    """Return the line that says which animals the demonstration model has learnt to draw."""
    animals = [animal for animal in site.api.items("/animals") if animal["demonstrated"]]
    return site.html("animal_demonstration", animals=animals)


def landmarks_of(site: Site, image: Json) -> str:
    """Return the landmarks of photo and picture over the picture, or why they cannot be had."""
    try:
        landmarks = site.api.read(f"/images/{image['id']}/landmarks")
    except PageError as error:
        return site.notice(error)
    return site.html("animal_landmarks", landmarks=landmarks)


def build(site: Site, blocks: gr.Blocks) -> None:
    """Draw the page and connect it."""
    page = parts(site)
    wire_arrival(page, blocks, lambda query: place_in({"count": "1", **query}))
    wire_photo(page)
    wire_order(page)
    wire_job(page)


def parts(site: Site) -> Animal:
    """Draw the page."""
    words = site.words
    frame = frames.build(site, "animal")
    place, timer = gr.State(Place(count=1)), gr.Timer(LIVE_SECONDS, active=False)
    demonstration = view(name="animal-demonstration")
    with gr.Column(elem_classes="sj-card"):
        photo = gr.File(label=words("animal.photo"), file_types=FILE_TYPES, elem_id="animal-drop", height=132)
        consent = gr.Checkbox(
            label=words("animal.consent"), value=False, elem_id="animal-consent", container=False
        )
        send = gr.Button(words("animal.send"), variant="primary", interactive=False, elem_id="animal-send")
        view(site.html("animal_kept"))
    notice = view()
    face = view(name="animal-face", listens=CLICKS)
    with gr.Column(visible=False, elem_classes="sj-card", elem_id="animal-order") as form:
        preset = gr.Radio(
            label=words("animal.way"), choices=[], elem_id="animal-way", elem_classes="sj-chips"
        )
        about = view(name="animal-about")
        count = gr.Radio(
            label=words("studio.look.count"), value=1, elem_classes="sj-chips",
            choices=[(str(count), count) for count in COUNTS if count <= MOST_PICTURES],
        )  # fmt: skip
        make = gr.Button(words("animal.make"), variant="primary", interactive=False, elem_id="animal-make")
    live_view = view(name="animal-job", listens=CLICKS)
    gallery = view(name="animal-pictures", listens=CLICKS)
    picture = pictures.build(site)
    landmarks = view(name="animal-landmarks")
    return Animal(
        site=site, frame=frame, place=place, timer=timer, demonstration=demonstration, photo=photo, consent=consent,
        send=send, notice=notice, face=face, form=form, preset=preset, about=about, count=count, make=make,
        live_view=live_view, gallery=gallery, picture=picture, landmarks=landmarks,
    )  # fmt: skip


def wire_photo(page: Animal) -> None:
    """Connect photo, consent, and the animals its face is like."""

    def wake(data: Updates) -> Updates:
        return {page.send: gr.Button(interactive=bool(data[page.photo] and data[page.consent]))}

    def send(data: Updates, _: Json) -> Updates:
        photo = Path(data[page.photo])
        cleared = {page.photo: None, page.consent: False, page.send: gr.Button(interactive=False)}
        if not photo.exists():
            return cleared | {page.notice: page.site.remark(page.site.words("animal.forgotten"), "warn")}
        kept = page.site.api.add_face_photo(photo)
        return cleared | page.go(
            Place(preset=data[page.place].preset, count=1, options={"photo": kept["id"]})
        )

    def touch(data: Updates, touched: Json) -> Updates:
        place: Place = data[page.place]
        if touched["act"] == "erase":
            page.site.api.delete(f"/face-photos/{place.option('', 'photo')}")
            return page.go(place.moved(options={}, job="", image=""))
        return page.go(place.with_option("", "animal", touched["name"]))

    fields = {page.photo, page.consent}
    for event in (page.photo.change, page.consent.change):
        frames.react(event, wake, fields, {page.send})
    reveal = "() => sajin.reveal('#animal-face')"
    page.on(page.send.click, send, *fields).then(None, None, None, js=reveal)
    page.on(page.face.click, touch)


def wire_order(page: Animal) -> None:
    """Connect way, count and the order."""

    def choose(data: Updates, _: Json) -> Updates:
        return page.go(data[page.place].moved(preset=data[page.preset], count=data[page.count]))

    def make(data: Updates, _: Json) -> Updates:
        place: Place = data[page.place]
        request = {"preset": place.preset, "count": data[page.count], "options": dict(place.options)}
        job = page.site.api.create_job(request)
        return page.go(place.moved(job=job["id"], image="", count=data[page.count]))

    for field in (page.preset, page.count):
        page.on(field.input, choose, page.preset, page.count)
    page.on(page.make.click, make, page.count).then(None, None, None, js="() => sajin.reveal('#animal-job')")
