"""Jobs that promise a likeness: candidates are made up to a budget, and only those from the bar on are delivered."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from typing import Any

import pytest
from PIL import Image

from studio.errors import InvalidRequest, NotFound
from studio.faces.values import Likeness
from studio.promise import reaches
from studio.values import Job, Status
from tests.persons import astronaut, hopper
from tests.replay import Asked, Reply
from tests.unit.studio.painting_webui import PaintingWebui
from tests.unit.studio.test_instant_jobs import PRESET, RESTORE, SWAP, VERSION_RECORDING, person, restored
from tests.unit.studio.test_running_jobs import House, open_house

BAR = 0.6
HERSELF, ANOTHER = astronaut(4), hopper(4)
LARGE = PRESET.replace("width: 256\nheight: 256", "width: 512\nheight: 512")
NOBODY = LARGE.replace("identity: instant", "identity: none").replace("\n  face: {use: face_swap}", "")


class Painter:
    """Gives out these faces one after the other, whatever is asked for."""

    def __init__(self, *faces: bytes) -> None:
        self.faces = list(faces)

    def __call__(self, asked: Asked) -> Reply:
        out = io.BytesIO()
        Image.open(io.BytesIO(self.faces.pop(0))).resize((512, 512)).save(out, "PNG")
        return Reply(body={"images": [base64.b64encode(out.getvalue()).decode()], "infos": []})


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """One studio and server for the module, so that the face process starts once."""
    presets = {"instant": LARGE, "nobody": NOBODY}
    with PaintingWebui() as server:
        server.replay(VERSION_RECORDING)
        server.on("POST", RESTORE, restored)
        house = open_house(tmp_path_factory.mktemp("house"), [server], presets=presets)
        with house.base.closing:
            yield house


@pytest.fixture(scope="module")
def subject(house: House) -> str:
    return person(house, *HERSELF[:2])


def run(house: House, subject: str, painter: Painter, seed: int, count: int, **options: Any) -> Job:
    house.servers[0].on("POST", SWAP, painter)
    chosen = {"seed": seed, "likeness_bar": BAR, **options}
    return house.run(house.order(preset="instant", subject=subject, count=count, options=chosen))


def test_only_pictures_from_the_bar_on_are_delivered_and_no_more_are_made_than_that_takes(
    house: House, subject: str
) -> None:
    painter = Painter(ANOTHER[0], HERSELF[0], HERSELF[1], HERSELF[2])
    job = run(house, subject, painter, 100, 2)
    assert job.status is Status.SUCCEEDED, job.error
    assert [image.seed for image in job.images] == [101, 102]
    assert all(image.likeness is not None and image.likeness >= BAR for image in job.images)
    assert job.promise is not None
    assert (job.promise.made, job.promise.reached, len(painter.faces)) == (3, 2, 1)


def test_a_promise_that_cannot_be_kept_says_so_with_the_best_it_had_and_a_retry_makes_others(
    house: House, subject: str
) -> None:
    painter = Painter(ANOTHER[0], HERSELF[0], ANOTHER[1], HERSELF[1])
    job = run(house, subject, painter, 200, 2, likeness_budget=3)
    assert (job.status, job.error and job.error.code) == (Status.FAILED, "likeness_not_reached")
    assert [image.seed for image in job.images] == [201]
    assert job.promise is not None
    assert (job.promise.made, job.promise.reached) == (3, 1)
    assert job.promise.nearest is not None
    assert job.promise.nearest < BAR
    assert Image.open(house.studio.nearest_picture(job.id)).size == (512, 512)

    again = house.run(house.studio.retry_job(job.id))
    assert again.status is Status.SUCCEEDED, again.error
    assert [image.seed for image in again.images] == [201, 203]
    assert again.promise is not None
    assert (again.promise.made, again.promise.reached) == (4, 2)


def test_a_candidate_that_is_finished_twice_counts_once(house: House, subject: str) -> None:
    job = run(house, subject, Painter(ANOTHER[0]), 300, 1, likeness_budget=1)
    assert house.steps.finish(job.id, 0) is False
    after = house.studio.job(job.id)
    assert after.promise == job.promise
    assert after.images == ()


def test_a_job_whose_photos_are_gone_cannot_tell_a_likeness_and_ends(house: House) -> None:
    subject = person(house, HERSELF[0])
    job = house.order(preset="instant", subject=subject, options={"likeness_bar": BAR})
    outline = house.steps.open(job.id, 0)
    assert outline is not None
    house.servers[0].on("POST", SWAP, Painter(HERSELF[0]))
    assert all(house.steps.stage(job.id, 0, stage) for stage in outline["stages"])
    (photo,) = house.studio.photos(subject).items
    house.studio.remove_photo(subject, photo.id)
    assert house.steps.finish(job.id, 0) is None
    ended = house.studio.job(job.id)
    assert (ended.status, ended.error and ended.error.code) == (Status.FAILED, "not_enough_photos")


def test_a_job_without_a_bar_promises_nothing(house: House, subject: str) -> None:
    house.servers[0].on("POST", SWAP, Painter(ANOTHER[0]))
    job = house.run(house.order(preset="instant", subject=subject))
    assert (job.status, job.promise, len(job.images)) == (Status.SUCCEEDED, None, 1)
    with pytest.raises(NotFound):
        house.studio.nearest_picture(job.id)


@pytest.mark.parametrize(
    ("order", "place"),
    [
        ({"preset": "nobody", "options": {"likeness_bar": BAR}}, "options.likeness_bar"),
        ({"preset": "instant", "options": {"likeness_bar": BAR}}, "options.likeness_bar"),
        ({"preset": "nobody", "options": {"likeness_budget": 3}}, "options.likeness_budget"),
    ],
    ids=["of nobody", "without photos to compare with", "a budget for nothing"],
)
def test_a_promise_that_means_nothing_is_refused(house: House, order: dict[str, Any], place: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        house.order(**order)
    assert [problem[0] for problem in refused.value.problems] == [place]


def test_a_budget_smaller_than_the_order_is_refused(house: House, subject: str) -> None:
    options = {"likeness_bar": BAR, "likeness_budget": 2}
    with pytest.raises(InvalidRequest, match="at least the 3 pictures"):
        house.order(preset="instant", subject=subject, count=3, options=options)


@pytest.mark.parametrize(
    ("score", "measure", "demonstration", "enough"),
    [
        (0.6, "face", False, True),
        (0.59, "face", False, False),
        (0.9, "colours", False, False),
        (0.9, "colours", True, True),
    ],
)
def test_colours_prove_a_likeness_on_the_demonstration_model_only(
    score: float, measure: Any, demonstration: bool, enough: bool
) -> None:
    assert reaches(Likeness(score=score, measure=measure), BAR, demonstration=demonstration) is enough
