"""What EasyPhoto is asked for, and when its answer is believed."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from tests.persons import astronaut
from tests.replay import ReplayServer, Reply
from tests.stand_ins.easyphoto import CHECKPOINT, EasyPhotoServer
from webui_client.client import WebuiClient
from webui_client.easyphoto import EasyPhotoTraining
from webui_client.errors import BadAnswer, FeatureDidNotRun, MissingCapability, ServerTimeout


@pytest.fixture
def easyphoto(server: ReplayServer, tmp_path: Path) -> EasyPhotoServer:
    return EasyPhotoServer(server, tmp_path)


def training(**changes: object) -> EasyPhotoTraining:
    told: dict[str, object] = {
        "user_id": "sajin-1",
        "photos": astronaut(2, side=64),
        "checkpoint": CHECKPOINT,
    }
    return EasyPhotoTraining.model_validate(told | changes)


def test_what_is_left_open_is_not_sent(client: WebuiClient, easyphoto: EasyPhotoServer) -> None:
    client.train_easyphoto(training(rank=8, network_alpha=4, enable_rl=False), limit_seconds=10)

    (body,) = easyphoto.bodies()
    assert body.keys() == {
        "user_id",
        "sd_model_checkpoint",
        "instance_images",
        "train_mode_choose",
        "rank",
        "network_alpha",
        "enable_rl",
    }


def test_sdxl_is_asked_for_as_easyphoto_demands(
    server: ReplayServer, client: WebuiClient, easyphoto: EasyPhotoServer
) -> None:
    listed = [{"title": "dream/realXL.safetensors [0123456789]", "model_name": "dream_realXL"}]
    server.on("GET", "/sdapi/v1/sd-models", Reply(body=listed))
    client.train_easyphoto(training(checkpoint="realXL", validation=True), limit_seconds=10)

    (body,) = easyphoto.bodies()
    assert body["sd_model_checkpoint"] == "dream/realXL.safetensors"
    assert (body["resolution"], body["validation"]) == (1024, False)


def test_a_server_without_easyphoto_or_without_the_checkpoint_is_not_asked(
    server: ReplayServer, client: WebuiClient, easyphoto: EasyPhotoServer
) -> None:
    with pytest.raises(MissingCapability, match="absent"):
        client.train_easyphoto(training(checkpoint="absent"), limit_seconds=10)
    server.without("/easyphoto/easyphoto_train_forward")
    with pytest.raises(MissingCapability, match="EasyPhoto"):
        WebuiClient(server.url).train_easyphoto(training(), limit_seconds=10)
    assert easyphoto.bodies() == []


def test_only_the_exact_text_of_success_is_believed(client: WebuiClient, easyphoto: EasyPhotoServer) -> None:
    easyphoto.says = "The training has been completed"
    with pytest.raises(FeatureDidNotRun) as refused:
        client.train_easyphoto(training(), limit_seconds=10)
    assert refused.value.reason == easyphoto.says


def test_success_is_believed_only_if_the_lora_is_listed(
    client: WebuiClient, easyphoto: EasyPhotoServer
) -> None:
    easyphoto.writes = False
    with pytest.raises(FeatureDidNotRun, match="no LoRA 'sajin-1'"):
        client.train_easyphoto(training(), limit_seconds=10)


def test_an_answer_without_a_message_is_a_bad_one(
    server: ReplayServer, client: WebuiClient, easyphoto: EasyPhotoServer
) -> None:
    server.on("POST", "/easyphoto/easyphoto_train_forward", Reply(body=["done"]))
    with pytest.raises(BadAnswer):
        client.train_easyphoto(training(), limit_seconds=10)


def test_the_limit_is_that_of_the_training_and_not_of_a_picture(
    client: WebuiClient, easyphoto: EasyPhotoServer
) -> None:
    easyphoto.open.clear()
    with pytest.raises(ServerTimeout) as late:
        client.train_easyphoto(training(), limit_seconds=0.3)
    assert late.value.seconds == 0.3
    easyphoto.open.set()


@pytest.mark.parametrize(
    "changes",
    [
        {"user_id": ""},
        {"user_id": "none"},
        {"user_id": "../anna"},
        {"photos": ()},
        {"rank": 32},
        {"max_train_steps": 0},
        {"unknown": 1},
    ],
)
def test_what_easyphoto_would_refuse_is_refused_here(changes: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        training(**changes)


def test_the_steps_are_counted_as_easyphoto_counts_them() -> None:
    assert training().steps == 400
    assert training(photos=astronaut(5, side=64)).steps == 800
    assert training(max_train_steps=100).steps == 100
    assert training(max_train_steps=100, steps_per_photos=7).steps == 14
