"""Teaching a person: faces looked for, a LoRA learned in a child process, its file put beside the others."""

from __future__ import annotations

import logging
import shutil
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from PIL import Image

from training.embedded import EmbeddedTrainer
from training.errors import TrainingFailed
from training.port import TrainingPhoto, TrainingRequest
from webui_engine.adetailer.detectors import Detectors
from webui_engine.diffusion.checkpoints import find_checkpoint
from webui_engine.easyphoto.fields import COMPLETED, NO_FACES, NO_LORA, EasyPhotoFields, Refusal, check

if TYPE_CHECKING:
    from webui_engine.diffusion.engine import Engine

TRIGGER = "easyphoto_face, easyphoto, 1person"
DETECTOR, CONFIDENCE = "mediapipe_face_full", 0.5

log = logging.getLogger(__name__)


class EasyPhoto:
    """Learns one person at a time, beside the pictures that are made meanwhile.

    folder: for photos while they are learned; what a killed process left there is removed.
    """

    def __init__(self, engine: Engine, detectors: Detectors, folder: Path) -> None:
        self._engine, self._detectors, self._folder = engine, detectors, folder
        self._at_work = threading.Lock()
        shutil.rmtree(folder, ignore_errors=True)

    @property
    def at_work(self) -> bool:
        """Whether a person is being learned."""
        return self._at_work.locked()

    def train(self, body: Mapping[str, Any], photos: Sequence[Image.Image]) -> str:
        """Learn whom the RGB photos show; EasyPhoto's words for how it ended. Nothing is raised."""
        try:
            self._train(EasyPhotoFields.parse_obj(body), photos)
        except Refusal as refusal:
            return str(refusal)
        except Exception as error:  # EasyPhoto answers 200 to every one
            log.exception("training failed")
            return f"Train error, error info:{error}"
        return COMPLETED

    def _train(self, fields: EasyPhotoFields, photos: Sequence[Image.Image]) -> None:
        output = self._engine.lora_folder / f"{fields.user_id}.safetensors"
        check(fields, len(photos), taken=output.exists())
        checkpoint = find_checkpoint(fields.sd_model_checkpoint, self._engine.checkpoints()).path
        with self._alone(), TemporaryDirectory(dir=self._made_folder()) as name:
            folder = Path(name)
            request = TrainingRequest(
                photos=self._with_faces(photos, folder),
                checkpoint=checkpoint,
                instance_token=TRIGGER,
                class_noun="",
                output=output,
                work_folder=folder / "work",
                steps=fields.steps(len(photos)),
                batch_size=fields.batch_size(),
                rank=fields.rank,
                learning_rate=fields.learning_rate,
            )
            _learn(request)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Two trainings would want the same port of EasyPhoto's, and the second ends without a LoRA."""
        if not self._at_work.acquire(blocking=False):
            raise Refusal(NO_LORA)
        try:
            yield
        finally:
            self._at_work.release()

    def _made_folder(self) -> Path:
        self._folder.mkdir(parents=True, exist_ok=True)
        return self._folder

    def _with_faces(self, photos: Sequence[Image.Image], folder: Path) -> tuple[TrainingPhoto, ...]:
        """The photos that show a face, as files in folder, with the largest face's box. Raises Refusal for none."""
        found = tuple(
            TrainingPhoto(path=_written(photo, folder / f"{number}.jpg"), box=box)
            for number, photo in enumerate(photos)
            if (box := self._face(photo)) is not None
        )
        if not found:
            raise Refusal(NO_FACES)
        return found

    def _face(self, photo: Image.Image) -> tuple[int, int, int, int] | None:
        boxes = [found.box for found in self._detectors.find(DETECTOR, photo, CONFIDENCE)]
        if not boxes:
            return None
        left, top, right, bottom = max(boxes, key=lambda box: (box[2] - box[0]) * (box[3] - box[1]))
        return round(left), round(top), round(right), round(bottom)


def _learn(request: TrainingRequest) -> None:
    """Run the trainer to its end; EasyPhoto tells its log alone why a training made no LoRA, and so does this.

    The earlier states beside the LoRA are removed: EasyPhoto leaves one file where LoRAs are looked for.
    """
    try:
        trained = EmbeddedTrainer().train(request, lambda progress: None, lambda: False)
    except TrainingFailed as error:
        log.error("no LoRA: %s %s", error, error.details)
        raise Refusal(NO_LORA) from error
    for candidate in trained.candidates:
        candidate.path.unlink()


def _written(photo: Image.Image, path: Path) -> Path:
    photo.save(path, quality=95)
    return path
