"""A step of the way: a fold with its number, its name, and one line that says what was done in it."""

import gradio as gr

from gradio_app.frame import Updates
from gradio_app.pages.studio.scene import Scene
from gradio_app.place import STEPS
from gradio_app.site import Site


def fold(site: Site, step: str) -> gr.Accordion:
    """Return the fold of a step, to be filled with a with statement."""
    return gr.Accordion(label(site, step, ""), open=False, elem_id=f"step-{step}", elem_classes=["sj-step"])


def label(site: Site, step: str, summary: str) -> str:
    """Return the line on the fold: number, name, and what was done."""
    title = site.words(f"studio.{step}.title")
    number = STEPS.index(step) + 1
    return site.words(
        "studio.step_done" if summary else "studio.step", number=number, title=title, summary=summary
    )


def draw_fold(site: Site, section: gr.Accordion, step: str, scene: Scene, summary: str) -> Updates:
    """Open the fold if it is its turn, and mark it as done when it has a summary."""
    state = "sj-here" if scene.step == step else "sj-done" if summary else "sj-waiting"
    return {
        section: gr.update(
            label=label(site, step, summary),
            open=scene.step == step,
            elem_classes=["sj-step", state],
        )
    }
