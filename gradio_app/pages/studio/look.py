"""Step 4: choose a look, a pose, how many, and, one fold deeper, every setting of the preset."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from gradio_app.api import Json
from gradio_app.frame import CLICKS, FIELDS, Updates, view
from gradio_app.pages.studio import scene as scenes
from gradio_app.pages.studio import section
from gradio_app.pages.studio.scene import INSTANT, LEARNED, Scene
from gradio_app.pages.studio.way import Way
from gradio_app.place import COUNTS, Place
from gradio_app.site import Site

STEP = "look"
EVERY_PRODUCT = ""
ORDER = "look"
"""A setting that was changed just before "make" was touched must be known by then."""

APART = ("pose", "photo", "image", "reference", "tone")
"""Options that have a place of their own on the page, outside the fold with all settings."""

OF_THE_LOOK = ("stages", "tone", "likeness_bar", "likeness_budget")
"""Options that end when another look is chosen, which may not have them."""


@dataclass(frozen=True)
class Look:
    """The components of step 4."""

    fold: gr.Accordion
    product: gr.Radio
    presets: gr.HTML
    poses_fold: gr.Accordion
    poses: gr.HTML
    pose_file: gr.UploadButton
    references_fold: gr.Accordion
    references: gr.HTML
    reference_file: gr.UploadButton
    tones_fold: gr.Accordion
    tones: gr.HTML
    count: gr.Radio
    settings: gr.HTML
    start: gr.Button
    notice: gr.HTML

    def outputs(self) -> set[Any]:
        """Return every component that an event may change."""
        return {
            self.fold, self.product, self.presets, self.poses_fold, self.poses, self.references_fold,
            self.references, self.tones_fold, self.tones, self.count, self.settings, self.start, self.notice,
        }  # fmt: skip

    def draw(self, site: Site, scene: Scene) -> Updates:
        """Show the looks with the chosen one marked, and its settings."""
        summary = scene.job["preset_title"] if scene.job else ""
        return {
            self.presets: looks(site, scene, EVERY_PRODUCT),
            self.product: product_filter(site, scene),
            self.poses: site.html("look_poses", poses=scene.poses, chosen=scene.place.option("", "pose")),
            self.poses_fold: gr.update(visible=takes(scene.preset, "pose")),
            self.references: references_of(site, scene),
            self.references_fold: gr.update(visible=takes(scene.preset, "reference")),
            self.tones: site.html("look_tones", tones=scene.tones, chosen=scene.place.option("", "tone")),
            self.tones_fold: gr.update(visible=takes(scene.preset, "tone")),
            self.count: gr.Radio(value=scene.place.count),
            self.settings: settings_of(site, scene),
            self.start: gr.Button(
                interactive=bool(scene.preset and obstacle(site, scene, scene.preset) == "")
            ),
        } | section.draw_fold(site, self.fold, STEP, scene, summary)

    def live(self, site: Site, scene: Scene) -> Updates:
        """Return nothing: this step does not move by itself."""
        return {}


def looks(site: Site, scene: Scene, product: str) -> str:
    """Return the grid of looks of one product, or of all."""
    shown = [
        preset | {"obstacle": obstacle(site, scene, preset)}
        for preset in scene.presets
        if product in (EVERY_PRODUCT, preset["product"])
    ]
    return site.html("look_presets", presets=shown, chosen=scene.place.preset)


def obstacle(site: Site, scene: Scene, preset: Json) -> str:
    """Return what stands between this person and this look, in words; nothing if it can be made."""
    if not preset["available"]:
        missing = [part["message"] for part in preset["missing"]]
        return " ".join(missing) or site.words("studio.look.unavailable")
    if takes_photo(preset) and not scene.place.option("", "photo"):
        return site.words("studio.look.photo_first")
    if preset["identity"] == INSTANT and not scene.place.option("", "photo") and not has_fit_photo(scene):
        return site.words("studio.look.one_photo_first")
    learned = bool(scene.subject and scene.subject["adapter"])
    if preset["identity"] == LEARNED and scene.subject and not learned:
        return site.words("studio.look.learn_first")
    return ""


def has_fit_photo(scene: Scene) -> bool:
    """Return whether a person is chosen of whom at least one photo can be used."""
    return bool(scene.subject and scene.subject["set"]["fit"])


def product_filter(site: Site, scene: Scene) -> Any:
    """Return the filter by product; it hides where there is only one product."""
    products = sorted({preset["product"] for preset in scene.presets})
    choices = [(site.words("studio.look.every_product"), EVERY_PRODUCT)]
    choices += [(site.words.known(f"product.{product}", product), product) for product in products]
    return gr.Radio(choices=choices, value=EVERY_PRODUCT, visible=len(products) > 1)


def takes(preset: Json | None, key: str) -> bool:
    """Return whether a look has an option, such as "pose", "reference" or "tone"."""
    return bool(preset) and any(option["key"] == key for option in (preset or {})["options"])


def references_of(site: Site, scene: Scene) -> str:
    """Return the pictures a portrait can take after: those sent, then the newest of the gallery."""
    sent = [pose for pose in scene.poses if not pose["bundled"]]
    return site.html(
        "look_references", sent=sent, images=scene.images, chosen=scene.place.option("", "reference")
    )


def takes_photo(preset: Json) -> bool:
    """Return whether a look works from a face photo sent for it; an instant one takes the person's best."""
    return preset["identity"] != INSTANT and any(option["key"] == "photo" for option in preset["options"])


