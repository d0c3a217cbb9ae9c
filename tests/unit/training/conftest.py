"""A small checkpoint and a few photos, ready to be learned."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.persons import astronaut
from tests.unit.webui_engine.small_models import save_small_checkpoint
from training.port import TrainingPhoto, TrainingRequest


@pytest.fixture(scope="session")
def small_checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("checkpoints") / "small"
    save_small_checkpoint(folder)
    return folder


@pytest.fixture
def request_of_three(tmp_path: Path, small_checkpoint: Path) -> TrainingRequest:
    """A very short training on three photos."""
    photos = []
    for number, data in enumerate(astronaut(3, side=400)):
        path = tmp_path / f"{number}.jpg"
        path.write_bytes(data)
        photos.append(TrainingPhoto(path=path, box=(130, 100, 270, 240)))
    return TrainingRequest(
        photos=tuple(photos),
        checkpoint=small_checkpoint,
        instance_token="sks",
        class_noun="woman",
        output=tmp_path / "loras" / "learned.safetensors",
        work_folder=tmp_path / "work",
        steps=4,
        batch_size=1,
        rank=2,
        seed=5,
    )
