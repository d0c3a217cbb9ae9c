"""Which step is open, and which look comes first."""

from typing import Any

import pytest

from gradio_app.pages.studio.scene import first_look, open_step, settled
from gradio_app.place import Place

PRESETS = [
    {"name": "gone", "identity": "lora", "available": False},
    {"name": "profile", "identity": "lora", "available": True},
    {"name": "stranger", "identity": "none", "available": True},
]
JOB = {"preset": "stranger"}


def person(state: str, enough: bool) -> dict[str, Any]:
    return {"state": state, "set": {"enough": enough}, "adapter": None}


@pytest.mark.parametrize(
    ("subject", "job", "step"),
    [
        (None, None, "who"),
        (person("photos", enough=False), None, "photos"),
        (person("photos", enough=True), None, "learn"),
        (person("learning", enough=True), None, "learn"),
        (person("failed", enough=True), None, "learn"),
        (person("ready", enough=True), None, "look"),
        (person("ready", enough=True), JOB, "portraits"),
        (None, JOB, "portraits"),
    ],
)
def test_the_first_step_that_is_not_done_is_open(subject: Any, job: Any, step: str) -> None:
    assert open_step(Place(), subject, job) == step


def test_the_step_in_the_address_wins_if_it_can_be_opened() -> None:
    assert open_step(Place(step="photos"), person("ready", enough=True), None) == "photos"
    assert open_step(Place(step="photos"), None, None) == "who"
    assert open_step(Place(step="portraits"), None, None) == "who"


def test_a_person_begins_with_a_look_of_a_learned_person_and_nobody_with_one_that_needs_nobody() -> None:
    assert first_look(PRESETS, learnable=True) == "profile"
    assert first_look(PRESETS, learnable=False) == "stranger"


def test_where_nothing_fits_the_first_look_is_shown_with_what_is_missing() -> None:
    assert first_look(PRESETS[:1], learnable=True) == "gone"
    assert first_look([], learnable=True) == ""


def test_what_no_longer_exists_leaves_the_place() -> None:
    place = settled(Place(subject="s1", job="j1", preset="deleted"), None, None, PRESETS, learnable=False)
    assert place == Place(preset="stranger")


def test_a_job_brings_its_look() -> None:
    assert settled(Place(job="j1"), None, JOB, PRESETS, learnable=True).preset == "stranger"
