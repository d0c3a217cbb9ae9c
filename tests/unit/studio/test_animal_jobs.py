"""Animal jobs on a real WebUI's contract: what the server is asked, and servers that only say that they did it."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from typing import Any

import pytest
from PIL import Image

from studio.settings import REPOSITORY
from studio.values import FacePhoto, Job, Status, UploadedFile
from tests.replay import Asked, Reply
from tests.unit.id_photo.faces import VARIATIONS, photo
from tests.unit.studio.painting_webui import PaintingWebui, answer_to, painted
from tests.unit.studio.test_running_jobs import House, open_house

PRESETS = ("animal", "animal-pose", "animal-repaint")
TXT2IMG = "/sdapi/v1/txt2img"
KEY = "ControlNet 0"


def with_key_alone(asked: Asked) -> Reply:
    """Write into the infotext that the ControlNet is in use, and send no detected map: its model failed to load."""
    unit = asked.json["alwayson_scripts"]["ControlNet"]["args"][0]
    told = f"Module: {unit['module']}, Model: {unit['model']}, Weight: {unit['weight']}"
    answer = answer_to(asked.json, extra_generation_params={KEY: told})
    return Reply(body=answer)


def with_map(asked: Asked) -> Reply:
    """Do what was asked: the key and, after the picture, the detected map."""
    answer: dict[str, Any] = with_key_alone(asked).body
    answer["images"].append(painted(asked.json["width"], asked.json["height"], 9, ""))
    return Reply(body=answer)


def with_black_map(asked: Asked) -> Reply:
    """Do what was asked, though the preprocessor finds nothing in the photo."""
    answer: dict[str, Any] = with_key_alone(asked).body
    out = io.BytesIO()
    Image.new("RGB", (asked.json["width"], asked.json["height"])).save(out, "PNG")
    answer["images"].append(base64.b64encode(out.getvalue()).decode())
    return Reply(body=answer)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """One studio and server for the module, so that the face process starts once."""
    presets = {
        name: (REPOSITORY / "presets" / f"{name}.yaml").read_text(encoding="utf-8") for name in PRESETS
    }
    with PaintingWebui() as server:
        house = open_house(tmp_path_factory.mktemp("house"), [server], presets=presets)
        with house.base.closing:
            yield house


@pytest.fixture(scope="module")
def kept(house: House) -> FacePhoto:
    picture = UploadedFile(filename="me.jpg", stream=io.BytesIO(photo(VARIATIONS[1])))
    return house.studio.add_face_photo(picture, consent=True, subject_id=None)


@pytest.fixture(autouse=True)
def server(house: House) -> PaintingWebui:
    """The server as it was recorded: with a ControlNet of poses and none of faces."""
    server = house.servers[0]
    server.asked.clear()
    server.misbehave = []
    return server


def run(house: House, kept: FacePhoto, preset: str) -> Job:
    """A job of its own seed, so that no other's stages stand in for it."""
    return house.run(house.order(preset=preset, options={"photo": kept.id, "animal": "red-fox"}))


def test_the_photo_guides_the_animal_and_no_lora_of_another_model_is_asked_for(
    house: House, server: PaintingWebui, kept: FacePhoto
) -> None:
    server.misbehave = [with_map]
    job = run(house, kept, "animal-pose")
    assert job.status is Status.SUCCEEDED, job.error
    (sent,) = server.calls(TXT2IMG)
    assert sent.json["prompt"].startswith("red fox, close up")
    assert "<lora:" not in sent.json["prompt"]
    (unit,) = sent.json["alwayson_scripts"]["ControlNet"]["args"]
    assert Image.open(io.BytesIO(base64.b64decode(unit["image"]))).width == kept.width
    assert house.studio.recipe(job.images[0].id)["choices"] == []


IDLE_SERVERS = {
    "says nothing of the ControlNet": (lambda asked: Reply(body=answer_to(asked.json)), "rejected"),
    "names it and sends no map": (with_key_alone, "0 of 1 detected maps"),
    "finds nothing in the photo": (with_black_map, "found nothing"),
}


@pytest.mark.parametrize(("answers", "told"), IDLE_SERVERS.values(), ids=IDLE_SERVERS.keys())
def test_a_server_that_answers_200_without_following_the_pose_fails_the_job_in_words(
    house: House, server: PaintingWebui, kept: FacePhoto, answers: Any, told: str
) -> None:
    server.misbehave = [answers] * 9
    job = run(house, kept, "animal-pose")
    assert job.status is Status.FAILED
    assert job.error is not None
    assert (job.error.code, job.error.server) == ("feature_did_not_run", server.url)
    assert told in job.error.message
    assert job.images == ()


def test_a_server_without_the_controlnet_of_faces_is_told_before_anything_is_painted(
    house: House, server: PaintingWebui, kept: FacePhoto
) -> None:
    job = run(house, kept, "animal")
    assert job.error is not None
    assert job.error.code == "missing_capability"
    assert "mediapipe_face" in job.error.message
    assert server.calls(TXT2IMG) == []
