"""Step 1: choose a person or make one, with consent."""

from dataclasses import dataclass
from typing import Any

import gradio as gr

from gradio_app.api import Json
from gradio_app.frame import CLICKS, Updates, view
from gradio_app.pages.studio import section
from gradio_app.pages.studio.scene import Scene
from gradio_app.pages.studio.way import Way
from gradio_app.place import Place
from gradio_app.site import Site

STEP = "who"


@dataclass(frozen=True)
class Who:
    """The components of step 1."""

    fold: gr.Accordion
    cards: gr.HTML
    name: gr.Textbox
    class_noun: gr.Radio
    consent: gr.Checkbox
    create: gr.Button
    notice: gr.HTML

    def outputs(self) -> set[Any]:
        """Return every component that an event may change."""
        return {self.fold, self.cards, self.name, self.consent, self.create, self.notice}

    def draw(self, site: Site, scene: Scene) -> Updates:
        """Show the people there are, and the chosen one on the fold."""
        summary = scene.subject["name"] if scene.subject else ""
        cards = site.html("who_cards", subjects=scene.subjects, chosen=scene.place.subject)
        return {self.cards: cards} | section.draw_fold(site, self.fold, STEP, scene, summary)

    def live(self, site: Site, scene: Scene) -> Updates:
        """Return nothing: this step does not move by itself."""
        return {}


def build(site: Site) -> Who:
    """Draw step 1."""
    words = site.words
    with section.fold(site, STEP) as fold:
        cards = view(listens=CLICKS)
        with gr.Column(elem_id="new-person", elem_classes="sj-card"):
            view(site.html("who_new"))
            name = gr.Textbox(label=words("studio.who.name"), max_length=100, elem_id="person-name")
            class_noun = gr.Radio(
                label=words("studio.who.class_noun"),
                choices=[(text, noun) for noun, text in words.under("class_noun").items()],
                value="person",
            )
            consent = gr.Checkbox(
                label=words("studio.who.consent"), value=False, elem_id="consent", container=False
            )
            view(site.html("who_consent"))
            create = gr.Button(
                words("studio.who.create"), variant="primary", interactive=False, elem_id="create-person"
            )
        notice = view()
    return Who(fold, cards, name, class_noun, consent, create, notice)


def wire(who: Who, way: Way) -> None:
    """Connect the events of step 1."""

    def choose(data: Updates, touched: Json) -> Updates:
        place: Place = data[way.place]
        if touched["act"] == "nobody":
            return way.go(Place(step="look", count=place.count))
        return way.go(Place(subject=touched["id"], count=place.count))

    def create(data: Updates, _: Json) -> Updates:
        subject = way.site.api.create_subject(data[who.name].strip(), data[who.class_noun])
        place = Place(subject=subject["id"], step="photos")
        return {who.name: "", who.consent: False, who.create: gr.Button(interactive=False), **way.go(place)}

    def wake(data: Updates) -> Updates:
        ready = bool((data[who.name] or "").strip()) and bool(data[who.consent])
        return {who.create: gr.Button(interactive=ready)}

    way.on(who.cards.click, who.notice, choose)
    way.on(who.create.click, who.notice, create, {who.name, who.class_noun, who.consent})
    gr.on(
        [who.name.input, who.consent.input],
        wake,
        {who.name, who.consent},
        {who.create},
        show_progress="hidden",
        trigger_mode="always_last",
    )
