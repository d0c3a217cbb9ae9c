"""Learning a person with EasyPhoto: asked over HTTP, followed by the clock, and fetched from the LoRA folder."""

from __future__ import annotations

import contextlib
import shutil
import time
from collections.abc import Callable, Mapping
from math import ceil
from pathlib import Path

from training.easyphoto import failures
from training.easyphoto.attempt import Attempt, forget_attempt, kept_attempt, new_user_id
from training.easyphoto.course import Course, Limits
from training.errors import TrainingCancelled, TrainingFailed
from training.lora_file import LoraFile, publish, read_lora, require_numbers
from training.names import TrainerName
from training.port import TrainedAdapter, TrainingPhase, TrainingProgress, TrainingRequest
from webui_client.capabilities import name_of_checkpoint
from webui_client.easyphoto import TRIGGER, EasyPhotoTraining
from webui_client.errors import WebuiError
from webui_client.pictures import BadPicture
from webui_client.pool import WebuiPool

FOLLOW_SECONDS = 0.5
PREPARING_SECONDS, SECONDS_PER_STEP = 120.0, 2.77
"""The pace of EasyPhoto's issue 151, 800 steps in 37 minutes, and what comes before the first of them, assumed."""
MOST_BY_CLOCK = 0.95


class EasyPhotoTrainer:
    """Teaches an identity with EasyPhoto on one of the pool's servers.

    loras: the LoRA folder of each server by its URL, as this machine sees it; a server without one is not asked.
    limits: how long is waited for what.
    """

    name: TrainerName = "easyphoto"

    def __init__(self, pool: WebuiPool, loras: Mapping[str, Path], limits: Limits) -> None:
        self._pool, self._loras, self._limits = pool, loras, limits

    def train(
        self,
        request: TrainingRequest,
        on_progress: Callable[[TrainingProgress], None],
        cancelled: Callable[[], bool],
    ) -> TrainedAdapter:
        """Train and return the adapter; see training.port.Trainer.

        Nothing can stop EasyPhoto: after a cancel the server goes on, and what it makes is removed. Called again after
        a crash, the training that was asked for is waited for and not asked for again. The progress is by the clock.
        """
        work = request.work_folder.absolute()
        try:
            attempt = self._attempt(request, work, on_progress, cancelled)
            adapter = self._fetch(request, attempt)
        except TrainingFailed:
            forget_attempt(work)
            raise
        except OSError as error:
            raise TrainingFailed(
                f"A file cannot be read or written: {error}.", "Check the data folder."
            ) from error
        with contextlib.suppress(OSError):  # a copy too many in the server's folder is no reason to fail
            self._made(attempt).unlink()
        shutil.rmtree(work, ignore_errors=True)
        return adapter

    def _attempt(
        self,
        request: TrainingRequest,
        work: Path,
        on_progress: Callable[[TrainingProgress], None],
        cancelled: Callable[[], bool],
    ) -> Attempt:
        """The attempt that EasyPhoto has finished, whether of this run or of one before it."""
        kept = kept_attempt(work)
        if kept is not None and kept.server not in self._loras:
            raise failures.gone(kept.server, kept.seconds)
        if kept is not None and read_lora(request.output) is not None:
            return kept
        course = Course(
            pool=self._pool,
            order=kept or training_of(request),
            loras=self._loras,
            work=work,
            limits=self._limits,
        )
        course.start()
        try:
            while not course.ended(FOLLOW_SECONDS):
                if cancelled():
                    raise TrainingCancelled
                on_progress(by_the_clock(course.attempt))
        except WebuiError as error:
            raise failures.explain(error) from error
        except BadPicture as error:
            raise TrainingFailed(
                "A photo cannot be read.", "Remove it and add it again.", str(error)
            ) from error
        finally:
            course.abandon()
        assert course.attempt is not None
        on_progress(saving(course.attempt))
        return course.attempt

    def _fetch(self, request: TrainingRequest, attempt: Attempt) -> TrainedAdapter:
        lora = self._whole(request, attempt)
        require_numbers(lora)
        return TrainedAdapter(
            path=request.output,
            sha256=publish(lora, request.output.absolute(), TRIGGER, attempt.steps),
            steps=attempt.steps,
            seconds=attempt.seconds,
            final_loss=None,
            trigger=TRIGGER,
        )

    def _whole(self, request: TrainingRequest, attempt: Attempt) -> LoraFile:
        """The LoRA, also one that an earlier run had fetched; a shared folder may show a new file late."""
        deadline = time.monotonic() + self._limits.patience
        while True:
            lora = read_lora(self._made(attempt)) or read_lora(request.output)
            if lora is not None:
                return lora
            if time.monotonic() > deadline:
                raise failures.elsewhere(attempt.user_id, str(self._made(attempt).parent))
            time.sleep(self._limits.look)

    def _made(self, attempt: Attempt) -> Path:
        return self._loras[attempt.server] / f"{attempt.user_id}.safetensors"


def training_of(request: TrainingRequest) -> EasyPhotoTraining:
    """What EasyPhoto is asked for a request; what the request leaves open is left to EasyPhoto.

    Raises TrainingFailed without photos, or if one is gone.
    """
    if not request.photos:
        raise TrainingFailed("There are no photos to learn from.", "Add photos and start the training again.")
    return EasyPhotoTraining(
        user_id=new_user_id(),
        photos=tuple(_photo(photo.path) for photo in request.photos),
        checkpoint=name_of_checkpoint(request.checkpoint.name),
        max_train_steps=request.steps,
        steps_per_photos=None if request.steps is None else ceil(request.steps / len(request.photos)),
        train_batch_size=request.batch_size,
        learning_rate=request.learning_rate,
        rank=request.rank,
        network_alpha=None if request.rank is None else max(1, request.rank // 2),
    )


def _photo(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise TrainingFailed(
            f"The photo {path.name} is not there any more.", "Start the training again."
        ) from error


def by_the_clock(attempt: Attempt | None) -> TrainingProgress:
    """How far a training probably is; EasyPhoto tells nothing. None: it waits for a server."""
    if attempt is None:
        return TrainingProgress(phase=TrainingPhase.PREPARING, fraction=0.0, step=0, steps=0)
    expected = PREPARING_SECONDS + attempt.steps * SECONDS_PER_STEP
    left = expected - attempt.seconds
    return TrainingProgress(
        phase=TrainingPhase.LEARNING,
        fraction=min(attempt.seconds / expected, MOST_BY_CLOCK),
        step=0,
        steps=0,
        eta_seconds=left if left > 0 else None,
    )


def saving(attempt: Attempt) -> TrainingProgress:
    """EasyPhoto is done, and all its steps are made."""
    return TrainingProgress(
        phase=TrainingPhase.SAVING, fraction=MOST_BY_CLOCK, step=attempt.steps, steps=attempt.steps
    )
