"""Trainings as their owner sees them: start, look, cancel; and whether anything can be learned here at all."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select

from studio.database.connect import Database
from studio.database.tables import TrainingRow
from studio.errors import AlreadyRunning, NotEnoughPhotos, TrainingObstacle, TrainingUnavailable
from studio.photo_rows import photos_of, set_verdict
from studio.queue import DurableQueue
from studio.records import new_id, now
from studio.settings import BUNDLED_CHECKPOINT, Settings
from studio.subjects import owned_subject
from studio.training_rows import newest_training, owned_training, training_value
from studio.values import Status, Training, TrainingAvailability, TrainingOptions
from webui_client.capabilities import name_of_checkpoint

TRAINER = "embedded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trainings:
    """The trainings of one owner."""

    database: Database
    queue: DurableQueue
    settings: Settings
    owner_id: str

    def start(self, subject_id: str, options: TrainingOptions) -> Training:
        """Queue a training. Raises as Studio.start_training."""
        with self.database.write() as session:
            owned_subject(session, subject_id, self.owner_id)
            require_training(self.settings)
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
            trainer=TRAINER,
            status=Status.QUEUED,
            phase="",
            progress=0.0,
            eta_seconds=None,
            step=0,
            steps=options.steps or 0,
            options=options.model_dump(mode="json"),
            checkpoint=name_of_checkpoint(checkpoint.name) if checkpoint else "",
            demonstration=checkpoint == BUNDLED_CHECKPOINT,
            cancel_requested=False,
            error=None,
            adapter_id=None,
            created_at=now(),
            started_at=None,
            finished_at=None,
        )


def availability(settings: Settings) -> TrainingAvailability:
    """Whether identities can be learned here."""
    try:
        require_training(settings)
    except TrainingUnavailable as reason:
        return TrainingAvailability(available=False, code=reason.reason)
    return TrainingAvailability(available=True, code="ready")


def require_training(settings: Settings) -> tuple[Path, Path]:
    """The checkpoint and the LoRA folder of the server. Raises TrainingUnavailable unless both are known and there."""
    checkpoint, folder = settings.training_checkpoint, settings.installed_loras
    if checkpoint is None:
        raise TrainingUnavailable(
            TrainingObstacle.CHECKPOINT_UNKNOWN,
            "Set SAJIN_CHECKPOINT to the WebUI's checkpoint file to learn beside it.",
        )
    if not checkpoint.exists():
        raise TrainingUnavailable(
            TrainingObstacle.CHECKPOINT_MISSING, f"The checkpoint {checkpoint} is not there."
        )
    if folder is None:
        raise TrainingUnavailable(
            TrainingObstacle.LORA_DIR_UNKNOWN,
            "Set SAJIN_LORA_DIR to the WebUI's LoRA folder to train beside it.",
        )
    if not settings.uses_embedded_engine and not folder.is_dir():
        raise TrainingUnavailable(
            TrainingObstacle.LORA_DIR_MISSING, f"The LoRA folder {folder} is not there."
        )
    return checkpoint, folder
