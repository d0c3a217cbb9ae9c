"""Trainings as their owner sees them: start, look, cancel."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select

from studio.database.connect import Database
from studio.database.tables import AdapterRow, TrainingRow
from studio.errors import AlreadyRunning, NotEnoughPhotos, NotFound
from studio.photo_rows import photos_of, set_verdict
from studio.queue import DurableQueue
from studio.records import new_id, now
from studio.servers import known_servers
from studio.settings import BUNDLED_CHECKPOINT, Settings
from studio.store import Store
from studio.subjects import owned_subject
from studio.trainers import checkpoint_name, require_method, require_server, require_training
from studio.training_rows import (
    newest_training,
    owned_training,
    report_of,
    report_pictures,
    training_value,
)
from studio.values import AdapterReport, Status, Training, TrainingOptions


@dataclass(frozen=True, slots=True, kw_only=True)
class Trainings:
    """The trainings of one owner."""

    database: Database
    store: Store
    queue: DurableQueue
    settings: Settings
    owner_id: str

    def start(self, subject_id: str, options: TrainingOptions) -> Training:
        """Queue a training. Raises as Studio.start_training."""
        with self.database.write() as session:
            owned_subject(session, subject_id, self.owner_id)
            trainer = options.trainer or self.settings.trainer
            require_training(self.settings, trainer)
            require_server(trainer, known_servers(session))
            require_method(self.settings, trainer, options.method)
            verdict = set_verdict(photos_of(session, subject_id))
            if not verdict.enough:
                raise NotEnoughPhotos(verdict)
            running = newest_training(session, subject_id)
            if running is not None and not Status(running.status).final:
                raise AlreadyRunning(subject_id, running.id)
            row = self._row(subject_id, options)
            session.add(row)
        self.queue.put_training(row.id)
        return self.get(row.id)

    def list(self, subject_id: str) -> tuple[Training, ...]:
        """Newest first. Raises NotFound."""
        query = select(TrainingRow).where(TrainingRow.subject_id == subject_id)
        with self.database.read() as session:
            owned_subject(session, subject_id, self.owner_id)
            rows = session.scalars(query.order_by(TrainingRow.created_at.desc())).all()
            return tuple(training_value(session, row) for row in rows)

    def get(self, training_id: str) -> Training:
        """One training. Raises NotFound."""
        with self.database.read() as session:
            return training_value(session, owned_training(session, training_id, self.owner_id))

    def report(self, training_id: str) -> AdapterReport:
        """How good what was learned is. Raises NotFound, also for a training without a report."""
        with self.database.read() as session:
            row = owned_training(session, training_id, self.owner_id)
            adapter = session.get(AdapterRow, row.adapter_id) if row.adapter_id else None
        report = report_of(adapter) if adapter else None
        if report is None:
            raise NotFound("report", training_id)
        return report

    def report_picture(self, training_id: str, picture_id: str) -> Path:
        """The file of a picture of a report. Raises NotFound."""
        for path in report_pictures(self.report(training_id)):
            if Path(path).stem == picture_id:
                return self.store.local(path)
        raise NotFound("picture", picture_id)

    def cancel(self, training_id: str) -> Training:
        """End a waiting training at once; ask a running one to stop. Raises NotFound."""
        with self.database.write() as session:
            row = owned_training(session, training_id, self.owner_id)
            if row.status == Status.QUEUED:
                row.status, row.finished_at = Status.CANCELLED, now()
            row.cancel_requested = row.cancel_requested or not Status(row.status).final
        return self.get(training_id)

    def _row(self, subject_id: str, options: TrainingOptions) -> TrainingRow:
        checkpoint = self.settings.training_checkpoint
        return TrainingRow(
            id=new_id(),
            owner_id=self.owner_id,
            subject_id=subject_id,
            trainer=options.trainer or self.settings.trainer,
            status=Status.QUEUED,
            phase="",
            progress=0.0,
            eta_seconds=None,
            step=0,
            steps=options.steps or 0,
            options=options.model_dump(mode="json"),
            checkpoint=checkpoint_name(self.settings),
            demonstration=checkpoint == BUNDLED_CHECKPOINT,
            cancel_requested=False,
            error=None,
            adapter_id=None,
            created_at=now(),
            started_at=None,
            finished_at=None,
        )
