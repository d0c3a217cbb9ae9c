"""Scoring the candidates of a training: validation pictures made by the servers, looked at, and kept as they come."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import structlog
from pydantic import ValidationError

from studio.assessment.score import Judged, Seen, advice_for, best_of, measure_of, point_of
from studio.assessment.trials import (
    FIRST_WEIGHT,
    MOST_CANDIDATES,
    OTHER_WEIGHTS,
    TRIALS,
    Trial,
    preset_of,
)
from studio.errors import NoFittingServer, NotEnoughPhotos, TrainingUnavailable
from studio.faces.errors import FaceWorkFailed
from studio.faces.process import FaceProcess
from studio.faces.values import Surroundings
from studio.library.prompts import PromptLibrary
from studio.loras import trial_name
from studio.pipeline.facts import facts_of
from studio.pipeline.patience import StageCancelled, keep_trying
from studio.pipeline.retrying import RetryPolicy, code_of
from studio.pipeline.runner import Follower, StageRunner
from studio.pipeline.stages import AnyInput, StageInput
from studio.planning.plan import Identity, Order
from studio.planning.planning import make_plan
from studio.store import write_whole
from studio.values import (
    AdapterReport,
    Advice,
    Failure,
    FailureCode,
    JobOptions,
    ReportPoint,
)
from studio.worker.server_loras import ServerLoras
from training.port import Candidate
from webui_client.errors import WebuiError
from webui_client.values import Progress

LOG = structlog.get_logger()
PICTURES = "trials"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scoring:
    """What is to be scored. candidates: oldest first, the last one included. folder: for what was seen so far.

    checkpoint: bare name of the one learned on. photos: the fit ones that are still there, encoded.
    """

    training_id: str
    subject_id: str
    candidates: tuple[Candidate, ...]
    trigger: str
    class_noun: str
    checkpoint: str
    photos: tuple[bytes, ...]
    folder: Path


@dataclass(frozen=True, slots=True)
class ScoringProgress:
    """How far a scoring is. eta_seconds: None until a picture was made."""

    done: int
    of: int
    eta_seconds: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scorer:
    """Scores candidates. What it has seen is kept in the scoring's folder, so that a killed one goes on from there."""

    servers: ServerLoras
    runner: StageRunner
    policy: RetryPolicy
    faces: FaceProcess
    prompts: PromptLibrary
    trials: tuple[Trial, ...] = TRIALS

    def score(
        self, scoring: Scoring, tell: Callable[[ScoringProgress], None], cancelled: Callable[[], bool]
    ) -> AdapterReport:
        """The report on the candidates; no LoRA of the scoring stays behind.

        A server or face work that fails ends the scoring, not the training: the report names the reason, and the last
        candidate. Raises StageCancelled, StorageError.
        """
        if not scoring.photos:
            gone = Failure(code=NotEnoughPhotos.code, message="No fit photo is left to compare with.")
            return unscored(scoring, gone)
        try:
            return self._report(scoring, tell, cancelled)
        except (WebuiError, NoFittingServer, TrainingUnavailable, FaceWorkFailed) as error:
            if cancelled():
                raise StageCancelled from error
            LOG.warning("not scored", training=scoring.training_id, error=str(error))
            return unscored(scoring, _failure(error))

    def _report(
        self, scoring: Scoring, tell: Callable[[ScoringProgress], None], cancelled: Callable[[], bool]
    ) -> AdapterReport:
        candidates = spread(scoring.candidates, MOST_CANDIDATES)
        pictures = (len(candidates) + len(OTHER_WEIGHTS)) * len(self.trials)
        with self._placed(scoring, candidates):
            bench = _Bench(self, scoring, cancelled, _Teller(tell, pictures))
            first = [bench.judged(candidate, FIRST_WEIGHT) for candidate in candidates]
            best = candidates[best_of(bench.points(candidates, [FIRST_WEIGHT] * len(candidates), first))]
            others = [bench.judged(best, weight) for weight in OTHER_WEIGHTS]
        tried = (*candidates, *[best] * len(others))
        weights = [FIRST_WEIGHT] * len(candidates) + list(OTHER_WEIGHTS)
        points = bench.points(tried, weights, [*first, *others])
        chosen = best_of(points)
        return AdapterReport(
            training_id=scoring.training_id,
            subject_id=scoring.subject_id,
            steps=points[chosen].steps,
            weight=points[chosen].weight,
            measure=measure_of([one for judged in (*first, *others) for one in judged]),
            points=points,
            chosen=chosen,
            advice=advice_for(points[: len(candidates)], points[chosen]),
            failure=None,
        )

    @contextmanager
    def _placed(self, scoring: Scoring, candidates: Sequence[Candidate]) -> Iterator[None]:
        """The candidates where the servers look for LoRAs, for the length of the context."""
        names = {trial_name(scoring.training_id, candidate.steps): candidate for candidate in candidates}
        try:
            for name, candidate in names.items():
                self.servers.loras.install(name, candidate.path.read_bytes())
            self.servers.show(names)
            yield
        finally:
            self.servers.loras.remove_trials(scoring.training_id)


