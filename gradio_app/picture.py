"""One picture, opened: likeness, what can be done with it, its stages side by side, its recipe."""

import io
from collections.abc import Callable, Set
from dataclasses import dataclass
from typing import Any

import gradio as gr
import PIL.Image

from gradio_app.api import UPLOAD_SECONDS, Json
from gradio_app.errors import PageError
from gradio_app.frame import CLICKS, Updates, react, told, view
from gradio_app.place import Place
from gradio_app.site import Site

RECIPE_LINES = 60
GIF_KB, LEAST_KB, MOST_KB = 500, 16, 100_000
REFERENCE = "reference"


@dataclass(frozen=True)
class Picture:
    """The components of an opened picture. image: the API's image, None when none is open."""

    panel: gr.Column
    image: gr.State
    about: gr.HTML
    stages: gr.Accordion
    before: gr.Dropdown
    after: gr.Dropdown
    slider: gr.ImageSlider
    recipe: gr.HTML
    files: gr.Column
    downloads: gr.HTML
    budget: gr.Number
    shrink: gr.Button
    notice: gr.HTML

    def outputs(self) -> set[Any]:
        """Return every component that an event may change."""
        return {
            self.panel, self.image, self.about, self.stages, self.before, self.after, self.slider, self.recipe,
            self.notice, self.files, self.downloads,
        }  # fmt: skip

    def draw(self, site: Site, image: Json | None) -> Updates:
        """Open image, or close the panel for None."""
        if not image:
            return {self.panel: gr.Column(visible=False), self.image: None}
        names = [stage["name"] for stage in image["stages"]]
        job = site.api.found(f"/jobs/{image['job_id']}")
        titles = site.api.stage_titles(image["preset"])
        choices = [(titles.get(name, name), name) for name in names]
        several = len(names) > 1
        return {
            self.panel: gr.Column(visible=True),
            self.image: image,
            self.about: site.html(
                "picture",
                image=image,
                made=site.words.moment(image["created_at"]),
                redo=job["redo"] if job else "none",
            ),
            self.stages: gr.update(visible=several),
            self.before: gr.Dropdown(choices=choices, value=names[0] if names else None),
            self.after: gr.Dropdown(choices=choices, value=names[-1] if names else None),
            self.slider: stage_pair(site, image, names[0], names[-1]) if several else None,
            self.recipe: recipe_of(site, image),
            self.files: gr.Column(visible=bool(image["animation"])),
            self.downloads: files_of(site, image) if image["animation"] else "",
        }


def stage_pair(site: Site, image: Json, before: str, after: str) -> tuple[PIL.Image.Image, ...] | None:
    """Return two stages of an image in one size for the slider; None if one cannot be had."""
    try:
        pair = [stage_picture(site, image, name) for name in (before, after)]
    except PageError:
        return None
    size = max(picture.size for picture in pair)
    return tuple(picture.resize(size) for picture in pair)


def stage_picture(site: Site, image: Json, stage: str) -> PIL.Image.Image:
    """Return what one stage made of an image, RGB."""
    answer = site.api.send("GET", f"/images/{image['id']}/stages/{stage}")
    return PIL.Image.open(io.BytesIO(answer.content)).convert("RGB")


def files_of(site: Site, image: Json, budget_kb: int | None = None) -> str:
    """Return the files of an animation with their sizes, a GIF of at most budget_kb; else why they cannot be had."""
    query = {"budget_kb": str(budget_kb)} if budget_kb else {}
    try:
        answer = site.api.send(
            "GET", f"/images/{image['id']}/animation", params=query, seconds=UPLOAD_SECONDS
        )
    except PageError as error:
        return site.notice(error)
    files = [file for file in answer.json()["items"] if not budget_kb or file["format"] == "gif"]
    return site.html("picture_animation", image=image, files=files, query=query, size=site.words.size)


def recipe_of(site: Site, image: Json) -> str:
    """Return the recipe of an image as a table, or why it cannot be shown."""
    try:
        recipe = site.api.read(f"/images/{image['id']}/recipe")
    except PageError as error:
        return site.notice(error)
    rows = lines_of(recipe)
    return site.html("recipe", rows=rows[:RECIPE_LINES], more=max(0, len(rows) - RECIPE_LINES), image=image)


def lines_of(value: object, name: str = "") -> list[tuple[str, str]]:
    """Return nested values as rows of dotted name and text; what is empty is left out."""
    if isinstance(value, dict):
        rows = [lines_of(item, f"{name}.{key}" if name else str(key)) for key, item in value.items()]
        return [row for group in rows for row in group]
    if isinstance(value, list) and any(isinstance(item, dict | list) for item in value):
        return [row for index, item in enumerate(value) for row in lines_of(item, f"{name}.{index + 1}")]
    if value in (None, "", [], {}):
        return []
    return [(name, ", ".join(map(str, value)) if isinstance(value, list) else str(value))]


