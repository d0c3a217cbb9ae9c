"""Jobs: what waits, runs and ended; cancel, retry from the failed stage, open in the studio."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gradio as gr

from gradio_app import frame as frames
from gradio_app.api import Json
from gradio_app.errors import PageError
from gradio_app.frame import CLICKS, Frame, Updates, view
from gradio_app.pages.studio.scene import unfinished
from gradio_app.place import Place
from gradio_app.site import Site, percent_of

REFRESH_SECONDS = 2.0
PAGE_LENGTH = 20
EVERY_STATUS = ""
STATUSES = ("queued", "running", "succeeded", "failed", "cancelled")


@dataclass(frozen=True)
class Jobs:
    """The components of the page. shown: how many jobs are listed at most."""

    site: Site
    frame: Frame
    status: gr.Radio
    shown: gr.State
    rows: gr.HTML
    more: gr.Button
    notice: gr.HTML

    @property
    def outputs(self) -> set[Any]:
        """Every component that an event may change."""
        return {self.shown, self.rows, self.more, self.notice, self.frame.now, self.frame.reachable}

    @property
    def inputs(self) -> set[Any]:
        """What decides which jobs are listed."""
        return {self.status, self.shown}

    def on(self, event: Callable[..., Any], work: Callable[[Updates, Json], Updates]) -> Any:
        """Let work change the page at an event; its errors stand above the list."""
        return frames.react(event, frames.told(self.site, self.notice, work), self.inputs, self.outputs)

    def go(self, data: Updates) -> Updates:
        """Draw the newest jobs of the chosen status."""
        jobs = self.site.api.read("/jobs", status=data[self.status], limit=data[self.shown])
        subjects = {subject["id"]: subject["name"] for subject in self.site.api.items("/subjects")}
        stages = stage_titles(self.site.api.items("/presets"))
        rows = [row_of(self.site, job, subjects, stages) for job in jobs["items"]]
        return {
            self.rows: self.site.html("jobs_list", jobs=rows, filtered=bool(data[self.status])),
            self.more: gr.Button(visible=bool(jobs["next"])),
        }

    def refresh(self, data: Updates) -> Updates:
        """Draw the list again; while the API is gone, leave it as it is."""
        try:
            return self.go(data)
        except PageError:
            return {self.shown: data[self.shown]}

    def arrive(self, data: Updates) -> Updates:
        """Draw the page when it is opened."""
        return frames.arrive(self.frame, lambda: self.go(data))


def stage_titles(presets: list[Json]) -> dict[tuple[str, str], str]:
    """Return what the stages are called, by look and stage."""
    return {(look["name"], stage["name"]): stage["title"] for look in presets for stage in look["stages"]}


def row_of(site: Site, job: Json, subjects: dict[str, str], stages: dict[tuple[str, str], str]) -> Json:
    """Return a job as the list shows it."""
    words = site.words
    return job | {
        "who": subjects.get(job["subject"] or "", words("jobs.nobody")),
        "href": site.link("", Place(job=job["id"], subject=job["subject"] or "", step="portraits")),
        "made": words.moment(job["created_at"]),
        "moving": unfinished(job),
        "done": percent_of(job),
        "percent": words.percent(job["progress"]),
        "left": words.duration(job["eta_seconds"]),
        "stage_text": stages.get((job["preset"], job["stage"] or ""), job["stage"] or ""),
        "pictures": words.counted("jobs.pictures", job["count"]),
    }


def build(site: Site, blocks: gr.Blocks) -> None:
    """Draw the page and connect it."""
    words = site.words
    jobs = Jobs(
        site,
        frames.build(site, "jobs"),
        status=gr.Radio(
            label=words("jobs.filter"),
            choices=[
                (words("jobs.every_status"), EVERY_STATUS),
                *((words(f"status.{name}"), name) for name in STATUSES),
            ],
            value=EVERY_STATUS,
            elem_classes="sj-chips",
        ),
        shown=gr.State(PAGE_LENGTH),
        notice=view(),
        rows=view(name="jobs", listens=CLICKS),
        more=gr.Button(words("list.more"), visible=False),
    )

    def act(data: Updates, touched: Json) -> Updates:
        site.api.post(f"/jobs/{touched['id']}/{touched['act']}")
        return jobs.go(data)

    def more(data: Updates, _: Json) -> Updates:
        shown = data[jobs.shown] + PAGE_LENGTH
        return {jobs.shown: shown, **jobs.go(data | {jobs.shown: shown})}

    frames.react(blocks.load, jobs.arrive, jobs.inputs, jobs.outputs)
    frames.react(gr.Timer(REFRESH_SECONDS).tick, jobs.refresh, jobs.inputs, jobs.outputs)
    jobs.on(jobs.status.input, lambda data, _: jobs.go(data))
    jobs.on(jobs.rows.click, act)
    jobs.on(jobs.more.click, more)
