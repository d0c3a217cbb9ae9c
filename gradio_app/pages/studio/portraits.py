"""Step 5: the pictures: live while they are made, then a gallery with everything one can do with them."""

from dataclasses import dataclass
from typing import Any

import gradio as gr

from gradio_app import picture as pictures
from gradio_app.api import Json
from gradio_app.frame import CLICKS, Updates, view
from gradio_app.pages.studio import section
from gradio_app.pages.studio.scene import Scene, unfinished
from gradio_app.pages.studio.way import Way
from gradio_app.picture import Picture
from gradio_app.place import Place
from gradio_app.site import Site, percent_of

STEP = "portraits"


@dataclass(frozen=True)
class Portraits:
    """The components of step 5."""

    fold: gr.Accordion
    live_view: gr.HTML
    gallery: gr.HTML
    picture: Picture
    notice: gr.HTML

    def outputs(self) -> set[Any]:
        """Return every component that an event may change."""
        return {self.fold, self.live_view, self.gallery, self.notice} | self.picture.outputs()

    def draw(self, site: Site, scene: Scene) -> Updates:
        """Show the job's state, its pictures, and the opened picture."""
        images = scene.job["images"] if scene.job else []
        opened = next((image for image in images if image["id"] == scene.place.image), None)
        summary = site.words.counted("studio.portraits.done", len(images)) if images else ""
        return {
            **self.live(site, scene),
            **self.picture.draw(site, opened),
            **section.draw_fold(site, self.fold, STEP, scene, summary),
        }

    def live(self, site: Site, scene: Scene) -> Updates:
        """Show how far the job is, and the pictures that are finished."""
        if not scene.job:
            return {self.live_view: site.html("portraits_none"), self.gallery: ""}
        tiles = site.html("picture_tiles", images=scene.job["images"], chosen=scene.place.image, marked=None)
        return {
            self.live_view: job_view(site, scene.stages, scene.job),
            self.gallery: tiles,
        }


def job_view(site: Site, stages: list[Json], job: Json) -> str:
    """Return the state of a job: waiting, running with preview and stages, or how it ended."""
    strip = stage_strip(stages, job)
    return site.html(
        "portraits_live",
        job=job,
        stages=strip,
        running=unfinished(job),
        done=percent_of(job),
        percent=site.words.percent(job["progress"]),
        left=site.words.duration(job["eta_seconds"]),
        stage=next((stage["text"] for stage in strip if stage["state"] == "here"), job["stage"] or ""),
    )


def stage_strip(stages: list[Json], job: Json) -> list[Json]:
    """Return the stages of a job in order, each "done", "here" or "ahead"."""
    names = [stage["name"] for stage in stages]
    here = names.index(job["stage"]) if job["stage"] in names else -1
    if job["status"] == "succeeded":
        here = len(names)
    return [
        {
            "text": stage["title"],
            "state": "done" if index < here else "here" if index == here else "ahead",
        }
        for index, stage in enumerate(stages)
    ]


def build(site: Site) -> Portraits:
    """Draw step 5."""
    with section.fold(site, STEP) as fold:
        live_view = view(name="job", listens=CLICKS)
        notice = view()
        gallery = view(name="pictures", listens=CLICKS)
        picture = pictures.build(site)
    return Portraits(fold, live_view, gallery, picture, notice)


def wire(portraits: Portraits, way: Way) -> None:
    """Connect the events of step 5."""

    def steer(data: Updates, touched: Json) -> Updates:
        place: Place = data[way.place]
        if touched["act"] in ("cancel", "retry"):
            way.site.api.post(f"/jobs/{place.job}/{touched['act']}")
        if touched["act"] == "learned":
            return way.go(place.moved(job=way.site.api.redo_job(place.job)["id"], step=STEP, image=""))
        return way.go(place.moved(step="look" if touched["act"] == "look" else STEP))

    def show(data: Updates, touched: Json) -> Updates:
        return way.go(data[way.place].moved(image=touched["id"], step=STEP))

    def after(data: Updates, place: Place | None) -> Updates:
        return way.go(place or data[way.place])

    way.on(portraits.live_view.click, portraits.notice, steer)
    way.on(portraits.gallery.click, portraits.notice, show).then(
        None, None, None, js="() => sajin.reveal('#picture')"
    )
    pictures.wire(portraits.picture, way.site, way.place, way.outputs, after)
