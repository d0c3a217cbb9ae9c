"""The pages, one module each."""

import gradio as gr

from gradio_app.pages import animal, animated, gallery, id_photo, jobs, people, servers, start, studio
from gradio_app.site import Site
from gradio_app.uploads import KEPT_SECONDS, SWEEP_SECONDS

OTHERS = (
    ("start", "start", start),
    ("id_photo", "id-photo", id_photo),
    ("animated", "animated", animated),
    ("animal", "animal", animal),
    ("people", "people", people),
    ("gallery", "gallery", gallery),
    ("jobs", "jobs", jobs),
    ("servers", "servers", servers),
)


def build(site: Site) -> gr.Blocks:
    """Draw all pages in one language."""
    blocks = gr.Blocks(
        title=site.words("app.title"),
        analytics_enabled=False,
        delete_cache=(SWEEP_SECONDS, KEPT_SECONDS),
        fill_width=True,
    )
    with blocks:
        studio.build(site, blocks)
    for name, path, page in OTHERS:
        with blocks.route(site.words(f"frame.nav.{name}"), f"/{path}"):
            page.build(site, blocks)
    return blocks
