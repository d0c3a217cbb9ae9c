"""What stands between a person and a look, in words."""

from typing import Any

from gradio_app.api import Api
from gradio_app.pages.studio.look import obstacle
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
        presets=[OWL],
        poses=[],
        job=None,
        status={},
    )


def test_a_look_that_works_from_a_photo_points_to_its_page_until_a_photo_is_there() -> None:
    assert obstacle(SITE, scene(Place()), OWL) == SITE.words("studio.look.photo_first")
    assert obstacle(SITE, scene(Place(options={"photo": "abc"})), OWL) == ""


def test_what_no_server_has_is_said_first() -> None:
    lacking = OWL | {"available": False, "missing": [{"message": "No server has it."}]}
    assert obstacle(SITE, scene(Place()), lacking) == "No server has it."
