"""One training from request to file, inside the child process."""

from __future__ import annotations

import hashlib
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import torch

from training.embedded.adapter_file import Provenance, kohya_tensors, metadata, write_adapter
from training.embedded.caches import build_cache
from training.embedded.captions import captions
from training.embedded.learning import Batches, Learner, NoiseSchedule
from training.embedded.networks import load_networks
from training.embedded.plan import LearningPlan, plan_learning
from training.embedded.state import Standing, restore_state, save_state, state_key
from training.port import Candidate, TrainedAdapter, TrainingPhase, TrainingProgress, TrainingRequest
from webui_engine.diffusion.model import Model

Report = Callable[[TrainingProgress], None]

CACHED_AT, LEARNED_AT = 0.1, 0.97
SAVE_EVERY_SECONDS = 5.0
REPORT_EVERY_SECONDS = 0.5
SMOOTHING = 0.95
STEPS_BEFORE_ETA = 3
CANDIDATES_AT = (0.5, 0.75)
"""Shares of the steps after which the adapter is kept as a candidate, besides the last."""


def run(request: TrainingRequest, report: Report) -> TrainedAdapter:
    """Learn, or go on learning, and write request.output and the candidates beside it; the work folder is removed.

    Raises webui_engine.errors.EngineError for a checkpoint that cannot be read, OSError for photos or folders that
    cannot, training.embedded.learning.LossNotANumber, torch.OutOfMemoryError.
    """
    began = time.monotonic()
    report(TrainingProgress(phase=TrainingPhase.PREPARING, fraction=0.0, step=0, steps=request.steps or 0))
    model = load_networks(request.checkpoint)
    plan = plan_learning(request, model.unet.num_parameters(), model.native_size)
    batches = _prepare(model, request, plan, report)
    writer = _Writer(model, request, plan)
    course = _Course(request, plan, Learner(model, plan), writer, report, began)
    standing = course.go(batches)
    report(_progress(TrainingPhase.SAVING, LEARNED_AT, standing, plan))
    adapter = writer.finish(standing)
    shutil.rmtree(request.work_folder, ignore_errors=True)
    return adapter


def _prepare(model: Model, request: TrainingRequest, plan: LearningPlan, report: Report) -> Batches:
    def on_share(share: float) -> None:
        report(_progress(TrainingPhase.CACHING, CACHED_AT * share, Standing(), plan))

    words = captions(request.instance_token, request.class_noun)
    cache = build_cache(model, request.photos, words, plan, on_share)
    schedule = NoiseSchedule(model.scheduler_config, plan.snr_gamma, model.device.place)
    return Batches(cache, plan, schedule, model)


@dataclass(frozen=True, slots=True)
class _Course:
    """The learning from the kept state to the last step."""

    request: TrainingRequest
    plan: LearningPlan
    learner: Learner
    writer: _Writer
    report: Report
    began: float

    def go(self, batches: Batches) -> Standing:
        """Every step that is left, with reports and with state kept now and then; where it ended."""
        key = self._key()
        start = restore_state(self.request.work_folder, key, self.learner)
        standing = start
        first_step_at = saved_at = reported_at = time.monotonic()
        for step in range(start.step, self.plan.steps):
            loss = self.learner.step(step, batches.at(step))
            now = time.monotonic()
            seconds = start.seconds + now - self.began
            standing = Standing(step=step + 1, loss=_smoothed(standing.loss, loss), seconds=seconds)
            self.writer.keep_if_due(standing)
            if now - saved_at > SAVE_EVERY_SECONDS:
                save_state(self.request.work_folder, key, self.learner, standing)
                saved_at = time.monotonic()
            if now - reported_at > REPORT_EVERY_SECONDS or step == start.step:
                self._tell(standing, start, now - first_step_at)
                reported_at = now
        save_state(self.request.work_folder, key, self.learner, standing)
        return standing

    def _tell(self, standing: Standing, start: Standing, seconds: float) -> None:
        done = standing.step - start.step
        left = self.plan.steps - standing.step
        eta = seconds / done * left if done >= STEPS_BEFORE_ETA else None
        fraction = CACHED_AT + (LEARNED_AT - CACHED_AT) * standing.step / self.plan.steps
        progress = _progress(TrainingPhase.LEARNING, fraction, standing, self.plan)
        self.report(replace(progress, eta_seconds=eta))

    def _key(self) -> str:
        photos = [
            (hashlib.sha256(photo.path.read_bytes()).hexdigest(), photo.box) for photo in self.request.photos
        ]
        request = self.request
        return state_key(self.plan, photos, request.checkpoint, request.instance_token, request.class_noun)


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

    def keep_if_due(self, standing: Standing) -> None:
        """Write the candidate of this step, if there is one; before its state, so that no resumed run misses it."""
        place = self._candidates().get(standing.step)
        if place is not None:
            self._write(place, standing)

    def finish(self, standing: Standing) -> TrainedAdapter:
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
        )

    def _candidates(self) -> dict[int, Path]:
        """The file of each candidate, by its steps."""
        output, last = self.request.output, self.plan.steps
        steps = {round(share * last) for share in CANDIDATES_AT} - {0, last}
        return {step: output.with_name(f"{output.stem}-{step:06}{output.suffix}") for step in steps}

    def _write(self, path: Path, standing: Standing) -> str:
        tensors = kohya_tensors(self.model.unet)
        provenance = Provenance(
            request=self.request,
            plan=self.plan,
            steps=standing.step,
            prediction=str(self.model.scheduler_config.get("prediction_type", "epsilon")),
            started_at=datetime.now(UTC) - timedelta(seconds=standing.seconds),
            loss=standing.loss,
        )
        return write_adapter(path, tensors, metadata(provenance, tensors))


def use_threads(count: int | None) -> None:
    """Let torch use so many threads; its own choice for None."""
    if count is not None:
        torch.set_num_threads(count)
