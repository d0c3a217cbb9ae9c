"""The durable steps of a training: learn, score, install. Each may be run again after a crash."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy.exc import IntegrityError

from studio.database.connect import Database
from studio.database.tables import AdapterRow, PhotoRow, SubjectRow, TrainingRow
from studio.errors import DatabaseLocked, StudioError, TrainingObstacle, TrainingUnavailable
from studio.faces.values import PhotoFindings
from studio.loras import LoraFolders
from studio.photo_rows import caption_of, photos_of
from studio.pipeline.patience import StageCancelled, overlooking
from studio.records import now
from studio.settings import Settings
from studio.store import Store, storage_errors
from studio.trainers import require_training
from studio.training_rows import adapter_folder, report_pictures
from studio.values import AdapterReport, Failure, FailureCode, Status, TrainingOptions
from studio.worker.scoring import Scorer, Scoring, ScoringProgress, picture_file
from studio.worker.stopping import Stopping
from training.errors import TrainerUnusable, TrainingCancelled, TrainingFailed
from training.method import Method
from training.names import AdapterForm
from training.port import Candidate, TrainedAdapter, Trainer, TrainingPhoto, TrainingProgress, TrainingRequest
from training.tokens import token_of_name

LOG = structlog.get_logger()

LEARNED_AT = 0.97
SCORING = "scoring"

Learned = dict[str, Any]
"""What a trainer yielded, as the durable queue keeps it."""
Chosen = dict[str, Any]
"""The adapter that is to be installed, and the report that chose it, as the durable queue keeps them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingSteps:
    """What a training's workflow calls. Every step ends the training itself when it cannot go on."""

    settings: Settings
    database: Database
    store: Store
    loras: LoraFolders
    trainers: Mapping[str, Trainer]
    scorer: Scorer
    stopping: Stopping

    def learn(self, training_id: str) -> Learned | None:
        """Run the trainer; the adapter's file stays in the training's folder. None: the training has ended."""
        row = self._start(training_id)
        if row is None:
            self._forget(training_id)
            return None
        learned: Learned | None = self._guarded(training_id, lambda: self._learn(row))
        return learned

    def score(self, training_id: str, learned: Learned) -> Chosen | None:
        """Choose the best of what was learned, by pictures made with it. None: the training has ended."""
        chosen: Chosen | None = self._guarded(training_id, lambda: self._score(training_id, learned))
        return chosen

    def install(self, training_id: str, chosen: Chosen) -> None:
        """Keep the adapter, put it where the servers read LoRAs, and mark the training succeeded."""
        self._guarded(training_id, lambda: self._install(training_id, chosen))

    def folder(self, training_id: str) -> Path:
        """Where a training works."""
        return self.settings.data_folder / "trainings" / training_id

    def _start(self, training_id: str) -> TrainingRow | None:
        with self.database.write() as session:
            row = session.get(TrainingRow, training_id)
            if row is None or Status(row.status).final:
                return None
            row.status, row.started_at = Status.RUNNING, row.started_at or now()
        return row

    def _learn(self, row: TrainingRow) -> Learned:
        require_training(self.settings, row.trainer)
        request = self._request(row)
        trained = self.trainers[row.trainer].train(
            request,
            overlooking(lambda progress: self._show(row.id, progress), otherwise=None),
            overlooking(lambda: self._cancelled(row.id), otherwise=False),
        )
        LOG.info(
            "training learned",
            training=row.id,
            trainer=row.trainer,
            steps=trained.steps,
            seconds=round(trained.seconds, 1),
            candidates=len(trained.candidates),
            notes=trained.notes,
        )
        return {
            "candidates": [_candidate_entry(candidate) for candidate in _candidates(trained)],
            "seconds": trained.seconds,
            "trigger": trained.trigger or request.instance_token,
            "form": trained.form,
            "notes": list(trained.notes),
        }

    def _score(self, training_id: str, learned: Learned) -> Chosen:
        scoring = self._scoring(training_id, learned)
        about = {name: learned[name] for name in ("seconds", "trigger", "form", "notes")}
        if learned["form"] != "lora":
            return _candidate_entry(scoring.candidates[-1]) | about | {"report": None}
        report = self.scorer.score(
            scoring,
            overlooking(lambda progress: self._show_scoring(training_id, progress), otherwise=None),
            overlooking(lambda: self._cancelled(training_id), otherwise=False),
        )
        best = next(candidate for candidate in scoring.candidates if candidate.steps == report.steps)
        LOG.info("training scored", training=training_id, steps=best.steps, weight=report.weight)
        return _candidate_entry(best) | about | {"report": report.model_dump(mode="json")}

    def _scoring(self, training_id: str, learned: Learned) -> Scoring:
        with self.database.read() as session:
            training = session.get(TrainingRow, training_id)
            subject = session.get(SubjectRow, training.subject_id) if training else None
            photos = photos_of(session, training.subject_id) if training else ()
        if training is None or subject is None:
            raise StageCancelled
        return Scoring(
            training_id=training_id,
            subject_id=subject.id,
            candidates=tuple(map(_candidate, learned["candidates"])),
            trigger=learned["trigger"],
            class_noun=subject.class_noun,
            checkpoint=training.checkpoint,
            photos=tuple(
                self.store.get(photo.path)
                for photo in photos
                if photo.status != "unfit" and self.store.has(photo.path)
            ),
            folder=self.folder(training_id),
        )

    def _request(self, row: TrainingRow) -> TrainingRequest:
        options, folder = TrainingOptions.model_validate(row.options), self.folder(row.id)
        method = options.method or Method()
        with self.database.read() as session:
            subject = session.get(SubjectRow, row.subject_id)
            photos = [photo for photo in photos_of(session, row.subject_id) if photo.status != "unfit"]
        checkpoint = self.settings.training_checkpoint
        if subject is None or checkpoint is None:
            raise StageCancelled
        return TrainingRequest(
            photos=tuple(self._photo(photo) for photo in photos),
            checkpoint=checkpoint,
            instance_token=_instance_token(subject, method),
            class_noun=subject.class_noun,
            output=folder / "adapter.safetensors",
            work_folder=folder / "work",
            steps=options.steps,
            seed=options.seed,
            method=method,
        )

    def _photo(self, row: PhotoRow) -> TrainingPhoto:
        face = PhotoFindings.model_validate(row.findings).main_face
        return TrainingPhoto(
            path=self.store.local(row.path),
            box=face.box.corners() if face else None,
            caption=caption_of(row),
        )

    def _install(self, training_id: str, chosen: Chosen) -> bool:
        file = Path(chosen["path"])
        adapter = self._adapter(training_id, chosen)
        if file.exists():
            adapter.path = self.store.put(
                file.read_bytes(), adapter_folder(adapter.subject_id), ".safetensors"
            )
        pictures = self._keep_pictures(training_id, chosen)
        form: AdapterForm = chosen["form"]
        self.loras.of(form).install(adapter.name, self.store.get(adapter.path))
        self.scorer.servers.show([adapter.name], form)
        self._keep(training_id, adapter, pictures)
        self._forget(training_id)
        LOG.info("training succeeded", training=training_id, adapter=adapter.name)
        return True

    def _keep_pictures(self, training_id: str, chosen: Chosen) -> list[str]:
        """Put the report's pictures into the store, unless they are there already; their paths."""
        if chosen["report"] is None:
            return []
        report = AdapterReport.model_validate(chosen["report"])
        names = [picture.id for point in report.points for picture in point.pictures]
        for file in (picture_file(self.folder(training_id), name) for name in names):
            if file.exists():
                self.store.put(file.read_bytes(), adapter_folder(report.subject_id), ".png")
        return report_pictures(report)

    def _adapter(self, training_id: str, chosen: Chosen) -> AdapterRow:
        """The adapter's row; the same for the same training, however often it is installed."""
        with self.database.read() as session:
            training = session.get(TrainingRow, training_id)
            subject = session.get(SubjectRow, training.subject_id) if training else None
        if training is None or subject is None:
            raise StageCancelled
        adapter_id = uuid.uuid5(uuid.UUID(training_id), "adapter").hex
        name, report = f"sajin-{adapter_id[:12]}", chosen["report"]
        return AdapterRow(
            id=adapter_id,
            owner_id=training.owner_id,
            subject_id=subject.id,
            name=name,
            trigger=name if chosen["form"] == "embedding" else chosen["trigger"],
            checkpoint=training.checkpoint,
            path=f"{adapter_folder(subject.id)}/{chosen['sha256']}.safetensors",
            sha256=chosen["sha256"],
            steps=chosen["steps"],
            seconds=chosen["seconds"],
            weight=report and report["weight"],
            form=chosen["form"],
            notes=chosen["notes"],
            report=report,
            demonstration=training.demonstration,
            created_at=now(),
        )

    def _keep(self, training_id: str, adapter: AdapterRow, pictures: Sequence[str]) -> None:
        try:
            with self.database.write() as session:
                session.merge(adapter)
                session.flush()
                row = session.get(TrainingRow, training_id)
                if row is not None:
                    row.status, row.finished_at, row.adapter_id = Status.SUCCEEDED, now(), adapter.id
                    row.progress, row.eta_seconds = 1.0, None
        except IntegrityError as error:
            for path in (adapter.path, *pictures):
                self.store.delete(path)
            self.loras.remove(adapter.name)
            raise StageCancelled from error

    def _show(self, training_id: str, progress: TrainingProgress) -> None:
        with self.database.write() as session:
            row = session.get(TrainingRow, training_id)
            if row is not None:
                row.phase, row.progress = progress.phase.value, progress.fraction
                row.step, row.steps, row.eta_seconds = progress.step, progress.steps, progress.eta_seconds

    def _show_scoring(self, training_id: str, progress: ScoringProgress) -> None:
        with self.database.write() as session:
            row = session.get(TrainingRow, training_id)
            if row is not None:
                row.phase, row.eta_seconds = SCORING, progress.eta_seconds
                row.progress = LEARNED_AT + (1 - LEARNED_AT) * progress.done / progress.of

    def _cancelled(self, training_id: str) -> bool:
        if self.stopping.asked:
            return True
        with self.database.read() as session:
            row = session.get(TrainingRow, training_id)
        return row is None or row.cancel_requested

    def _guarded(self, training_id: str, work: Callable[[], Any]) -> Any:
        """The work's value; None after the training was ended for what the work raised.

        Raises DatabaseLocked, which ends no training: it passes, and until then no end could be written down.
        """
        try:
            with storage_errors(str(self.settings.data_folder)):
                return work()
        except DatabaseLocked:
            raise
        except (TrainingCancelled, StageCancelled):
            self.stopping.park_if_asked()
            self._end(training_id, Status.CANCELLED, None)
        except TrainerUnusable as error:
            reason = TrainingObstacle(error.obstacle.value)
            failure = Failure(code=TrainingUnavailable.code, message=str(error), reason=reason)
            self._end(training_id, Status.FAILED, failure)
        except TrainingFailed as error:
            LOG.error("training failed", training=training_id, reason=error.reason, details=error.details)
            self._end(
                training_id, Status.FAILED, Failure(code=FailureCode.TRAINING_FAILED, message=str(error))
            )
        except TrainingUnavailable as error:
            failure = Failure(code=error.code, message=str(error), reason=error.reason)
            self._end(training_id, Status.FAILED, failure)
        except StudioError as error:
            self._end(training_id, Status.FAILED, Failure(code=error.code, message=str(error)))
        except Exception as error:  # a defect of ours must end this training, not the worker
            LOG.exception("training broke", training=training_id)
            self._end(
                training_id, Status.FAILED, Failure(code=FailureCode.INTERNAL_ERROR, message=repr(error))
            )
        return None

    def _end(self, training_id: str, status: Status, failure: Failure | None) -> None:
        with self.database.write() as session:
            row = session.get(TrainingRow, training_id)
            if row is not None and not Status(row.status).final:
                row.status, row.finished_at, row.eta_seconds = status, now(), None
                row.error = None if failure is None else failure.model_dump()
        self._forget(training_id)

    def _forget(self, training_id: str) -> None:
        """Remove the working files, which are of a person and of no use to another training."""
        self.loras.remove_trials(training_id)
        shutil.rmtree(self.folder(training_id), ignore_errors=True)


def _instance_token(subject: SubjectRow, method: Method) -> str:
    """The word that will mean the subject; the subject's own where the method wants a name's and it has no letters."""
    return (method.token_from_name and token_of_name(subject.name)) or subject.trigger


def _candidates(trained: TrainedAdapter) -> tuple[Candidate, ...]:
    """Every state of the adapter that was kept, oldest first, the finished one last."""
    return (
        *trained.candidates,
        Candidate(path=trained.path, sha256=trained.sha256, steps=trained.steps),
    )


def _candidate(entry: Mapping[str, Any]) -> Candidate:
    return Candidate(path=Path(entry["path"]), sha256=entry["sha256"], steps=entry["steps"])


def _candidate_entry(candidate: Candidate) -> dict[str, Any]:
    return {"path": str(candidate.path), "sha256": candidate.sha256, "steps": candidate.steps}
