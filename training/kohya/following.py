"""From the lines of sd-scripts to progress, and to an end where it does not end itself."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from training.errors import TrainingCancelled, TrainingFailed
from training.kohya.output import (
    Bar,
    Caching,
    Epoch,
    Event,
    Images,
    NoData,
    Saving,
    StepsPerEpoch,
    TotalSteps,
    read_line,
)
from training.kohya.process import Running
from training.kohya.work import WorkFolder
from training.port import TrainingPhase, TrainingProgress

CACHED_AT, LEARNED_AT = 0.05, 0.97
LOOK_EVERY_SECONDS = 0.25
REPORT_EVERY_SECONDS = 0.5
STEPS_BAR = "steps"


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What a run should do.

    images: an epoch's pictures with repeats. file: the finished LoRA's name. epochs_before, seconds_before: learned
    and spent in earlier runs.
    """

    images: int
    file: str
    epochs_before: int
    seconds_before: float


class Follower:
    """Follows one run of sd-scripts.

    patience_seconds: without any sign of progress for so long, the run is taken to hang.
    """

    def __init__(
        self,
        work: WorkFolder,
        expected: Expected,
        on_progress: Callable[[TrainingProgress], None],
        patience_seconds: float,
    ) -> None:
        self._work, self._expected, self._on_progress = work, expected, on_progress
        self._patience = patience_seconds
        self._per_epoch = self._total = 0
        self._began = self._sign_at = time.monotonic()
        self._reported_at = 0.0
        self._progress = TrainingProgress(phase=TrainingPhase.PREPARING, fraction=0.0, step=0, steps=0)

    @property
    def loss(self) -> float | None:
        """The last loss that was told."""
        return self._progress.loss

    @property
    def steps_per_epoch(self) -> int:
        """Steps of an epoch, 0 before it was told."""
        return self._per_epoch

    @property
    def seconds(self) -> float:
        """Spent until now, in all runs."""
        return self._expected.seconds_before + time.monotonic() - self._began

    def follow(self, running: Running, cancelled: Callable[[], bool]) -> None:
        """Take every line until the process ends.

        Raises TrainingCancelled, and TrainingFailed for a loss that is no number, missing photos, or a hang.
        """
        self._on_progress(self._progress)
        looked_at = 0.0
        while True:
            now = time.monotonic()
            if now - looked_at >= LOOK_EVERY_SECONDS:
                if cancelled():
                    raise TrainingCancelled
                looked_at = now
            line = running.next_line(LOOK_EVERY_SECONDS)
            if line is None:
                return
            event = read_line(line)
            if event is not None:
                self._take(event)
            if now - self._sign_at > self._patience:
                raise self._hangs(running)

    def _take(self, event: Event) -> None:
        before = self._progress
        match event:
            case Images(count) if count != self._expected.images:
                raise TrainingFailed(
                    f"sd-scripts found {count} of {self._expected.images} training pictures.",
                    "Some disappeared; start the training again.",
                )
            case NoData():
                raise TrainingFailed(
                    "sd-scripts found no training pictures.", "They disappeared; start the training again."
                )
            case StepsPerEpoch(count):
                self._per_epoch = count
            case TotalSteps(count):
                self._total = count
            case Epoch(number):
                self._work.mark_states(number, self.seconds)
            case Caching():
                self._progress = replace(before, phase=TrainingPhase.CACHING)
            case Bar():
                self._moved(event)
            case Saving(path) if Path(path).name == self._expected.file:
                self._progress = replace(
                    before, phase=TrainingPhase.SAVING, fraction=LEARNED_AT, eta_seconds=None
                )
        if not isinstance(event, Bar) or self._progress != before:
            self._sign_at = time.monotonic()
        self._tell(before.phase)

    def _moved(self, bar: Bar) -> None:
        if bar.name == STEPS_BAR:
            self._learned(bar)
        elif self._progress.phase is TrainingPhase.CACHING:
            self._progress = replace(self._progress, fraction=CACHED_AT * bar.done / max(bar.of, 1))

    def _learned(self, bar: Bar) -> None:
        """Take a bar of steps, which may come before or after what was said at the same time on the other stream.

        A resumed run's bar begins at 0 and still runs towards the number of all steps.
        """
        if not self._total:
            return
        step = self._expected.epochs_before * self._per_epoch + bar.done
        if bar.loss is not None and not math.isfinite(bar.loss):
            raise TrainingFailed(
                f"The training diverged: the loss is not a number at step {step}.",
                "Start it again with a lower learning rate.",
            )
        saving = self._progress.phase is TrainingPhase.SAVING
        self._progress = TrainingProgress(
            phase=TrainingPhase.SAVING if saving else TrainingPhase.LEARNING,
            fraction=LEARNED_AT if saving else self._fraction(step),
            step=step,
            steps=self._total,
            eta_seconds=None if saving else self._seconds_left(bar, step),
            loss=bar.loss if bar.loss is not None else self._progress.loss,
        )

    def _seconds_left(self, bar: Bar, step: int) -> float | None:
        """The bar's own time, for the steps that are truly left."""
        if bar.seconds_left is None or bar.done >= bar.of:
            return bar.seconds_left
        return bar.seconds_left * max(self._total - step, 0) / (bar.of - bar.done)

    def _fraction(self, step: int) -> float:
        return CACHED_AT + (LEARNED_AT - CACHED_AT) * step / max(self._total, 1)

    def _tell(self, phase_before: TrainingPhase) -> None:
        now = time.monotonic()
        if self._progress.phase is not phase_before or now - self._reported_at > REPORT_EVERY_SECONDS:
            self._on_progress(self._progress)
            self._reported_at = now

    def _hangs(self, running: Running) -> TrainingFailed:
        minutes = self._patience / 60
        return TrainingFailed(
            f"sd-scripts made no progress for {minutes:.3g} minutes and was ended.",
            "Start the training again; raise SAJIN_KOHYA_PATIENCE_MINUTES if this machine is only slow.",
            running.log(),
        )
