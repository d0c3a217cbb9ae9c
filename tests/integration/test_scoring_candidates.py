"""Known-bad adapters of the bundled model rank below a good one: too few steps, and a weight far too high.

One learning of a minute gives both the good and the under-trained adapter; the pictures are those that a training's
candidates are judged by (studio.assessment).
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch

from studio.assessment.score import Judged, Seen, measure_of, point_of
from studio.assessment.trials import DEMONSTRATION_STEPS, TRIALS, Trial
from studio.faces.check import check
from studio.faces.likeness import resemblance, variety
from studio.faces.surroundings import surroundings
from studio.values import ReportPoint
from tests.persons import astronaut
from tests.unit.webui_engine.small_models import Recorder
from training.embedded import run as running
from training.port import TrainedAdapter, TrainingPhoto, TrainingRequest
from webui_engine.diffusion.engine import Engine
from webui_engine.tasks import GenerationTask

MODELS = Path(__file__).parents[2] / "webui_engine" / "models"
PHOTOS = astronaut(6, side=384)
STEPS, TOO_FEW = 96, 6


@dataclass(frozen=True, slots=True)
class Judge:
    """An engine that knows the LoRAs good and poor."""

    engine: Engine

    def point(self, lora: str, weight: float) -> ReportPoint:
        pictures = [self._picture(trial, lora, weight) for trial in TRIALS]
        judged = [
            Judged(
                trial,
                Seen(
                    picture="",
                    resemblance=resemblance(picture, PHOTOS),
                    surroundings=surroundings(picture),
                ),
            )
            for trial, picture in zip(TRIALS, pictures, strict=True)
        ]
        around = [surroundings(photo) for photo in PHOTOS]
        return point_of(1, weight, judged, measure_of(judged), around, variety(pictures))

    def _picture(self, trial: Trial, lora: str, weight: float) -> bytes:
        task = GenerationTask(
            prompt=f"{trial.prompt.format(subject='sks woman')} <lora:{lora}:{weight}>",
            seed=trial.seed,
            steps=DEMONSTRATION_STEPS,
            cfg_scale=7.0,
            sampler="DPM++ 2M",
            scheduler="Karras",
            width=128,
            height=128,
        )
        stream = io.BytesIO()
        self.engine.generate(task, Recorder()).pictures[0].image.save(stream, "PNG")
        return stream.getvalue()


@pytest.fixture(scope="module")
def judge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Judge]:
    folder = tmp_path_factory.mktemp("candidates")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(running, "CANDIDATES_AT", (TOO_FEW / STEPS,))
        adapter = _learned(folder)
    (poor,) = adapter.candidates
    poor.path.rename(folder / "loras" / "poor.safetensors")
    yield Judge(Engine([MODELS], [folder / "loras"], device="cpu"))
    torch.set_num_threads(threads)


def _learned(folder: Path) -> TrainedAdapter:
    request = TrainingRequest(
        photos=tuple(_photo(folder / f"{number}.jpg", data) for number, data in enumerate(PHOTOS)),
        checkpoint=MODELS / "Stable-diffusion" / "sajin-tiny",
        instance_token="sks",
        class_noun="woman",
        output=folder / "loras" / "good.safetensors",
        work_folder=folder / "work",
        steps=STEPS,
    )
    return running.run(request, lambda progress: None)


def _photo(path: Path, data: bytes) -> TrainingPhoto:
    path.write_bytes(data)
    face = check(data).main_face
    assert face is not None
    return TrainingPhoto(path=path, box=face.box.corners())


@pytest.mark.timeout(600)
def test_adapters_with_too_little_and_too_much_learning_rank_below_a_good_one(judge: Judge) -> None:
    good, under, over = judge.point("good", 0.85), judge.point("poor", 0.85), judge.point("good", 2.0)

    assert under.likeness < good.likeness
    assert over.obedience < good.obedience
    assert over.leak > good.leak
    assert good.score > max(under.score, over.score)
