"""What stands between a person and a look, in words."""

from dataclasses import replace
from typing import Any

import pytest

from gradio_app.api import Api
from gradio_app.pages.start import address_of
from gradio_app.pages.studio.look import label_of, obstacle, references_of
from gradio_app.pages.studio.portraits import job_view
from gradio_app.pages.studio.scene import Scene, instant_look
from gradio_app.place import Place
from gradio_app.site import Site
from gradio_app.words import words_in

SITE = Site(Api("http://127.0.0.1:9"), words_in("en"))
OWL: dict[str, Any] = {"identity": "none", "available": True, "missing": [], "options": [{"key": "photo"}]}


def scene(place: Place) -> Scene:
    return Scene(
        place=place,
        step="look",
        subjects=[],
        subject=None,
        photos=None,
        coach=None,
        presets=[OWL],
        poses=[],
        images=[],
        tones=[],
        job=None,
        status={},
    )


def test_a_look_that_works_from_a_photo_points_to_its_page_until_a_photo_is_there() -> None:
    assert obstacle(SITE, scene(Place()), OWL) == SITE.words("studio.look.photo_first")
    assert obstacle(SITE, scene(Place(options={"photo": "abc"})), OWL) == ""


def test_what_no_server_has_is_said_first() -> None:
    lacking = OWL | {"available": False, "missing": [{"message": "No server has it."}]}
    assert obstacle(SITE, scene(Place()), lacking) == "No server has it."


INSTANT: dict[str, Any] = OWL | {"identity": "instant"}


def test_an_instant_look_wants_one_good_photo_of_somebody_and_no_learning() -> None:
    missing = SITE.words("studio.look.one_photo_first")
    nobody = scene(Place())
    assert obstacle(SITE, nobody, INSTANT) == missing
    assert obstacle(SITE, replace(nobody, subject={"adapter": None, "set": {"fit": 0}}), INSTANT) == missing
    assert obstacle(SITE, replace(nobody, subject={"adapter": None, "set": {"fit": 1}}), INSTANT) == ""
    assert obstacle(SITE, scene(Place(options={"photo": "abc"})), INSTANT) == ""


@pytest.mark.parametrize(
    ("redo", "shown"),
    [
        ("ready", 'data-act="learned"'),
        ("learning", SITE.words("studio.portraits.learned_soon")),
    ],
)
def test_below_finished_pictures_from_a_photo_stands_what_learning_will_give(redo: str, shown: str) -> None:
    done: dict[str, Any] = {
        "status": "succeeded",
        "stage": None,
        "progress": 1.0,
        "eta_seconds": None,
        "demonstration": False,
        "promise": None,
        "redo": "none",
    }
    assert shown in job_view(SITE, [], done | {"redo": redo})
    assert shown not in job_view(SITE, [], done)


def test_a_likeness_that_was_not_reached_is_told_with_the_picture_that_came_nearest() -> None:
    promise = {"message": "1 of 2 reach it.", "made": 12, "nearest_url": "/api/v1/jobs/j1/nearest"}
    error = {"code": "likeness_not_reached", "message": "Too few."}
    failed = {"status": "failed", "stage": None, "progress": 1.0, "eta_seconds": None, "error": error}
    shown = job_view(SITE, [], failed | {"promise": promise})
    assert "1 of 2 reach it." in shown
    assert 'src="/media/jobs/j1/nearest?at=12"' in shown
    assert SITE.words("studio.portraits.make_more") in shown
    other = job_view(SITE, [], failed | {"promise": promise, "error": error | {"code": "webui_failed"}})
    assert "nearest" not in other


def test_pictures_to_take_after_are_the_sent_ones_and_the_gallery_never_drawn_poses() -> None:
    drawn = {"id": "shipped-front", "title": "Front", "url": "/p1", "bundled": True}
    sent = {"id": "mine", "title": "Mine", "url": "/p2", "bundled": False}
    image = {"id": "i1", "thumbnail_url": "/i1", "alt": "A portrait"}
    place = Place(options={"reference": "i1"})
    shown = references_of(SITE, replace(scene(place), poses=[drawn, sent], images=[image]))
    assert 'data-id="mine" aria-pressed="false"' in shown
    assert 'data-id="i1" aria-pressed="true"' in shown
    assert 'data-id="" aria-pressed="false"' in shown
    assert "shipped-front" not in shown


def test_the_first_possible_instant_look_is_offered_while_somebody_is_learned() -> None:
    looks = [
        {"name": "learned", "identity": "lora", "available": True},
        {"name": "lacking", "identity": "instant", "available": False},
        {"name": "now", "identity": "instant", "available": True},
    ]
    assert instant_look(looks) == "now"
    assert instant_look(looks[:2]) == ""


def test_the_words_of_a_stage_are_its_prompt_and_those_of_the_job_are_added_to_it() -> None:
    assert label_of(SITE, {"key": "prompt", "stage": "tone"}) == SITE.words("option.stage_prompt")
    assert label_of(SITE, {"key": "prompt", "stage": None}) == SITE.words("option.prompt")
    assert label_of(SITE, {"key": "steps", "stage": "tone"}) == SITE.words("option.steps")


@pytest.mark.parametrize(
    ("name", "presets", "address"),
    [
        ("id_photo", [], "/en/id-photo"),
        ("animal", ["animal"], "/en/animal"),
        ("instant", ["instant", "instant-business"], "/en/?preset=instant"),
        ("workbench", ["studio-profile"], "/en/?step=look&preset=studio-profile"),
    ],
)
def test_a_product_leads_to_its_own_page_or_to_the_studio_with_its_first_look(
    name: str, presets: list[str], address: str
) -> None:
    assert address_of(SITE, {"name": name, "presets": presets}) == address
