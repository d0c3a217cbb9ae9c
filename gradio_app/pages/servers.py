"""Servers: the WebUIs that make the pictures, what they can do, and how to connect a real one."""

from dataclasses import dataclass
from typing import Any

import gradio as gr

from gradio_app import frame as frames
from gradio_app.errors import ApiUnreachable, PageError
from gradio_app.frame import Frame, Updates, view
from gradio_app.site import Site

REFRESH_SECONDS = 5.0


@dataclass(frozen=True)
class Servers:
    """The components of the page."""

    site: Site
    frame: Frame
    cards: gr.HTML
    notice: gr.HTML

    @property
    def outputs(self) -> set[Any]:
        """Every component that an event may change."""
        return {self.cards, self.notice, self.frame.now, self.frame.reachable}

    def go(self) -> Updates:
        """Draw the servers; what goes wrong is said above them."""
        try:
            servers = self.site.api.items("/servers")
        except ApiUnreachable:
            return {self.notice: ""}
        except PageError as error:
            return {self.notice: self.site.notice(error)}
        return {self.cards: self.site.html("servers_list", servers=servers), self.notice: ""}


def build(site: Site, blocks: gr.Blocks) -> None:
    """Draw the page and keep it fresh."""
    frame = frames.build(site, "servers")
    notice = view()
    cards = view(name="servers")
    view(site.html("servers_connect"))
    servers = Servers(site, frame, cards, notice)
    frames.react(blocks.load, lambda _: frames.draw(frame) | servers.go(), set(), servers.outputs)
    frames.react(gr.Timer(REFRESH_SECONDS).tick, lambda _: servers.go(), set(), {cards, notice})
