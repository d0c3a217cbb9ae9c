"""The five steps together: one place in a state, one function that draws them all."""

from collections.abc import Callable, Set
from dataclasses import dataclass
from typing import Any, Protocol

import gradio as gr

from gradio_app import frame as frames
from gradio_app.api import Json
from gradio_app.errors import PageError
from gradio_app.frame import Frame, Updates
from gradio_app.pages.studio import scene as scenes
from gradio_app.pages.studio.scene import Scene
from gradio_app.place import Place
from gradio_app.site import Site


class Step(Protocol):
    """A step's components, which can show themselves for a scene."""

    def outputs(self) -> set[Any]:
        """Return every component that draw may change."""
        ...

    def draw(self, site: Site, scene: Scene) -> Updates:
        """Return the step's components as the scene wants them."""
        ...

    def live(self, site: Site, scene: Scene) -> Updates:
        """Return only what changes while a training or job is under way."""
        ...


@dataclass(frozen=True)
class Way:
    """The studio page. place: where the visitor is; timer: ticks while something shown is under way."""

    site: Site
    frame: Frame
    place: gr.State
    timer: gr.Timer
    steps: tuple[Step, ...]

    @property
    def outputs(self) -> set[Any]:
        """Every component of the page that an event may change."""
        mine = {
            self.place,
            self.timer,
            self.frame.address,
            self.frame.goto,
            self.frame.now,
            self.frame.reachable,
        }
        return mine.union(*(step.outputs() for step in self.steps))

    def go(self, place: Place) -> Updates:
        """Read the scene at place and draw all of it. Raises PageError."""
        scene = scenes.read(self.site.api, place)
        updates: Updates = {
            self.place: scene.place,
            self.timer: gr.Timer(active=scene.moving),
            self.frame.address: scene.place.query(),
        }
        for step in self.steps:
            updates |= step.draw(self.site, scene)
        return updates

    def arrive(self, place: Place) -> Updates:
        """Draw the page at place for the first time, or again after the API was gone."""
        return {self.place: place} | frames.arrive(self.frame, lambda: self.go(place))

    def on(
        self,
        event: Callable[..., Any],
        notice: gr.HTML,
        work: Callable[[Updates, Json], Updates],
        inputs: Set[Any] = frozenset(),
        order: str | None = None,
    ) -> Any:
        """Let work change the page at an event; it gets place and inputs, and its errors stand in notice."""
        callback = frames.told(self.site, notice, work)
        return frames.react(event, callback, {self.place, *inputs}, self.outputs, order)

    def follow(self, data: Updates) -> Updates:
        """Show how far things are; once they have ended draw all. Without the API, leave the page as it is."""
        place: Place = data[self.place]
        try:
            scene = scenes.glance(self.site.api, place)
            if scene.moving:
                return self.live(scene)
            return self.go(place.moved(step="") if place.step == "learn" else place)
        except PageError:
            return {self.place: place}

    def live(self, scene: Scene) -> Updates:
        """Return what changes while things are under way; folds and fields stay as the visitor left them."""
        updates: Updates = {}
        for step in self.steps:
            updates |= step.live(self.site, scene)
        return updates
