"""Reading trainings and adapters from their tables."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from studio.database.tables import AdapterRow, TrainingRow
from studio.errors import NotFound
from studio.values import Adapter, AdapterReport, Failure, Status, Training
from training.method import FORMS


def owned_training(session: Session, training_id: str, owner_id: str) -> TrainingRow:
    """The row of a training if it is this owner's. Raises NotFound."""
    row = session.get(TrainingRow, training_id)
    if row is None or row.owner_id != owner_id:
        raise NotFound("training", training_id)
    return row


def newest_training(session: Session, subject_id: str) -> TrainingRow | None:
    """A subject's latest training."""
    query = select(TrainingRow).where(TrainingRow.subject_id == subject_id)
    return session.scalars(query.order_by(TrainingRow.created_at.desc()).limit(1)).first()


def training_value(session: Session, row: TrainingRow) -> Training:
    """The training without what only the studio needs."""
    adapter = session.get(AdapterRow, row.adapter_id) if row.adapter_id else None
    return Training(
        id=row.id,
        subject_id=row.subject_id,
        trainer=row.trainer,
        status=Status(row.status),
        phase=row.phase,
        progress=row.progress,
        eta_seconds=row.eta_seconds,
        step=row.step,
        steps=row.steps,
        error=None if row.error is None else Failure.model_validate(row.error),
        adapter=None if adapter is None else adapter_value(adapter),
        created_at=row.created_at,
        finished_at=row.finished_at,
        demonstration=row.demonstration,
    )


def adapter_value(row: AdapterRow) -> Adapter:
    """The adapter without where it is kept."""
    return Adapter(
        id=row.id,
        name=row.name,
        trigger=row.trigger,
        checkpoint=row.checkpoint,
        created_at=row.created_at,
        steps=row.steps,
        seconds=row.seconds,
        weight=row.weight,
        form=FORMS.validate_python(row.form),
        notes=tuple(row.notes),
        demonstration=row.demonstration,
    )


def report_of(row: AdapterRow) -> AdapterReport | None:
    """What is known of how good an adapter is; None for one of a time when nobody looked."""
    return None if row.report is None else AdapterReport.model_validate(row.report)


def adapter_folder(subject_id: str) -> str:
    """The store's folder for what was learned of a subject."""
    return f"adapters/{subject_id}"


def report_pictures(report: AdapterReport) -> list[str]:
    """The paths in the store of a report's pictures."""
    folder = adapter_folder(report.subject_id)
    return [f"{folder}/{picture.id}.png" for point in report.points for picture in point.pictures]