def settings_of(site: Site, scene: Scene) -> str:
    """Return the form with every setting of the chosen look, grouped by stage."""
    options = [
        option for option in (scene.preset or {"options": []})["options"] if option["key"] not in APART
    ]
    stages: dict[str, list[Json]] = {}
    for option in options:
        stages.setdefault(option["stage"] or "", []).append(field_of(site, scene.place, option))
    names = {stage["name"]: stage["title"] for stage in scene.preset["stages"]} if scene.preset else {}
    left_out = scene.preset["left_out"] if scene.preset else []
    return site.html("look_settings", stages=stages, names=names, left_out=left_out)


def field_of(site: Site, place: Place, option: Json) -> Json:
    """Return one setting as the form shows it: its label, its value, and whether that was changed."""
    stage = option["stage"] or ""
    chosen = place.option(stage, option["key"])
    default = shown(option["default"])
    return option | {
        "stage": stage,
        "label": label_of(site, option),
        "default": default,
        "minimum": shown(option["minimum"]),
        "maximum": shown(option["maximum"]),
        "value": default if chosen is None else shown(chosen),
        "changed": chosen is not None,
    }


def label_of(site: Site, option: Json) -> str:
    """Return what a setting is called; a stage's own words are its prompt, those of the whole job are added to it."""
    key = option["key"]
    known = site.words.known(f"option.{key}", key.replace("_", " "))
    return site.words.known(f"option.stage_{key}", known) if option["stage"] else known


