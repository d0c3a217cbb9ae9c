"""The studio: the five steps from a person to portraits."""

import gradio as gr

from gradio_app import frame as frames
from gradio_app.pages.studio import learn, look, photos, portraits, who
from gradio_app.pages.studio.way import Way
from gradio_app.place import Place, place_in
from gradio_app.site import Site

LIVE_SECONDS = 1.0


def build(site: Site, blocks: gr.Blocks) -> None:
    """Draw the studio page and connect its steps."""
    frame = frames.build(site, "studio")
    place = gr.State(Place())
    timer = gr.Timer(LIVE_SECONDS, active=False)
    steps = (who.build(site), photos.build(site), learn.build(site), look.build(site), portraits.build(site))
    way = Way(site, frame, place, timer, steps)
    who.wire(steps[0], way)
    photos.wire(steps[1], way)
    learn.wire(steps[2], way)
    look.wire(steps[3], way)
    portraits.wire(steps[4], way)
    arrive(way, blocks)


def arrive(way: Way, blocks: gr.Blocks) -> None:
    """Draw the page when it is opened, when the API comes back, and while something is under way."""

    def opened(_: frames.Updates, request: gr.Request) -> frames.Updates:
        return way.arrive(place_in(dict(request.query_params)))

    def back(data: frames.Updates) -> frames.Updates:
        return way.arrive(data[way.place])

    frames.react(blocks.load, opened, set(), way.outputs)
    frames.react(way.frame.recovered.change, back, {way.place}, way.outputs)
    frames.react(way.timer.tick, way.follow, {way.place}, way.outputs)
