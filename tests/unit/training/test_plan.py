"""What is chosen by the size of the model, and what the request decides."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from training.embedded.captions import captions
from training.embedded.plan import plan_learning
from training.port import TrainingPhoto, TrainingRequest

REQUEST = TrainingRequest(
    photos=(TrainingPhoto(path=Path("a.jpg"), box=None),) * 10,
    checkpoint=Path("model"),
    instance_token="sks",
    class_noun="woman",
    output=Path("out.safetensors"),
    work_folder=Path("work"),
)
SMALL, FULL = 9_000_000, 860_000_000


def test_a_small_model_moves_every_layer_and_a_full_one_its_attention() -> None:
    assert plan_learning(REQUEST, SMALL, 128).layers == "all"
    assert plan_learning(REQUEST, FULL, 512).layers == "attention"


def test_crops_are_square_and_upright_at_the_model_s_own_size() -> None:
    assert plan_learning(REQUEST, SMALL, 128).sizes == ((128, 128), (128, 192))
    assert plan_learning(REQUEST, FULL, 512).sizes == ((512, 512), (448, 640))


def test_what_the_request_says_is_done() -> None:
    asked = replace(REQUEST, steps=7, batch_size=2, rank=4, learning_rate=0.5, seed=9)
    plan = plan_learning(asked, SMALL, 128)

    assert (plan.steps, plan.batch_size, plan.rank, plan.learning_rate, plan.seed) == (7, 2, 4, 0.5, 9)


def test_few_photos_are_cropped_more_often() -> None:
    few = replace(REQUEST, photos=REQUEST.photos[:3])

    assert plan_learning(few, SMALL, 128).crops_per_photo > plan_learning(REQUEST, SMALL, 128).crops_per_photo


def test_captions_name_token_and_noun_and_nothing_else_of_the_person() -> None:
    assert all("sks woman" in caption for caption in captions("sks", "woman"))
    assert len(set(captions("sks", "woman"))) > 3
