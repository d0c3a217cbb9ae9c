"""One training from request to file, inside the child process."""

from __future__ import annotations

import hashlib
import math
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import torch

from training.embedded.adapter_file import Provenance, metadata, write_adapter
from training.embedded.caches import build_cache
from training.embedded.captions import captions, class_caption
from training.embedded.learning import Batches, Learner, LossNotANumber, Material, NoiseSchedule
from training.embedded.methods import Teaching, teach
from training.embedded.networks import load_networks
from training.embedded.optimizers import require_optimizer
from training.embedded.plan import LearningPlan, plan_learning
from training.embedded.prior import draw_class
from training.embedded.state import Standing, restore_state, save_state, state_key
from training.embedded.words import HeardWords, RememberedWords, Words
from training.port import Candidate, TrainedAdapter, TrainingPhase, TrainingProgress, TrainingRequest
from webui_engine.diffusion.model import Model

Report = Callable[[TrainingProgress], None]

CACHED_AT, LEARNED_AT = 0.1, 0.97
PRIOR_SHARE = 0.7
SAVE_EVERY_SECONDS = 5.0
SAVE_AT_MOST = 10.0
"""State is kept for at most about this share of the time, 1 / (1 + 10)."""
REPORT_EVERY_SECONDS = 0.5
LOOK_EVERY_STEPS = 8
SMOOTHING = 0.95
STEPS_BEFORE_ETA = 3
CANDIDATES_AT = (0.5, 0.75)
"""Shares of the steps after which the adapter is kept as a candidate, besides the last."""


def run(request: TrainingRequest, report: Report) -> TrainedAdapter:
    """Learn, or go on learning, and write request.output and the candidates beside it; the work folder is removed.

    Raises webui_engine.errors.EngineError for a checkpoint that cannot be read, OSError for photos or folders that
    cannot, training.embedded.learning.LossNotANumber, training.embedded.adapter_file.WeightsNotNumbers,
    training.embedded.optimizers.OptimizerMissing, torch.OutOfMemoryError.
    """
    began = time.monotonic()
    report(TrainingProgress(phase=TrainingPhase.PREPARING, fraction=0.0, step=0, steps=request.steps or 0))
    require_optimizer(request.method.optimizer)
    model = load_networks(request.checkpoint)
    plan = plan_learning(request, model.unet.num_parameters(), model.native_size)
    key = _key(request, plan)
    teaching = teach(model, plan, request.instance_token, request.class_noun)
    batches, words = _prepare(model, request, plan, teaching, report)
    learner = Learner(model, plan, teaching, words)
    writer = _Writer(model, request, plan, teaching)
    course = _Course(key, request.work_folder, plan, learner, batches, writer, report, began)
    standing = course.go()
    report(_progress(TrainingPhase.SAVING, LEARNED_AT, standing, plan))
    adapter = writer.finish(standing, course.notes)
    shutil.rmtree(request.work_folder, ignore_errors=True)
    return adapter


def _key(request: TrainingRequest, plan: LearningPlan) -> str:
    """What a kept state belongs to."""
    photos = [(hashlib.sha256(photo.path.read_bytes()).hexdigest(), photo.box) for photo in request.photos]
    return state_key(plan, photos, request.checkpoint, request.instance_token, request.class_noun)


def _prepare(
    model: Model, request: TrainingRequest, plan: LearningPlan, teaching: Teaching, report: Report
) -> tuple[Batches, Words]:
    drawn = PRIOR_SHARE if plan.prior_pictures else 0.0

    def on_share(share: float) -> None:
        report(_progress(TrainingPhase.CACHING, CACHED_AT * share, Standing(), plan))

    crops = build_cache(model, request.photos, plan, lambda share: on_share(share * (1 - drawn)))
    texts = captions(teaching.word, request.class_noun, plan.method, plan.seed)
    of_class = class_caption(request.class_noun)
    prior = (
        draw_class(model, of_class, plan, lambda share: on_share(1 - drawn + drawn * share))
        if plan.prior_pictures
        else ()
    )
    schedule = NoiseSchedule(model.scheduler_config, plan.snr_gamma, model.device.place)
    batches = Batches(Material(crops, len(texts), prior), plan, schedule, model.device.place)
    words = HeardWords if teaching.hears else RememberedWords
    return batches, words(model, [*texts, "", of_class])


