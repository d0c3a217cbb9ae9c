"""Servers: the WebUIs that make the pictures, what they can do, and how to connect a real one."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import gradio as gr

from gradio_app import frame as frames
from gradio_app.api import Json
from gradio_app.errors import ApiUnreachable, PageError
from gradio_app.frame import CLICKS, Frame, Updates, view
from gradio_app.site import Site

REFRESH_SECONDS = 5.0
SHOWN_PIXELS = 512 * 512
"""The size of picture that speeds are told for."""


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

    def on(self, event: Callable[..., Any], work: Callable[[Updates, Json], Updates]) -> Any:
        """Let work change the page at an event; its errors stand above the servers."""
        return frames.react(event, frames.told(self.site, self.notice, work), set(), self.outputs)

    def draw(self) -> Updates:
        """Draw the servers. Raises PageError."""
        servers = [row_of(self.site, server) for server in self.site.api.items("/servers")]
        return {self.cards: self.site.html("servers_list", servers=servers), self.notice: ""}

    def go(self) -> Updates:
        """Draw the servers; what goes wrong is said above them."""
        try:
            return self.draw()
        except ApiUnreachable:
            return {self.notice: ""}
        except PageError as error:
            return {self.notice: self.site.notice(error)}


def row_of(site: Site, server: Json) -> Json:
    """Return a server as the list shows it: with its speed in steps a second, and the time until it is tried again."""
    speed, retry_at = server["speed"], server["retry_at"]
    left = (datetime.fromisoformat(retry_at) - datetime.now(UTC)).total_seconds() if retry_at else None
    return server | {
        "pace": f"{speed / SHOWN_PIXELS:.2g}" if speed else "",
        "retry": site.words.duration(left),
    }


def build(site: Site, blocks: gr.Blocks) -> None:
    """Draw the page and keep it fresh."""
    frame = frames.build(site, "servers")
    notice = view()
    cards = view(name="servers", listens=CLICKS)
    view(site.html("servers_connect"))
    servers = Servers(site, frame, cards, notice)

    def act(_: Updates, touched: Json) -> Updates:
        site.api.post(f"/servers/{touched['act']}", {"url": touched["url"]})
        return servers.draw()

    frames.react(blocks.load, lambda _: frames.draw(frame) | servers.go(), set(), servers.outputs)
    frames.react(gr.Timer(REFRESH_SECONDS).tick, lambda _: servers.go(), set(), {cards, notice})
    servers.on(cards.click, act)
