"""The engine's EasyPhoto route: its words, its 200s, and the LoRA that it makes."""

from __future__ import annotations

import base64
import io
import threading
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from PIL import Image
from safetensors import safe_open

from tests.persons import astronaut
from webui_engine.app import create_app
from webui_engine.diffusion.engine import Engine
from webui_engine.http.access import Access
from webui_engine.http.options import OptionsStore
from webui_engine.http.services import Services, assemble

PATH = "/easyphoto/easyphoto_train_forward"
CHECKPOINT = "sajin-tiny"


@pytest.fixture
def teaching(bundled_models: Path, tmp_path: Path) -> Services:
    """A server with a LoRA folder of its own."""
    engine = Engine([bundled_models], [tmp_path / "loras"], device="cpu")
    return assemble(
        engine,
        OptionsStore(tmp_path / "options.json"),
        data=tmp_path / "data",
        models_dirs=(bundled_models,),
        access=Access(),
        flags={},
    )


@pytest.fixture
def pupil(teaching: Services) -> FlaskClient:
    return create_app(teaching).test_client()


def photos(count: int = 3, mode: str = "RGB") -> list[str]:
    return [encoded(Image.open(io.BytesIO(data)).convert(mode)) for data in astronaut(count, side=256)]


def encoded(picture: Image.Image) -> str:
    out = io.BytesIO()
    picture.save(out, "PNG")
    return base64.b64encode(out.getvalue()).decode()


def body(**changes: Any) -> dict[str, Any]:
    usual = {"user_id": "anna-1", "sd_model_checkpoint": CHECKPOINT, "max_train_steps": 2}
    return (
        usual | {"instance_images": photos(), "rank": 2, "network_alpha": 1, "train_batch_size": 1} | changes
    )


def answer(client: FlaskClient, **changes: Any) -> str:
    given = client.post(PATH, json=body(**changes))
    assert given.status_code == 200
    assert list(given.get_json()) == ["message"]
    return str(given.get_json()["message"])


def test_a_person_is_learned_and_the_lora_lies_where_the_server_looks(
    pupil: FlaskClient, tmp_path: Path
) -> None:
    assert answer(pupil) == "The training has been completed."

    assert pupil.post("/sdapi/v1/refresh-loras").status_code == 200
    assert "anna-1" in [lora["name"] for lora in pupil.get("/sdapi/v1/loras").get_json()]
    with safe_open(tmp_path / "loras" / "anna-1.safetensors", framework="np") as stream:
        about = stream.metadata()
    assert about["modelspec.trigger_phrase"] == "easyphoto_face, easyphoto, 1person"
    assert (about["ss_network_dim"], about["ss_steps"]) == ("2", "2")
    assert list((tmp_path / "data" / "easyphoto").iterdir()) == [], "no photo stays behind"
    assert answer(pupil) == "User id non-repeatability."


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"user_id": ""}, "User id cannot be set to empty."),
        ({"user_id": "none"}, "User id cannot be set to none."),
        ({"instance_images": []}, "Please upload training photos."),
        ({"network_alpha": 4}, "The network alpha 4 must not exceed rank 2."),
        (
            {"instance_images": [encoded(Image.new("RGB", (256, 256), "grey"))]},
            "Failed to obtain preprocessed images, please check the preprocessing process.",
        ),
    ],
)
def test_what_easyphoto_refuses_is_refused_in_its_words_with_status_200(
    pupil: FlaskClient, tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    assert answer(pupil, **changes) == message
    assert not (tmp_path / "loras").exists()


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"sd_model_checkpoint": "absent.safetensors"}, "absent.safetensors"),
        ({"user_id": "../outside"}, "plain name"),
        ({"max_train_steps": "many"}, "max_train_steps"),
        ({"train_mode_choose": "Train Scene Lora"}, "persons only"),
        ({"enable_rl": True}, "reinforcement"),
    ],
)
def test_everything_else_is_a_train_error_with_status_200(
    pupil: FlaskClient, changes: dict[str, Any], reason: str
) -> None:
    message = answer(pupil, **changes)
    assert message.startswith("Train error, error info:")
    assert reason in message


def test_a_training_that_fails_is_one_without_a_lora(pupil: FlaskClient, tmp_path: Path) -> None:
    (tmp_path / "loras").write_bytes(b"a file where the folder should be")
    assert answer(pupil) == "Failed to obtain Lora after training, please check the training process."


@pytest.mark.parametrize("picture", ["no base64", "https://example.org/a.jpg", photos(1, "RGBA")[0]])
def test_a_photo_that_cannot_be_written_is_status_500(pupil: FlaskClient, picture: str) -> None:
    assert pupil.post(PATH, json=body(instance_images=[picture])).status_code == 500


def test_a_body_that_is_no_object_is_status_422_and_a_get_is_405(pupil: FlaskClient) -> None:
    assert pupil.post(PATH, json=[]).status_code == 422
    assert pupil.get(PATH).status_code == 405


def test_of_two_trainings_at_once_the_second_gets_no_lora_and_pictures_go_on(
    pupil: FlaskClient, teaching: Services
) -> None:
    first: list[str] = []
    learning = threading.Thread(target=lambda: first.append(answer(create_app(teaching).test_client())))
    learning.start()
    while not teaching.easyphoto.at_work:
        learning.join(0.02)

    assert answer(pupil, user_id="ben-1").startswith("Failed to obtain Lora after training")
    picture = {"steps": 1, "width": 64, "height": 64, "sampler_name": "Euler"}
    assert pupil.post("/sdapi/v1/txt2img", json=picture).status_code == 200
    learning.join()
    assert first == ["The training has been completed."]
