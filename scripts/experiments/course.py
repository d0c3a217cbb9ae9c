"""One arm with one seed: learn, draw pictures that no training asked for, and measure them."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from safetensors.torch import load_file

from experiments.arms import Arm
from studio.assessment.score import Judged, Seen, measure_of, point_of
from studio.assessment.trials import FIRST_WEIGHT, TRIALS, Trial
from studio.faces.find import find_faces
from studio.faces.likeness import resemblance, variety
from studio.faces.surroundings import surroundings
from studio.settings import BUNDLED_CHECKPOINT
from tests.persons import astronaut
from training.embedded.networks import load_networks
from training.embedded.run import run
from training.port import TrainingPhoto, TrainingRequest
from webui_engine.diffusion.engine import Engine
from webui_engine.tasks import GenerationTask

TOKEN, NOUN = "sks", "woman"
PHOTOS = 8
BATCH = 2
DRAWN_STEPS = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What came of one arm with one seed. drift: of the word from the class noun, relative; None without a word.

    The other measures are those of the report card. seconds: of the learning.
    """

    arm: str
    seed: int
    likeness: float
    obedience: float
    leak: float
    diversity: float
    score: float
    drift: float | None
    loss: float
    seconds: float


@dataclass(frozen=True)
class Course:
    """All runs of one budget; what was measured lies in work and is not measured again."""

    work: Path
    steps: int

    @cached_property
    def photos(self) -> tuple[bytes, ...]:
        """The person to be learned: variations of one public-domain portrait."""
        return tuple(astronaut(PHOTOS))

    def result(self, arm: Arm, seed: int) -> Result:
        """Learn and measure, unless it was done before."""
        note = self.folder(arm, seed) / "result.json"
        if not note.is_file():
            print(f"{arm.name}, seed {seed} …", flush=True)
            measured = self._measured(arm, seed)
            note.write_text(json.dumps(asdict(measured)), encoding="utf-8")
        return Result(**json.loads(note.read_text(encoding="utf-8")))

    def folder(self, arm: Arm, seed: int) -> Path:
        """Where a run's pictures lie."""
        what = f"{arm.method.model_dump_json()} {arm.rate} {self.steps} {BATCH} {PHOTOS}"
        return self.work / f"{arm.name}-{hashlib.sha256(what.encode()).hexdigest()[:8]}-{seed}"

    def pictures(self, arm: Arm, seed: int) -> list[Path]:
        """The files of the validation pictures."""
        return [self.folder(arm, seed) / f"{trial.number}.png" for trial in TRIALS]

    def _measured(self, arm: Arm, seed: int) -> Result:
        folder = self.folder(arm, seed)
        shutil.rmtree(folder, ignore_errors=True)
        place = folder / ("embeddings" if arm.method.form == "embedding" else "Lora")
        output = place / f"{arm.name}.safetensors"
        adapter = run(self._request(arm, seed, folder, output), lambda progress: None)
        for candidate in adapter.candidates:
            candidate.path.unlink()
        drawn = self._drawn(arm, folder)
        judged = [Judged(trial, self._seen(picture)) for trial, picture in zip(TRIALS, drawn, strict=True)]
        around = [surroundings(photo) for photo in self.photos]
        point = point_of(adapter.steps, FIRST_WEIGHT, judged, measure_of(judged), around, variety(drawn))
        return Result(
            arm=arm.name,
            seed=seed,
            likeness=point.likeness,
            obedience=point.obedience,
            leak=point.leak,
            diversity=point.diversity,
            score=point.score,
            drift=drift_of(output) if arm.method.form == "embedding" else None,
            loss=adapter.final_loss or 0.0,
            seconds=adapter.seconds,
        )

    def _request(self, arm: Arm, seed: int, folder: Path, output: Path) -> TrainingRequest:
        folder.mkdir(parents=True)
        photos = []
        for number, photo in enumerate(self.photos):
            path = folder / f"photo-{number}.jpg"
            path.write_bytes(photo)
            photos.append(TrainingPhoto(path=path, box=_face_of(photo)))
        return TrainingRequest(
            photos=tuple(photos),
            checkpoint=BUNDLED_CHECKPOINT,
            instance_token=TOKEN,
            class_noun=NOUN,
            output=output,
            work_folder=folder / "work",
            steps=self.steps,
            batch_size=BATCH,
            learning_rate=arm.rate,
            seed=seed,
            method=arm.method,
        )

    def _drawn(self, arm: Arm, folder: Path) -> list[bytes]:
        engine = Engine([BUNDLED_CHECKPOINT.parents[1], folder], device="cpu")
        return [self._draw(engine, arm, trial, folder / f"{trial.number}.png") for trial in TRIALS]

    def _draw(self, engine: Engine, arm: Arm, trial: Trial, path: Path) -> bytes:
        word = arm.name if arm.method.form == "embedding" else TOKEN
        prompt = trial.prompt.format(subject=f"{word} {NOUN}")
        if arm.method.form == "lora":
            prompt += f" <lora:{arm.name}:{FIRST_WEIGHT}>"
        task = GenerationTask(
            prompt=prompt,
            seed=trial.seed,
            steps=DRAWN_STEPS,
            width=128,
            height=128,
            checkpoint=BUNDLED_CHECKPOINT.name,
        )
        picture = engine.generate(task, Unwatched()).pictures[0].image
        stream = io.BytesIO()
        picture.save(stream, "PNG")
        path.write_bytes(stream.getvalue())
        return stream.getvalue()

    def _seen(self, picture: bytes) -> Seen:
        return Seen(
            picture=hashlib.sha256(picture).hexdigest(),
            resemblance=resemblance(picture, self.photos),
            surroundings=surroundings(picture),
        )


class Unwatched:
    """A Monitor that nobody looks at."""

    wants_preview = interrupted = skipped = False

    def begin(self, *, jobs: int, steps: int) -> None:
        """Nothing."""

    def job(self, number: int, *, steps: int) -> None:
        """Nothing."""

    def step(self, number: int, preview: Image.Image | None) -> None:
        """Nothing."""


def drift_of(embedding: Path) -> float:
    """How far a learnt word went from the class noun, relative to the noun's length."""
    model: Any = load_networks(BUNDLED_CHECKPOINT)
    noun = model.tokenizer(NOUN, add_special_tokens=False).input_ids
    start = model.text_encoder.get_input_embeddings().weight[noun].mean(dim=0).float()
    learnt = load_file(embedding)["emb_params"].mean(dim=0)
    return float(torch.dist(learnt, start) / start.norm())


def _face_of(photo: bytes) -> tuple[int, int, int, int] | None:
    faces = find_faces(np.asarray(Image.open(io.BytesIO(photo)).convert("RGB")))
    return faces[0].box.corners() if faces else None
