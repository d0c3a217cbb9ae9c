"""Instant jobs: one photo, no learning; the face by whichever swapper the server has, and proof that it is there."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from typing import Any

import pytest
from PIL import Image, ImageDraw

from studio.database.tables import AdapterRow, TrainingRow
from studio.errors import NoFitPhoto, NothingLearned
from studio.photo_rows import best_photo, photos_of
from studio.records import new_id, now
from studio.values import Job, NewSubject, Status, UploadedFile
from tests.persons import as_jpeg, astronaut
from tests.replay import Asked, Reply
from tests.unit.studio.painting_webui import MODEL, PaintingWebui
from tests.unit.studio.test_running_jobs import House, open_house

SWAP = "/faceswaplab/swap_face"
VERSION_RECORDING = 36
RESTORE = "/sdapi/v1/extra-single-image"
PRESET = """\
title: {en: Instant, ko: 바로}
product: instant
identity: instant
width: 256
height: 256
prompt: photo of a {subject}
negative_prompt: blurry
steps: 3
sampler: Euler a
scheduler: Automatic
stages:
  skeleton: {use: txt2img}
  face: {use: face_swap}
"""


def swapped(asked: Asked) -> Reply:
    image = Image.open(io.BytesIO(base64.b64decode(asked.json["image"]))).convert("RGB")
    ImageDraw.Draw(image).ellipse((90, 60, 160, 150), fill="peru")
    out = io.BytesIO()
    image.save(out, "PNG")
    return Reply(body={"images": [base64.b64encode(out.getvalue()).decode()], "infos": []})


def restored(asked: Asked) -> Reply:
    return Reply(body={"image": asked.json["image"], "html_info": ""})


def left_alone(asked: Asked) -> Reply:
    return Reply(body={"images": [asked.json["image"]], "infos": []})


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """One studio and server for the module, so that the face process starts once."""
    with PaintingWebui() as server:
        house = open_house(tmp_path_factory.mktemp("house"), [server], presets={"instant": PRESET})
        with house.base.closing:
            yield house


@pytest.fixture(autouse=True)
def server(house: House) -> PaintingWebui:
    """The server as it was at first; it swaps and restores."""
    server = house.servers[0]
    server.asked.clear()
    server.painted = 0
    server.replay(VERSION_RECORDING)
    server.on("POST", SWAP, swapped)
    server.on("POST", RESTORE, restored)
    return server


def person(house: House, *photos: bytes) -> str:
    subject = house.studio.create_subject(NewSubject(name="Eileen", consent=True))
    files = [
        UploadedFile(filename=f"{number}.jpg", stream=io.BytesIO(photo))
        for number, photo in enumerate(photos)
    ]
    house.studio.add_photos(subject.id, files)
    return subject.id


def run(house: House, **request: Any) -> Job:
    return house.run(house.order(preset="instant", **request))


def test_one_photo_is_enough_for_a_portrait_with_its_face(house: House, server: PaintingWebui) -> None:
    job = run(house, subject=person(house, astronaut(1)[0]))
    assert job.status is Status.SUCCEEDED, job.error
    (image,) = job.images
    assert [stage.name for stage in image.stages] == ["skeleton", "face"]
    assert image.likeness is not None
    (sent,) = server.calls(SWAP)
    photo = Image.open(io.BytesIO(base64.b64decode(sent.json["units"][0]["source_img"])))
    assert photo.size == Image.open(io.BytesIO(astronaut(1)[0])).size


def test_the_face_is_restored_in_a_call_of_its_own_where_the_server_can(
    house: House, server: PaintingWebui
) -> None:
    job = run(house, subject=person(house, astronaut(1)[0]))
    assert job.status is Status.SUCCEEDED, job.error
    (sent,) = server.calls(RESTORE)
    assert (sent.json["codeformer_visibility"], sent.json["gfpgan_visibility"]) == (0.0, 1.0)
    assert sent.json["image"] != server.calls(SWAP)[0].json["image"]


def test_the_recipe_names_the_swap_and_the_words_still_restore_the_settings(house: House) -> None:
    job = run(house, subject=person(house, astronaut(1)[0]), options={"seed": 7})
    recipe: dict[str, Any] = house.studio.recipe(job.images[0].id)
    assert recipe["stages"][-1]["request"]["swapper"] == "faceswaplab"
    assert job.images[0].prompt.startswith("photo of a")


def test_a_picture_that_comes_back_unchanged_fails_the_job_and_stays_as_a_stage(
    house: House, server: PaintingWebui
) -> None:
    server.on("POST", SWAP, left_alone)
    job = run(house, subject=person(house, astronaut(1)[0]), options={"seed": 7})
    assert job.status is Status.FAILED
    assert job.error is not None
    assert (job.error.code, job.error.stage) == ("face_not_swapped", "face")
    assert len(server.calls(SWAP)) == 1
    server.on("POST", SWAP, swapped)
    again = house.run(house.studio.retry_job(job.id))
    assert again.status is Status.SUCCEEDED
    assert server.painted == 1


def test_a_person_without_a_fit_photo_is_refused_before_anything_starts(house: House) -> None:
    plain = as_jpeg(Image.new("RGB", (800, 800), "teal"))
    with pytest.raises(NoFitPhoto):
        house.order(preset="instant", subject=person(house, plain))


def test_a_job_whose_last_fit_photo_was_erased_while_it_waited_says_so(
    house: House, server: PaintingWebui
) -> None:
    subject = person(house, astronaut(1)[0])
    job = house.order(preset="instant", subject=subject)
    (photo,) = house.studio.photos(subject).items
    house.studio.remove_photo(subject, photo.id)
    ended = house.run(job)
    assert ended.error is not None
    assert (ended.status, ended.error.code) == (Status.FAILED, "no_fit_photo")
    assert server.painted == 0


def test_nobody_at_all_is_refused(house: House) -> None:
    with pytest.raises(NoFitPhoto):
        house.order(preset="instant")


def test_a_sent_face_photo_does_without_a_person(house: House, server: PaintingWebui) -> None:
    upload = UploadedFile(filename="me.jpg", stream=io.BytesIO(astronaut(1)[0]))
    photo = house.studio.add_face_photo(upload, consent=True)
    job = run(house, options={"photo": photo.id})
    assert job.status is Status.SUCCEEDED, job.error
    assert job.images[0].likeness is None


def learning(house: House, subject: str, status: Status) -> None:
    """Let a training of the subject stand in the database."""
    row = TrainingRow(
        id=new_id(), owner_id="local", subject_id=subject, trainer="embedded", status=status, phase="", progress=0.5,
        eta_seconds=None, step=1, steps=2, options={}, checkpoint=MODEL, demonstration=False,
        cancel_requested=False, error=None, adapter_id=None, created_at=now(), started_at=None, finished_at=None,
    )  # fmt: skip
    with house.base.database.write() as session:
        session.add(row)


def learned(house: House, subject: str) -> None:
    """Let an adapter of the subject stand in the database."""
    row = AdapterRow(
        id=new_id(), owner_id="local", subject_id=subject, name=f"sajin-{subject}", trigger="sks", checkpoint=MODEL,
        path="adapters/none", sha256="0", steps=2, seconds=1.0, form="lora", notes=[], demonstration=False,
        created_at=now(),
    )  # fmt: skip
    with house.base.database.write() as session:
        session.add(row)


def test_a_finished_instant_job_waits_for_what_is_being_learned_and_is_made_again_with_it(
    house: House,
) -> None:
    subject = person(house, astronaut(1)[0])
    job = run(house, subject=subject)
    assert house.studio.job(job.id).redo == "none"
    learning(house, subject, Status.RUNNING)
    assert [each.redo for each in house.studio.jobs().items if each.id == job.id] == ["learning"]
    with pytest.raises(NothingLearned):
        house.studio.redo_job(job.id)
    learned(house, subject)
    assert house.studio.job(job.id).redo == "ready"
    again = house.studio.redo_job(job.id, "one touch")
    assert house.studio.redo_job(job.id, "one touch").id == again.id
    assert (again.preset, again.subject, again.count) == (job.preset, subject, job.count)
    assert again.options.seed == job.images[0].seed
    assert house.studio.job(again.id).redo == "none"


def test_a_photo_sent_for_a_person_is_given_up_when_that_person_is_learned(house: House) -> None:
    subject = person(house, astronaut(1)[0])
    upload = UploadedFile(filename="me.jpg", stream=io.BytesIO(astronaut(1)[0]))
    photo = house.studio.add_face_photo(upload, consent=True, subject_id=subject)
    job = run(house, options={"photo": photo.id})
    learned(house, subject)
    assert house.studio.redo_job(job.id).options.photo is None


def test_a_job_of_nobody_is_never_made_again_so(house: House) -> None:
    upload = UploadedFile(filename="me.jpg", stream=io.BytesIO(astronaut(1)[0]))
    photo = house.studio.add_face_photo(upload, consent=True)
    job = run(house, options={"photo": photo.id})
    assert house.studio.job(job.id).redo == "none"
    with pytest.raises(NothingLearned):
        house.studio.redo_job(job.id)


def test_without_a_swapper_the_job_ends_before_anything_is_painted(
    house: House, server: PaintingWebui
) -> None:
    server.without("/faceswaplab/version")
    house.steps.pool.clients[0].probe()
    job = run(house, subject=person(house, astronaut(1)[0]))
    assert job.error is not None
    assert job.error.code == "missing_capability"
    assert "face swapper 'faceswaplab / reactor / roop'" in job.error.message
    assert server.painted == 0


def test_the_best_photo_is_large_frontal_and_sharp(house: House) -> None:
    sharp = astronaut(2)
    blurred = Image.open(io.BytesIO(sharp[0])).resize((96, 96)).resize((768, 768))
    small = Image.open(io.BytesIO(sharp[1])).resize((400, 400))
    subject = person(house, as_jpeg(blurred), as_jpeg(small), astronaut(4)[3])
    with house.base.database.read() as session:
        best = best_photo(photos_of(session, subject))
    assert best is not None
    assert best.filename == "2.jpg"
