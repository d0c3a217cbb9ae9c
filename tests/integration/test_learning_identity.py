"""What is learned is the person: pictures made with A's LoRA are nearer to A's photos than to B's, and the reverse.

A and B are two real people. The learning and the pictures are small, so that the test takes a minute; the measure is
the one the studio shows (studio.faces.likeness).
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from PIL import Image

from studio.faces.check import check
from studio.faces.likeness import likeness
from tests.persons import astronaut, hopper
from tests.unit.webui_engine.small_models import Recorder
from training.embedded import EmbeddedTrainer
from training.port import TrainingPhoto, TrainingRequest
from webui_engine.diffusion.engine import Engine
from webui_engine.tasks import GenerationTask

MODELS = Path(__file__).parents[2] / "webui_engine" / "models"
CHECKPOINT = MODELS / "Stable-diffusion" / "sajin-tiny"
PHOTOS = {"a": astronaut(10, side=512), "b": hopper(10, side=512)}
STEPS = 200
SEEDS = 10
NEEDED = 9


@dataclass(frozen=True, slots=True)
class Learned:
    """An engine that knows both people, by LoRAs called a and b."""

    engine: Engine

    def pictures(self, person: str) -> list[bytes]:
        task = GenerationTask(
            prompt=f"studio portrait of sks woman, soft light <lora:{person}:1>",
            seed=1000,
            steps=12,
            cfg_scale=4.0,
            sampler="DDIM",
            width=128,
            height=128,
            batch_size=SEEDS,
        )
        return [_png(picture.image) for picture in self.engine.generate(task, Recorder()).pictures]


@pytest.fixture(scope="module")
def learned(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Learned]:
    folder = tmp_path_factory.mktemp("identities")
    requests = [_request(folder, person) for person in PHOTOS]
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(_learn, requests))
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield Learned(Engine([MODELS], [folder / "loras"], device="cpu"))
    torch.set_num_threads(threads)


def _request(folder: Path, person: str) -> TrainingRequest:
    return TrainingRequest(
        photos=tuple(
            _photo(folder / f"{person}-{number}.jpg", data) for number, data in enumerate(PHOTOS[person])
        ),
        checkpoint=CHECKPOINT,
        instance_token="sks",
        class_noun="woman",
        output=folder / "loras" / f"{person}.safetensors",
        work_folder=folder / f"work-{person}",
        steps=STEPS,
        batch_size=4,
    )


def _learn(request: TrainingRequest) -> None:
    EmbeddedTrainer(threads=1).train(request, lambda progress: None, lambda: False)


def _photo(path: Path, data: bytes) -> TrainingPhoto:
    path.write_bytes(data)
    face = check(data).main_face
    assert face is not None
    return TrainingPhoto(path=path, box=face.box.corners())


def _png(picture: Image.Image) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, "PNG")
    return stream.getvalue()


@pytest.mark.xdist_group("learning_identity")
@pytest.mark.timeout(600)
@pytest.mark.parametrize(("person", "other"), [("a", "b"), ("b", "a")])
def test_nine_of_ten_pictures_are_nearer_to_the_person_that_was_learned(
    learned: Learned, person: str, other: str
) -> None:
    nearer = 0
    for picture in learned.pictures(person):
        own, foreign = likeness(picture, PHOTOS[person]), likeness(picture, PHOTOS[other])
        assert own.measure == foreign.measure
        nearer += own.score > foreign.score

    assert nearer >= NEEDED
