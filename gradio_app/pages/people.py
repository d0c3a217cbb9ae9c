"""My people: a card each, and erasing with what exactly will be erased."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gradio as gr

from gradio_app import frame as frames
from gradio_app.api import Json
from gradio_app.frame import CLICKS, Frame, Updates, view
from gradio_app.site import Site

MOST_COUNTED = 200


@dataclass(frozen=True)
class People:
    """The components of the page. chosen: id of the person whose details are open."""

    site: Site
    frame: Frame
    chosen: gr.State
    cards: gr.HTML
    person: gr.HTML
    notice: gr.HTML

    @property
    def outputs(self) -> set[Any]:
        """Every component that an event may change."""
        return {self.chosen, self.cards, self.person, self.notice, self.frame.now, self.frame.reachable,
                self.frame.address}  # fmt: skip

    def on(self, event: Callable[..., Any], work: Callable[[Updates, Json], Updates]) -> Any:
        """Let work change the page at an event; its errors stand below the cards."""
        return frames.react(event, frames.told(self.site, self.notice, work), {self.chosen}, self.outputs)

    def go(self, chosen: str) -> Updates:
        """Draw the cards, and the details of the chosen person."""
        subjects = self.site.api.items("/subjects")
        person = next((subject for subject in subjects if subject["id"] == chosen), None)
        return {
            self.chosen: chosen if person else "",
            self.cards: self.site.html("people_cards", subjects=subjects, chosen=chosen),
            self.person: details(self.site, person) if person else "",
            self.frame.address: f"?subject={chosen}" if person else "?",
        }


def details(site: Site, person: Json) -> str:
    """Return what is known about a person and what erasing would take away."""
    images = site.api.read("/images", subject=person["id"], limit=MOST_COUNTED)
    trainings = site.api.items(f"/subjects/{person['id']}/trainings")
    adapters = [
        (training["adapter"], site.api.found(f"/subjects/{person['id']}/trainings/{training['id']}/report"))
        for training in trainings
        if training["adapter"]
    ]
    count = len(images["items"])
    return site.html(
        "people_person",
        person=person,
        adapters=adapters,
        pictures=site.words("people.more_than", count=count) if images["next"] else str(count),
        consent=site.words.moment(person["consent"]["given_at"]),
        moment=site.words.moment,
        duration=site.words.duration,
    )


def build(site: Site, blocks: gr.Blocks) -> None:
    """Draw the page and connect it."""
    people = People(
        site,
        frames.build(site, "people"),
        chosen=gr.State(""),
        cards=view(name="people", listens=CLICKS),
        notice=view(),
        person=view(name="person", listens=CLICKS),
    )

    def opened(_: Updates, request: gr.Request) -> Updates:
        return arrive(people, str(request.query_params.get("subject", "")))

    def choose(_: Updates, touched: Json) -> Updates:
        return people.go(touched["id"])

    def act(_: Updates, touched: Json) -> Updates:
        if touched["act"] == "erase" and site.api.found(f"/subjects/{touched['id']}"):
            site.api.delete(f"/subjects/{touched['id']}")
            return people.go("") | {people.notice: site.remark(site.words("people.erased"), "good")}
        return people.go("")

    def back(data: Updates) -> Updates:
        return arrive(people, data[people.chosen])

    frames.react(blocks.load, opened, set(), people.outputs)
    frames.react(people.frame.recovered.change, back, {people.chosen}, people.outputs)
    people.on(people.cards.click, choose).then(None, None, None, js="() => sajin.reveal('#person')")
    people.on(people.person.click, act)


def arrive(people: People, chosen: str) -> Updates:
    """Draw the page when it is opened or when the API is back."""
    return frames.arrive(people.frame, lambda: people.go(chosen))
