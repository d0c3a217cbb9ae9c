"""The start page without an answer of the API."""

import gradio as gr

from gradio_app import frame as frames
from gradio_app.api import Api
from gradio_app.frame import view
from gradio_app.pages.start import Start
from gradio_app.site import Site
from gradio_app.words import words_in


def test_without_an_answer_the_page_counts_as_cut_off_so_that_it_is_drawn_when_one_comes() -> None:
    site = Site(Api("http://127.0.0.1:9"), words_in("en"))
    with gr.Blocks():
        start = Start(site, frames.build(site, "start"), view())
    updates = frames.arrive(start.frame, start.go)
    assert updates[start.frame.reachable] is False
    assert site.words("frame.offline") in updates[start.frame.now]
    assert set(updates) <= start.outputs