@dataclass(slots=True)
class _Teller:
    """Counts pictures, and tells how long the others will take."""

    tell: Callable[[ScoringProgress], None]
    of: int
    done: int = 0
    made: int = 0
    seconds: float = 0.0

    def count(self, seconds: float | None) -> None:
        """One picture more; seconds: what it took, None for one that was there."""
        self.done += 1
        if seconds is not None:
            self.made, self.seconds = self.made + 1, self.seconds + seconds
        left = self.seconds / self.made * (self.of - self.done) if self.made else None
        self.tell(ScoringProgress(self.done, self.of, left))


class _Bench:
    """One scoring under way."""

    def __init__(
        self, scorer: Scorer, scoring: Scoring, cancelled: Callable[[], bool], teller: _Teller
    ) -> None:
        self._scorer, self._scoring, self._teller = scorer, scoring, teller
        self._follower = Follower(on_progress=_ignored, wants_preview=lambda: False, cancelled=cancelled)
        self._photos: tuple[Surroundings, ...] | None = None

    def judged(self, candidate: Candidate, weight: float) -> tuple[Judged, ...]:
        """What is seen in the validation pictures of a candidate at a weight."""
        return tuple(Judged(trial, self._seen(candidate, weight, trial)) for trial in self._scorer.trials)

    def points(
        self,
        candidates: Sequence[Candidate],
        weights: Sequence[float],
        judged: Sequence[Sequence[Judged]],
    ) -> tuple[ReportPoint, ...]:
        """The points of candidates that are compared, by one measure of likeness."""
        measure = measure_of([one for some in judged for one in some])
        return tuple(
            point_of(candidate.steps, weight, some, measure, self._around_photos(), self._diversity(some))
            for candidate, weight, some in zip(candidates, weights, judged, strict=True)
        )

    def _seen(self, candidate: Candidate, weight: float, trial: Trial) -> Seen:
        note = self._scoring.folder / PICTURES / f"{candidate.sha256}-{weight:g}-{trial.number}.json"
        place = {"training": self._scoring.training_id, "steps": candidate.steps, "weight": weight}
        known = _read(note)
        if known is not None:
            LOG.info("trial found", **place, trial=trial.number)
            self._teller.count(None)
            return known
        began = time.monotonic()
        seen = self._look(self._made(candidate, weight, trial))
        write_whole(note, seen.model_dump_json().encode(), note.parent)
        LOG.info("trial finished", **place, trial=trial.number)
        self._teller.count(time.monotonic() - began)
        return seen

    def _made(self, candidate: Candidate, weight: float, trial: Trial) -> bytes:
        if self._follower.cancelled():
            raise StageCancelled
        place = {"training": self._scoring.training_id, "steps": candidate.steps, "trial": trial.number}
        given = keep_trying(
            lambda: self._given(candidate, weight, trial),
            self._scorer.policy,
            others=lambda _: False,
            cancelled=self._follower.cancelled,
            tell=lambda error, pause: LOG.warning(
                "trial not planned", **place, error=str(error), next_try_in=pause
            ),
        )
        return self._scorer.runner.make(given, self._follower, **place).picture

    def _given(self, candidate: Candidate, weight: float, trial: Trial) -> AnyInput:
        """The stage for the first server that can make it. Raises NoFittingServer, else the last error of contact."""
        problems: list[NoFittingServer | WebuiError] = []
        for client in self._scorer.servers.pool.clients:
            try:
                facts = facts_of(client.capabilities())
                order = self._order(candidate, weight, trial, demonstration=facts.demonstration)
                plan = make_plan(order, facts, self._scorer.prompts)
            except (NoFittingServer, WebuiError) as error:
                problems.append(error)
                continue
            request = plan.pictures[0].stages[0]
            return StageInput(request=request, picture=None, files={}, checkpoint=plan.checkpoint)
        raise next((one for one in problems if isinstance(one, NoFittingServer)), problems[-1])

    def _order(self, candidate: Candidate, weight: float, trial: Trial, *, demonstration: bool) -> Order:
        scoring = self._scoring
        identity = Identity(
            trigger=scoring.trigger,
            class_noun=scoring.class_noun,
            lora=trial_name(scoring.training_id, candidate.steps),
            checkpoint=scoring.checkpoint,
        )
        return Order(
            preset="",
            spec=preset_of(trial, weight, demonstration=demonstration),
            options=JobOptions(),
            count=1,
            seed=trial.seed,
            identities=(identity,),
            class_noun=scoring.class_noun,
            pose=None,
        )

    def _look(self, picture: bytes) -> Seen:
        faces = self._scorer.faces
        digest = hashlib.sha256(picture).hexdigest()
        write_whole(picture_file(self._scoring.folder, digest), picture, self._scoring.folder)
        return Seen(
            picture=digest,
            resemblance=faces.resemblance(picture, self._scoring.photos),
            surroundings=faces.surroundings(picture),
        )

    def _around_photos(self) -> tuple[Surroundings, ...]:
        if self._photos is None:
            self._photos = tuple(map(self._scorer.faces.surroundings, self._scoring.photos))
        return self._photos

    def _diversity(self, judged: Sequence[Judged]) -> float:
        folder = self._scoring.folder
        return self._scorer.faces.variety(
            [picture_file(folder, one.seen.picture).read_bytes() for one in judged]
        )


