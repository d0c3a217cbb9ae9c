"""Step 3: teach the model who the person is, with honest progress."""

from dataclasses import dataclass
from typing import Any

import gradio as gr

from gradio_app.api import Json
from gradio_app.frame import CLICKS, Updates, view
from gradio_app.pages.studio import scene as scenes
from gradio_app.pages.studio import section
from gradio_app.pages.studio.scene import Scene, unfinished
from gradio_app.pages.studio.way import Way
from gradio_app.site import Site, percent_of

STEP = "learn"
MOST_STEPS = 20_000
USUAL = ""
METHODS = (
    USUAL,
    "locon",
    "dreambooth_lora",
    "dreambooth",
    "textual_inversion",
    "momentum_inversion",
    "pivotal_tuning",
)


@dataclass(frozen=True)
class Learn:
    """The components of step 3."""

    fold: gr.Accordion
    state: gr.HTML
    start: gr.Button
    settings: gr.Accordion
    steps: gr.Number
    trainer: gr.Dropdown
    meanwhile: gr.Button
    method: gr.Dropdown
    proceed: gr.Button
    notice: gr.HTML

    def outputs(self) -> set[Any]:
        """Return every component that an event may change."""
        return {
            self.fold,
            self.state,
            self.start,
            self.settings,
            self.steps,
            self.trainer,
            self.meanwhile,
            self.method,
            self.proceed,
            self.notice,
        }

    def draw(self, site: Site, scene: Scene) -> Updates:
        """Show how far the learning is, and the button that fits."""
        learned = bool(scene.subject and scene.subject["adapter"])
        summary = site.words("studio.learn.done") if learned else ""
        running = bool(scene.training and unfinished(scene.training))
        able = scene.status["training"]["available"]
        return {
            self.state: state_of(site, scene),
            self.start: gr.Button(
                site.words("studio.learn.again" if scene.training else "studio.learn.start"),
                visible=able and not running,
                interactive=bool(scene.photos and scene.photos["set"]["enough"]),
                variant="secondary" if learned else "primary",
            ),
            self.settings: gr.update(visible=able and not running),
            self.trainer: trainers_of(site, scene),
            self.meanwhile: gr.Button(visible=running and bool(scenes.instant_look(scene.presets))),
            self.method: gr.update(visible="embedded" in scene.status["training"]["trainers"]),
            self.proceed: gr.Button(visible=learned or not able),
        } | section.draw_fold(site, self.fold, STEP, scene, summary)

    def live(self, site: Site, scene: Scene) -> Updates:
        """Show how far the learning is."""
        return {self.state: state_of(site, scene)} if scene.training else {}


def state_of(site: Site, scene: Scene) -> str:
    """Return the state of the learning: not begun, waiting, running with time left, or how it ended."""
    training = scene.training
    if not training:
        return site.html("learn_before", training=scene.status["training"])
    return site.html(
        "learn_state",
        training=training,
        done=percent_of(training),
        percent=site.words.percent(training["progress"]),
        left=site.words.duration(training["eta_seconds"]),
        running=unfinished(training),
    )


def trainers_of(site: Site, scene: Scene) -> gr.Dropdown:
    """Return the choice among the trainers that could learn; hidden where there is none to make."""
    training = scene.status["training"]
    names = {name: site.words(f"studio.learn.trainers.{name}") for name in training["trainers"]}
    usual = site.words(f"studio.learn.trainers.{training['trainer']}")
    others = [(label, name) for name, label in names.items() if name != training["trainer"]]
    choices = [(site.words("studio.learn.trainer_usual", name=usual), USUAL), *others]
    return gr.Dropdown(choices=choices, value=USUAL, visible=bool(others))


def build(site: Site) -> Learn:
    """Draw step 3."""
    words = site.words
    with section.fold(site, STEP) as fold:
        state = view(name="learn-state", listens=CLICKS)
        notice = view()
        meanwhile = gr.Button(
            words("studio.learn.meanwhile"), variant="primary", visible=False, elem_id="meanwhile"
        )
        start = gr.Button(words("studio.learn.start"), variant="primary", elem_id="learn-start")
        proceed = gr.Button(
            words("studio.learn.proceed"), variant="primary", visible=False, elem_id="learn-done"
        )
        with gr.Accordion(words("studio.learn.settings"), open=False, elem_classes="sj-fold") as settings:
            steps = gr.Number(
                label=words("studio.learn.steps"),
                info=words("studio.learn.steps_info"),
                value=None,
                precision=0,
                minimum=0,  # what Gradio makes of an empty field once it is shown
                maximum=MOST_STEPS,
                elem_id="learn-steps",
            )
            trainer = gr.Dropdown(
                label=words("studio.learn.trainer"),
                info=words("studio.learn.trainer_info"),
                choices=[],
                visible=False,
                elem_id="learn-trainer",
            )
            method = gr.Dropdown(
                label=words("studio.learn.method"),
                info=words("studio.learn.method_info"),
                choices=[(words(f"studio.learn.methods.{name or 'usual'}"), name) for name in METHODS],
                value=USUAL,
                elem_id="learn-method",
            )
    return Learn(fold, state, start, settings, steps, trainer, meanwhile, method, proceed, notice)


def wire(learn: Learn, way: Way) -> None:
    """Connect the events of step 3."""

    def start(data: Updates, _: Json) -> Updates:
        place = data[way.place]
        method = {"name": data[learn.method]} if data[learn.method] else None
        options = {
            "steps": data[learn.steps] or None,
            "trainer": data[learn.trainer] or None,
            "method": method,
        }
        way.site.api.post(f"/subjects/{place.subject}/trainings", options)
        return way.go(place.moved(step=STEP))

    def cancel(data: Updates, touched: Json) -> Updates:
        place = data[way.place]
        way.site.api.post(f"/subjects/{place.subject}/trainings/{touched['id']}/cancel")
        return way.go(place)

    def meanwhile(data: Updates, _: Json) -> Updates:
        look = scenes.instant_look(way.site.api.items("/presets"))
        return way.go(data[way.place].moved(step="look", preset=look, count=1))

    def proceed(data: Updates, _: Json) -> Updates:
        return way.go(data[way.place].moved(step="look"))

    way.on(learn.start.click, learn.notice, start, {learn.steps, learn.trainer, learn.method})
    way.on(learn.state.click, learn.notice, cancel)
    way.on(learn.meanwhile.click, learn.notice, meanwhile)
    way.on(learn.proceed.click, learn.notice, proceed)
