"""Step 2: photos, each with its verdict at once, and one sentence about the set."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from gradio_app import frame as frames
from gradio_app.api import Json
from gradio_app.errors import ApiProblem, PageError
from gradio_app.frame import FIELDS, Updates, view
from gradio_app.pages.studio import section
from gradio_app.pages.studio.scene import Scene
from gradio_app.pages.studio.way import Way
from gradio_app.place import Place
from gradio_app.site import Site

STEP = "photos"
FILE_TYPES = ["image", ".heic", ".heif"]


@dataclass(frozen=True)
class Photos:
    """The components of step 2."""

    fold: gr.Accordion
    verdict: gr.HTML
    files: gr.File
    tiles: gr.HTML
    proceed: gr.Button
    notice: gr.HTML

    def outputs(self) -> set[Any]:
        """Return every component that an event may change."""
        return {self.fold, self.verdict, self.files, self.tiles, self.proceed, self.notice}

    def draw(self, site: Site, scene: Scene) -> Updates:
        """Show the photos and what the set still lacks."""
        fit = scene.subject["photos"]["fit"] if scene.subject else 0
        done = bool(scene.photos and scene.photos["set"]["enough"])
        summary = site.words.counted("studio.photos.done", fit) if done else ""
        tiles: Updates = {self.tiles: "", self.verdict: ""}
        if scene.photos and scene.coach:
            tiles = self.show(site, scene.photos, scene.coach, [])
        return tiles | section.draw_fold(site, self.fold, STEP, scene, summary)

    def live(self, site: Site, scene: Scene) -> Updates:
        """Return nothing: this step does not move by itself."""
        return {}

    def show(self, site: Site, photos: Json, coach: Json, waiting: list[str]) -> Updates:
        """Return the tiles, with a grey one for each file still waiting, and what there is to say about the set."""
        return {
            self.tiles: site.html("photo_tiles", photos=photos["items"], waiting=waiting),
            self.verdict: site.html("photo_set", set=photos["set"], coach=coach, total=len(photos["items"])),
            self.proceed: gr.Button(interactive=bool(photos["set"]["enough"]) and not waiting),
        }


def build(site: Site) -> Photos:
    """Draw step 2."""
    with section.fold(site, STEP) as fold:
        verdict = view(name="photo-set")
        view(site.html("photo_drop"))
        files = gr.File(
            label=site.words("studio.photos.drop"),
            file_count="multiple",
            file_types=FILE_TYPES,
            elem_id="photo-drop",
            height=132,
        )
        notice = view()
        tiles = view(name="photo-tiles", listens=FIELDS)
        proceed = gr.Button(
            site.words("studio.photos.proceed"), variant="primary", interactive=False, elem_id="photos-done"
        )
    return Photos(fold, verdict, files, tiles, proceed, notice)


def wire(photos: Photos, way: Way) -> None:
    """Connect the events of step 2."""

    def add(data: Updates) -> Iterator[Updates]:
        yield from upload(
            photos, way.site, data[way.place].subject, [Path(path) for path in data[photos.files] or []]
        )

    def remove(data: Updates, touched: Json) -> Updates:
        place: Place = data[way.place]
        way.site.api.delete(f"/subjects/{place.subject}/photos/{touched['id']}")
        return way.go(place.moved(step=STEP))

    def caption(data: Updates, touched: Json) -> Updates:
        place: Place = data[way.place]
        words = " ".join(str(touched["value"] or "").split())
        way.site.api.set_caption(place.subject, touched["id"], words or None)
        return way.go(place.moved(step=STEP))

    def proceed(data: Updates, _: Json) -> Updates:
        return way.go(data[way.place].moved(step=""))

    frames.react(photos.files.upload, add, {way.place, photos.files}, photos.outputs())
    way.on(photos.tiles.click, photos.notice, remove)
    way.on(photos.tiles.input, photos.notice, caption)
    way.on(photos.proceed.click, photos.notice, proceed)


def upload(photos: Photos, site: Site, subject_id: str, paths: list[Path]) -> Iterator[Updates]:
    """Hand the files to the API one by one, showing each verdict as it comes."""
    refused: list[Json] = []
    for done, path in enumerate(paths):
        waiting = [left.name for left in paths[done:]]
        yield shown(photos, site, subject_id, waiting, refused) | ({photos.files: None} if not done else {})
        try:
            refused += site.api.add_photo(subject_id, path)["refused"]
        except PageError as error:
            refused.append({"filename": path.name, "code": "", "message": reason(site, error)})
    yield shown(photos, site, subject_id, [], refused)


def reason(site: Site, error: PageError) -> str:
    """Return why an upload failed, in words."""
    return (error.detail or error.title) if isinstance(error, ApiProblem) else site.words("error.offline")


def shown(photos: Photos, site: Site, subject_id: str, waiting: list[str], refused: list[Json]) -> Updates:
    """Return the step as it stands in the middle of an upload."""
    notice = site.html("photo_refused", refused=refused) if refused else ""
    try:
        current = site.api.read(f"/subjects/{subject_id}/photos")
        coach = site.api.read(f"/subjects/{subject_id}/coach")
    except PageError as error:
        return {photos.notice: site.notice(error)}
    return photos.show(site, current, coach, waiting) | {photos.notice: notice}
