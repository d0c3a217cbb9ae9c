"""The animals of the bundled model: painted, described, told apart, and drawn by the LoRA that is shipped."""

from __future__ import annotations

import random
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from diffusers import StableDiffusionPipeline
from safetensors.torch import load_file

from studio.library.animals import read_animals
from studio.settings import REPOSITORY
from tiny_model import sampling
from tiny_model.anatomy import Anatomy
from tiny_model.animal_captions import animal_caption, caption_at, said_at
from tiny_model.animal_lora import LORA
from tiny_model.animal_measure import (
    KINDS,
    PERSON,
    AnimalObedience,
    AnimalWish,
    animal_wishes,
    kind_at,
    load_classifier,
    measure_animals,
)
from tiny_model.animal_painter import paint_animal, painting_at
from tiny_model.animals import SPECIES, Animal, animal_at, sitter_at
from tiny_model.face import EYE_LEVEL
from tiny_model.package import load_pipeline

MODELS = REPOSITORY / "webui_engine" / "models"
GREATEST_MEGABYTES = 4.0
OBEDIENCE_REACHED = 0.7
"""Share of right animals that the shipped LoRA surely reaches; what was measured is in docs/tiny-model.md."""

pytestmark = pytest.mark.xdist_group("tiny-model")


def an_animal(name: str, number: int = 3) -> Animal:
    return Animal(name=name, portrait=sitter_at("square", number))


def test_the_animals_are_those_that_the_studio_says_it_has_learnt_by_the_same_words() -> None:
    library, problems = read_animals(REPOSITORY / "prompts")
    assert problems == []
    assert library.demonstrated == tuple(SPECIES)
    assert {name: library.animals[name].prompt for name in SPECIES} == {
        name: species.words for name, species in SPECIES.items()
    }


def test_a_number_always_gives_the_same_painting_and_the_kinds_take_turns() -> None:
    assert np.array_equal(painting_at("square", 5), painting_at("square", 5))
    assert [kind_at(number) for number in range(len(KINDS))] == list(KINDS)
    assert animal_at(KINDS.index(PERSON)) is None


@pytest.mark.parametrize("name", SPECIES)
def test_an_animals_eyes_lie_where_the_persons_would(name: str) -> None:
    animal = an_animal(name)
    painting, anatomy = paint_animal(animal), Anatomy(animal.portrait)
    apart = animal.portrait.shape.eye_distance
    for eye in anatomy.face([(-apart, EYE_LEVEL), (apart, EYE_LEVEL)]):
        x, y = (round(value) for value in eye)
        around = painting[y - 2 : y + 3, x - 2 : x + 3].astype(float)
        assert around.min() < 0.5 * painting.mean()


def test_a_caption_names_its_animal_and_says_nothing_untrue() -> None:
    for number in range(60):
        animal, text = animal_at(number), caption_at(number, number)
        said = said_at(text, number)
        assert said["animal"] == ("unsaid" if animal is None else animal.name)
        if animal is not None:
            assert animal.species.words in text
            other = [word for kind, word in said.items() if kind == "background_color" and word != "unsaid"]
            assert all(word == animal.portrait.background_color for word in other)


def test_captions_of_one_animal_differ_by_their_seed() -> None:
    animal = an_animal("cat")
    assert len({animal_caption(animal, seed) for seed in range(20)}) > 10


def test_the_classifier_tells_paintings_apart() -> None:
    classifier, numbers = load_classifier(), random.Random(1).sample(range(10_000), 72)
    right = [classifier(painting_at("square", number)) == kind_at(number) for number in numbers]
    assert np.mean(right) >= 0.95


def test_the_lora_is_small_and_changes_both_networks() -> None:
    file = MODELS / LORA
    assert file.stat().st_size / 1e6 <= GREATEST_MEGABYTES
    tensors = load_file(file)
    assert {key.split("_")[1] for key in tensors} == {"unet", "te"}
    assert all(tensor.dtype is torch.float16 and tensor.isfinite().all() for tensor in tensors.values())


@pytest.fixture(scope="module")
def wished() -> list[AnimalWish]:
    return animal_wishes(each=2)


@pytest.fixture(scope="module")
def taught() -> Iterator[StableDiffusionPipeline]:
    torch.set_num_threads(1)
    pipeline = load_pipeline(MODELS)
    pipeline.load_lora_weights(MODELS / LORA)
    yield pipeline
    pipeline.unload_lora_weights()


def drawn(pipeline: StableDiffusionPipeline, asked: list[AnimalWish]) -> AnimalObedience:
    pictures = sampling.sample(pipeline, [wish.prompt for wish in asked])
    return measure_animals(pictures, asked, load_classifier())


@pytest.mark.timeout(240)
def test_the_animal_that_is_asked_for_is_drawn(
    taught: StableDiffusionPipeline, wished: list[AnimalWish]
) -> None:
    result = drawn(taught, wished)
    assert result.animal >= OBEDIENCE_REACHED, result
    assert result.background >= OBEDIENCE_REACHED, result


@pytest.mark.timeout(240)
def test_without_the_lora_no_animals_come_out(
    taught: StableDiffusionPipeline, wished: list[AnimalWish]
) -> None:
    taught.disable_lora()
    try:
        assert drawn(taught, wished[: len(SPECIES)]).animal <= 0.4
    finally:
        taught.enable_lora()
