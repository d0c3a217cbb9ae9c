"""The start page: what the studio offers, one touch from each."""

from dataclasses import dataclass
from typing import Any

import gradio as gr

from gradio_app import frame as frames
from gradio_app.api import Json
from gradio_app.frame import PAGES, Frame, Updates, view
from gradio_app.place import Place
from gradio_app.site import Site

OPENED_AT = {"workbench": "look"}
"""Products without a page of their own that begin at another step of the studio than the first."""


@dataclass(frozen=True)
class Start:
    """The components of the page."""

    site: Site
    frame: Frame
    products: gr.HTML

    @property
    def outputs(self) -> set[Any]:
        """Every component that an event may change."""
        return {self.products, self.frame.now, self.frame.reachable}

    def go(self) -> Updates:
        """Draw the products. Raises PageError."""
        items = self.site.api.items("/products")
        shown = [product | {"href": address_of(self.site, product)} for product in items]
        return {self.products: self.site.html("start_products", products=shown)}


def address_of(site: Site, product: Json) -> str:
    """Return where a product is made: its own page, else the studio with the first of its looks chosen."""
    pages = dict(PAGES)
    if product["name"] in pages:
        return site.link(pages[product["name"]])
    first = next(iter(product["presets"]), "")
    return site.link(pages["studio"], Place(preset=first, step=OPENED_AT.get(product["name"], "")))


def build(site: Site, blocks: gr.Blocks) -> None:
    """Draw the page, again when the API comes back."""
    frame = frames.build(site, "start")
    start = Start(site, frame, view(name="products"))

    def arrive(_: Updates) -> Updates:
        return frames.arrive(frame, start.go)

    for event in (blocks.load, frame.recovered.change):
        frames.react(event, arrive, set(), start.outputs)