def build(site: Site) -> Picture:
    """Draw the panel, closed."""
    words = site.words
    with gr.Column(visible=False, elem_id="picture", elem_classes="sj-card") as panel:
        image = gr.State(None)
        about = view(name="picture-view", listens=CLICKS)
        notice = view()
        with gr.Column(visible=False, elem_id="files") as files:
            downloads = view(name="downloads")
            with gr.Row(elem_classes="sj-filters"):
                budget = gr.Number(
                    label=words("animated.budget"), value=GIF_KB, minimum=LEAST_KB, maximum=MOST_KB,
                    precision=0, elem_id="budget",
                )  # fmt: skip
                shrink = gr.Button(words("animated.shrink"), elem_id="shrink")
        with gr.Accordion(
            words("picture.stages"), open=True, elem_id="stages", elem_classes="sj-fold"
        ) as stages:
            with gr.Row():
                before = gr.Dropdown(label=words("picture.before"), choices=[])
                after = gr.Dropdown(label=words("picture.after"), choices=[])
            slider = gr.ImageSlider(
                label=words("picture.slider"), show_label=False, buttons=[], interactive=False, max_height=620
            )
        with gr.Accordion(words("picture.recipe"), open=False, elem_id="recipe", elem_classes="sj-fold"):
            recipe = view()
    return Picture(
        panel, image, about, stages, before, after, slider, recipe, files, downloads, budget, shrink, notice
    )


def wire(
    picture: Picture,
    site: Site,
    place: gr.State,
    outputs: set[Any],
    follow: Callable[[Updates, Place | None], Updates],
    inputs: Set[Any] = frozenset(),
) -> None:
    """Connect the panel.

    follow draws the page again, at a new place or, with None, where it is; inputs: what it needs beside place.
    """

    def act(data: Updates, touched: Json) -> Updates:
        return follow(data, after(site, data[picture.image], touched["act"], data[place]))

    def compare(data: Updates, _: Json) -> Updates:
        return {
            picture.slider: stage_pair(site, data[picture.image], data[picture.before], data[picture.after])
        }

    def shrink(data: Updates, _: Json) -> Updates:
        image, most = data[picture.image], int(data[picture.budget] or GIF_KB)
        return {picture.downloads: files_of(site, image) + files_of(site, image, most)}

    react(
        picture.shrink.click,
        told(site, picture.notice, shrink),
        {picture.image, picture.budget},
        {picture.downloads, picture.notice},
    )
    react(picture.about.click, told(site, picture.notice, act), {place, picture.image, *inputs}, outputs)
    chosen = {picture.image, picture.before, picture.after}
    for field in (picture.before, picture.after):
        react(field.input, told(site, picture.notice, compare), chosen, {picture.slider, picture.notice})


def after(site: Site, image: Json, act: str, here: Place) -> Place | None:
    """Do what was touched below an image and return the place where it leads; None stays here."""
    match act:
        case "favourite":
            site.api.set_favourite(image["id"], not image["favourite"])
            return None
        case "erase":
            site.api.delete(f"/images/{image['id']}")
        case "again":
            return place_of(site, image, keep_seed=True)
        case "reference":
            return place_after(site, image)
        case "learned":
            return made_place(site.api.redo_job(image["job_id"]), image)
        case "another":
            return ordered(site, place_of(site, image, keep_seed=False))
    return here.moved(image="")


def place_of(site: Site, image: Json, keep_seed: bool) -> Place:
    """Return the place where an image was ordered: its person, look and settings, with or without its seed."""
    job = site.api.read(f"/jobs/{image['job_id']}")
    options = {name: value for name, value in job["options"].items() if value not in (None, "", {})}
    options.pop("seed", None)
    if keep_seed and image["described"]:
        options["description"] = image["described"]["words"]
    seed = {"seed": image["seed"]} if keep_seed else {}
    return Place(
        subject=image["subject_id"] or "",
        step="look",
        preset=image["preset"],
        count=1,
        options=options | seed,
    )


def place_after(site: Site, image: Json) -> Place:
    """Return the place where a portrait after an image is ordered: the first look that takes a reference."""
    looks = [
        look
        for look in site.api.items("/presets")
        if any(option["key"] == REFERENCE for option in look["options"])
    ]
    return Place(
        subject=image["subject_id"] or "",
        step="look",
        preset=looks[0]["name"] if looks else "",
        options={REFERENCE: image["id"]},
    )


def made_place(job: Json, image: Json) -> Place:
    """Return the place where the pictures of a job will appear. image: of whom it is."""
    return Place(
        subject=image["subject_id"] or "",
        step="portraits",
        preset=job["preset"],
        job=job["id"],
        count=job["count"],
    )


def ordered(site: Site, place: Place) -> Place:
    """Order one picture at place and return where it will appear."""
    job = site.api.create_job(
        {"preset": place.preset, "subject": place.subject or None, "count": 1, "options": dict(place.options)}
    )
    return place.moved(step="portraits", job=job["id"])