def picture_file(folder: Path, picture: str) -> Path:
    """Where a validation picture lies while its training is scored. picture: its SHA-256."""
    return folder / PICTURES / f"{picture}.png"


def spread(candidates: tuple[Candidate, ...], most: int) -> tuple[Candidate, ...]:
    """At most so many of the candidates (at least two), evenly spread, the last one always among them."""
    if len(candidates) <= most:
        return candidates
    last = len(candidates) - 1
    return tuple(candidates[round(last * (number + 1) / most)] for number in range(most))


def unscored(scoring: Scoring, failure: Failure) -> AdapterReport:
    """The report on candidates of which nothing is known: the last one is taken, at the usual weight."""
    return AdapterReport(
        training_id=scoring.training_id,
        subject_id=scoring.subject_id,
        steps=scoring.candidates[-1].steps,
        weight=None,
        measure=None,
        points=(),
        chosen=None,
        advice=Advice(code="score_again"),
        failure=failure,
    )


def _failure(error: WebuiError | NoFittingServer | TrainingUnavailable | FaceWorkFailed) -> Failure:
    if isinstance(error, WebuiError):
        return Failure(code=code_of(error), message=str(error), server=error.server or None)
    if isinstance(error, TrainingUnavailable):
        return Failure(code=error.code, message=str(error), reason=error.reason)
    if isinstance(error, FaceWorkFailed):
        return Failure(code=FailureCode.INTERNAL_ERROR, message=str(error))
    return Failure(code=error.code, message=str(error))


def _read(note: Path) -> Seen | None:
    """What was seen before, None for nothing or what a power cut spoilt."""
    try:
        return Seen.model_validate_json(note.read_bytes())
    except (FileNotFoundError, ValidationError):
        return None


def _ignored(progress: Progress) -> None:
    """Nobody watches a single validation picture."""
    del progress