def shown(value: object) -> str:
    """Return a value of a setting as a field holds it: nothing for None, 7 for 7.0."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return "" if value is None else str(value)


def build(site: Site) -> Look:
    """Draw step 4."""
    words = site.words
    with section.fold(site, STEP) as fold:
        product = gr.Radio(
            label=words("studio.look.product"), choices=[], visible=False, elem_classes="sj-chips"
        )
        presets = view(name="looks", listens=CLICKS)
        with gr.Accordion(words("studio.look.pose"), open=False, elem_classes="sj-fold") as poses_fold:
            poses = view(name="poses", listens=CLICKS)
            pose_file = gr.UploadButton(
                words("studio.look.pose_upload"), file_types=["image"], elem_id="pose-file"
            )
        with gr.Accordion(
            words("studio.look.reference"), open=False, elem_id="references-fold", elem_classes="sj-fold"
        ) as references_fold:
            references = view(name="references", listens=CLICKS)
            reference_file = gr.UploadButton(
                words("studio.look.pose_upload"), file_types=["image"], elem_id="reference-file"
            )
        with gr.Accordion(
            words("studio.look.tone"), open=False, elem_id="tone-fold", elem_classes="sj-fold"
        ) as tones_fold:
            tones = view(name="tones", listens=CLICKS)
        count = gr.Radio(
            label=words("studio.look.count"),
            choices=[(str(count), count) for count in COUNTS],
            value=Place.count,
            elem_id="count",
            elem_classes="sj-chips",
        )
        with gr.Accordion(
            words("studio.look.settings"), open=False, elem_id="settings", elem_classes="sj-fold"
        ):
            settings = view(name="settings-form", listens=FIELDS)
        notice = view()
        start = gr.Button(words("studio.look.start"), variant="primary", elem_id="make")
    return Look(
        fold,
        product,
        presets,
        poses_fold,
        poses,
        pose_file,
        references_fold,
        references,
        reference_file,
        tones_fold,
        tones,
        count,
        settings,
        start,
        notice,
    )


def wire(look: Look, way: Way) -> None:
    """Connect the events of step 4."""
    wire_choices(look, way)
    wire_settings(look, way)

    def start(data: Updates, _: Json) -> Updates:
        place: Place = data[way.place]
        request = {"preset": place.preset, "subject": place.subject or None, "count": data[look.count]}
        job = way.site.api.create_job(request | {"options": dict(place.options)})
        return way.go(place.moved(job=job["id"], step="portraits", image="", count=data[look.count]))

    way.on(look.start.click, look.notice, start, {look.count}, order=ORDER)


def wire_choices(look: Look, way: Way) -> None:
    """Connect the grid of looks, its filter, the poses, the tones and the number of pictures."""

    def choose(data: Updates, touched: Json) -> Updates:
        place: Place = data[way.place]
        kept = {key: value for key, value in place.options.items() if key not in OF_THE_LOOK}
        return way.go(place.moved(preset=touched["name"], options=kept, step=STEP))

    def picture(data: Updates, touched: Json) -> Updates:
        return way.go(data[way.place].with_option("", touched["act"], touched["id"] or None).moved(step=STEP))

    def tone(data: Updates, touched: Json) -> Updates:
        return way.go(data[way.place].with_option("", "tone", touched["name"] or None).moved(step=STEP))

    def upload(data: Updates, _: Json) -> Updates:
        added = way.site.api.add_pose(Path(data[look.pose_file]))
        return way.go(data[way.place].with_option("", "pose", added["id"]).moved(step=STEP))

    def upload_reference(data: Updates, _: Json) -> Updates:
        added = way.site.api.add_pose(Path(data[look.reference_file]))
        return way.go(data[way.place].with_option("", "reference", added["id"]).moved(step=STEP))

    def filtered(data: Updates, _: Json) -> Updates:
        return {look.presets: looks(way.site, scenes.read(way.site.api, data[way.place]), data[look.product])}

    def counted(data: Updates, _: Json) -> Updates:
        place: Place = data[way.place].moved(count=data[look.count])
        return {way.place: place, way.frame.address: place.query()}

    way.on(look.presets.click, look.notice, choose, order=ORDER)
    way.on(look.poses.click, look.notice, picture, order=ORDER)
    way.on(look.references.click, look.notice, picture, order=ORDER)
    way.on(look.reference_file.upload, look.notice, upload_reference, {look.reference_file}, order=ORDER)
    way.on(look.tones.click, look.notice, tone, order=ORDER)
    way.on(look.pose_file.upload, look.notice, upload, {look.pose_file}, order=ORDER)
    way.on(look.product.input, look.notice, filtered, {look.product}, order=ORDER)
    way.on(look.count.input, look.notice, counted, {look.count}, order=ORDER)


def wire_settings(look: Look, way: Way) -> None:
    """Connect the form with all settings: a change is kept, "reset" goes back to the preset's own value."""

    def change(data: Updates, touched: Json) -> Updates:
        place: Place = data[way.place].with_option(touched["stage"], touched["key"], touched["value"])
        return {way.place: place, way.frame.address: place.query()}

    def reset(data: Updates, touched: Json) -> Updates:
        return way.go(data[way.place].with_option(touched["stage"], touched["key"], None).moved(step=STEP))

    way.on(look.settings.input, look.notice, change, order=ORDER)
    way.on(look.settings.click, look.notice, reset, order=ORDER)