class _Course:
    """The learning from the kept state to the last step.

    notes: what went otherwise than planned. A loss is looked at now and then, for a look waits for the card.
    """

    def __init__(
        self,
        key: str,
        folder: Path,
        plan: LearningPlan,
        learner: Learner,
        batches: Batches,
        writer: _Writer,
        report: Report,
        began: float,
    ) -> None:
        self._key, self._folder, self._plan = key, folder, plan
        self._learner, self._batches, self._writer = learner, batches, writer
        self._report, self._began = report, began
        self._unseen: list[torch.Tensor] = []
        self.notes: tuple[str, ...] = ()

    def go(self) -> Standing:
        """Every step that is left, with reports and with state kept now and then; where it ended."""
        start = restore_state(self._folder, self._key, self._learner)
        standing = start
        first_step_at = time.monotonic()
        save_at, tell_at = first_step_at + SAVE_EVERY_SECONDS, first_step_at
        for step in range(start.step, self._plan.steps):
            self._unseen.append(self._step(step))
            due, now = self._writer.is_due(step + 1), time.monotonic()
            if not (due or now > min(save_at, tell_at) or len(self._unseen) >= LOOK_EVERY_STEPS):
                continue
            standing = self._looked(standing, start.seconds + now - self._began)
            if due:
                self._writer.keep(standing)
            if now > save_at:
                save_state(self._folder, self._key, self._learner, standing)
                save_at = _next_save(now)
            if now > tell_at:
                self._tell(standing, start, now - first_step_at)
                tell_at = now + REPORT_EVERY_SECONDS
        standing = self._looked(standing, start.seconds + time.monotonic() - self._began)
        save_state(self._folder, self._key, self._learner, standing)
        return standing

    def _step(self, number: int) -> torch.Tensor:
        """One step; with half the batch from then on if the card has no room for the whole one."""
        try:
            return self._learner.step(number, self._batches.at(number))
        except torch.OutOfMemoryError:
            if self._batches.size == 1 or self.notes:
                raise
        self._learner.forget_gradients()
        torch.cuda.empty_cache()
        self._batches = self._batches.halved()
        self.notes = (f"The memory was too small: learned with {self._batches.size} pictures a step.",)
        return self._learner.step(number, self._batches.at(number))

    def _looked(self, standing: Standing, seconds: float) -> Standing:
        """Where the training stands with the losses of the steps since the last look. Raises LossNotANumber."""
        for loss in torch.stack(self._unseen).tolist() if self._unseen else ():
            if not math.isfinite(loss):
                raise LossNotANumber(standing.step)
            standing = Standing(step=standing.step + 1, loss=_smoothed(standing.loss, loss), seconds=seconds)
        self._unseen.clear()
        return standing

    def _tell(self, standing: Standing, start: Standing, seconds: float) -> None:
        done = standing.step - start.step
        left = self._plan.steps - standing.step
        eta = seconds / done * left if done >= STEPS_BEFORE_ETA else None
        fraction = CACHED_AT + (LEARNED_AT - CACHED_AT) * standing.step / self._plan.steps
        progress = _progress(TrainingPhase.LEARNING, fraction, standing, self._plan)
        self._report(replace(progress, eta_seconds=eta))


def _next_save(began: float) -> float:
    """When to keep state again after a save that began then: large networks take long, and must not do only that."""
    ended = time.monotonic()
    return ended + max(SAVE_EVERY_SECONDS, SAVE_AT_MOST * (ended - began))


def _progress(
    phase: TrainingPhase, fraction: float, standing: Standing, plan: LearningPlan
) -> TrainingProgress:
    return TrainingProgress(
        phase=phase, fraction=fraction, step=standing.step, steps=plan.steps, loss=standing.loss
    )


def _smoothed(average: float | None, value: float) -> float:
    return value if average is None else SMOOTHING * average + (1 - SMOOTHING) * value


@dataclass(frozen=True, slots=True)
class _Writer:
    """Writes what was learned so far into files: the candidates on the way, the adapter at the end."""

    model: Model
    request: TrainingRequest
    plan: LearningPlan

    teaching: Teaching

    def is_due(self, step: int) -> bool:
        """Whether a candidate is to be kept after so many steps."""
        return step in self._candidates()

    def keep(self, standing: Standing) -> None:
        """Write the candidate of this step; before its state, so that no resumed run misses it."""
        self._write(self._candidates()[standing.step], standing)

    def finish(self, standing: Standing, notes: tuple[str, ...]) -> TrainedAdapter:
        """Write the adapter itself."""
        return TrainedAdapter(
            path=self.request.output,
            sha256=self._write(self.request.output, standing),
            steps=self.plan.steps,
            seconds=standing.seconds,
            final_loss=standing.loss,
            candidates=tuple(
                Candidate(path=place, sha256=hashlib.sha256(place.read_bytes()).hexdigest(), steps=step)
                for step, place in sorted(self._candidates().items())
                if place.is_file()
            ),
            form=self.plan.method.form,
            notes=notes,
        )

    def _candidates(self) -> dict[int, Path]:
        """The file of each candidate, by its steps; none where each is a whole checkpoint."""
        if self.plan.method.form == "checkpoint":
            return {}
        output, last = self.request.output, self.plan.steps
        steps = {round(share * last) for share in CANDIDATES_AT} - {0, last}
        return {step: output.with_name(f"{output.stem}-{step:06}{output.suffix}") for step in steps}

    def _write(self, path: Path, standing: Standing) -> str:
        tensors = self.teaching.tensors()
        provenance = Provenance(
            request=self.request,
            plan=self.plan,
            steps=standing.step,
            prediction=str(self.model.scheduler_config.get("prediction_type", "epsilon")),
            started_at=datetime.now(UTC) - timedelta(seconds=standing.seconds),
            loss=standing.loss,
            about=self.teaching.about(),
        )
        return write_adapter(path, tensors, metadata(provenance, tensors))


def use_threads(count: int | None) -> None:
    """Let torch use so many threads; its own choice for None."""
    if count is not None:
        torch.set_num_threads(count)
