"""The pages, one module each."""

import gradio as gr

from gradio_app.pages import gallery, jobs, people, servers, studio
from gradio_app.site import Site
from gradio_app.uploads import KEPT_SECONDS, SWEEP_SECONDS

OTHERS = (("people", people), ("gallery", gallery), ("jobs", jobs), ("servers", servers))


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
    for name, page in OTHERS:
        with blocks.route(site.words(f"frame.nav.{name}"), f"/{name}"):
            page.build(site, blocks)
    return blocks
