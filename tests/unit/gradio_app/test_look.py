"""What stands between a person and a look, in words."""

from dataclasses import replace
from typing import Any

import pytest

from gradio_app.api import Api
from gradio_app.pages.start import address_of
from gradio_app.pages.studio.look import label_of, obstacle
from gradio_app.pages.studio.portraits import job_view, learned
from gradio_app.pages.studio.scene import Scene
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


FROM_PHOTO = {"images": [{"stages": [{"use": "txt2img"}, {"use": "face_swap"}]}]}
LEARNING = {"status": "running"}


@pytest.mark.parametrize(
    ("job", "subject", "offered"),
    [
        (FROM_PHOTO, {"adapter": {"name": "a"}, "training": None}, "ready"),
        (FROM_PHOTO, {"adapter": None, "training": LEARNING}, "soon"),
        (FROM_PHOTO, {"adapter": None, "training": None}, ""),
        (FROM_PHOTO, None, ""),
        ({"images": [{"stages": [{"use": "txt2img"}]}]}, {"adapter": {"name": "a"}, "training": None}, ""),
        (None, {"adapter": {"name": "a"}, "training": None}, ""),
    ],
)
def test_pictures_from_a_photo_are_offered_again_once_the_person_is_learned(
    job: Any, subject: Any, offered: str
) -> None:
    assert learned(replace(scene(Place()), job=job, subject=subject)) == offered


@pytest.mark.parametrize(
    ("state", "shown"),
    [
        ("ready", 'data-act="learned"'),
        ("soon", SITE.words("studio.portraits.learned_soon")),
    ],
)
def test_the_page_says_so_below_the_finished_pictures(state: str, shown: str) -> None:
    done = {
        "status": "succeeded",
        "stage": None,
        "progress": 1.0,
        "eta_seconds": None,
        "demonstration": False,
        "promise": None,
    }
    assert shown in job_view(SITE, [], done, learned=state)
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
