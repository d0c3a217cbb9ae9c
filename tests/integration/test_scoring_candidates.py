"""Known-bad adapters of the bundled model rank below a good one: learned too little, and learned far too hard.

The pictures are those that a training's candidates are judged by (studio.assessment).
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass, replace
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
from training.port import TrainingPhoto, TrainingRequest
from webui_engine.diffusion.engine import Engine
from webui_engine.tasks import GenerationTask

MODELS = Path(__file__).parents[2] / "webui_engine" / "models"
PHOTOS = astronaut(6, side=384)
STEPS, TOO_FEW, HARD_STEPS = 40, 4, 12
TOO_HARD = 2e-2
"""The learning rate, ten times the usual one."""
WEIGHT = 0.85


@dataclass(frozen=True, slots=True)
class Judge:
    """An engine that knows the LoRAs good, under and over."""

    engine: Engine

    def point(self, lora: str) -> ReportPoint:
        pictures = [self._picture(trial, lora) for trial in TRIALS]
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
        return point_of(1, WEIGHT, judged, measure_of(judged), around, variety(pictures))

    def _picture(self, trial: Trial, lora: str) -> bytes:
        task = GenerationTask(
            prompt=f"{trial.prompt.format(subject='sks woman')} <lora:{lora}:{WEIGHT}>",
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
    photos = tuple(_photo(folder / f"{number}.jpg", data) for number, data in enumerate(PHOTOS))
    request = TrainingRequest(
        photos=photos,
        checkpoint=MODELS / "Stable-diffusion" / "sajin-tiny",
        instance_token="sks",
        class_noun="woman",
        output=folder / "loras" / "good.safetensors",
        work_folder=folder / "work",
        batch_size=2,
        steps=STEPS,
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(running, "CANDIDATES_AT", (TOO_FEW / STEPS,))
        (under,) = running.run(request, lambda progress: None).candidates
        under.path.rename(folder / "loras" / "under.safetensors")
        patch.setattr(running, "CANDIDATES_AT", ())
        over = folder / "loras" / "over.safetensors"
        running.run(
            replace(request, output=over, steps=HARD_STEPS, learning_rate=TOO_HARD), lambda progress: None
        )
    yield Judge(Engine([MODELS], [folder / "loras"], device="cpu"))
    torch.set_num_threads(threads)


def _photo(path: Path, data: bytes) -> TrainingPhoto:
    path.write_bytes(data)
    face = check(data).main_face
    assert face is not None
    return TrainingPhoto(path=path, box=face.box.corners())


@pytest.mark.timeout(300)
def test_adapters_with_too_little_and_too_much_learning_rank_below_a_good_one(judge: Judge) -> None:
    good, under, over = judge.point("good"), judge.point("under"), judge.point("over")

    assert under.likeness < good.likeness
    assert over.obedience < good.obedience
    assert over.leak > good.leak
    assert good.score > max(under.score, over.score)
