"""Subjects: the people to be learned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from studio.database.connect import Database
from studio.database.tables import (
    AdapterRow,
    FacePhotoRow,
    IdPhotoRow,
    ImageRow,
    JobRow,
    PhotoRow,
    StageResultRow,
    SubjectRow,
    TrainingRow,
)
from studio.errors import ConsentRequired, NotFound
from studio.loras import LoraFolders
from studio.photo_rows import photos_of, set_verdict
from studio.records import new_id, now
from studio.store import Store
from studio.training_rows import adapter_value, newest_training, report_of, report_pictures, training_value
from studio.values import Consent, Counts, NewSubject, Status, Subject, Training

CONSENT_VERSION = "2026-11"
# Rare words that the bundled model keeps free, and that real checkpoints hardly know either.
INSTANCE_TOKENS = ("sks", "ohwx", "zwx", "qxj", "vkz", "wqp", "jzx", "xkv", "pzq", "kqz", "bnv", "hjq")


@dataclass(frozen=True, slots=True, kw_only=True)
class Subjects:
    """The subjects of one owner."""

    database: Database
    store: Store
    loras: LoraFolders
    owner_id: str

    def create(self, new: NewSubject) -> Subject:
        """Record a subject. Raises ConsentRequired."""
        if not new.consent:
            raise ConsentRequired
        subject_id, moment = new_id(), now()
        row = SubjectRow(
            id=subject_id,
            owner_id=self.owner_id,
            name=new.name,
            class_noun=new.class_noun,
            trigger=INSTANCE_TOKENS[int(subject_id, 16) % len(INSTANCE_TOKENS)],
            consent_at=moment,
            consent_version=CONSENT_VERSION,
            created_at=moment,
        )
        with self.database.write() as session:
            session.add(row)
        return self.get(subject_id)

    def list(self) -> tuple[Subject, ...]:
        """All of them, newest first."""
        query = (
            select(SubjectRow)
            .where(SubjectRow.owner_id == self.owner_id)
            .order_by(SubjectRow.created_at.desc())
        )
        with self.database.read() as session:
            return tuple(_value(session, row) for row in session.scalars(query).all())

    def get(self, subject_id: str) -> Subject:
        """One of them. Raises NotFound."""
        with self.database.read() as session:
            return _value(session, owned_subject(session, subject_id, self.owner_id))

    def erase(self, subject_id: str) -> None:
        """Erase rows first, then files: what is left after a crash in between is nobody's. Raises NotFound."""
        with self.database.write() as session:
            row = owned_subject(session, subject_id, self.owner_id)
            _stop_everything(session, subject_id)
            files, loras = _files_of(session, subject_id)
            for table in (FacePhotoRow, IdPhotoRow, ImageRow, TrainingRow, AdapterRow, PhotoRow):
                session.execute(delete(table).where(table.subject_id == subject_id))
            session.execute(delete(JobRow).where(JobRow.subject_id == subject_id))
            session.delete(row)
        for path in files:
            self.store.delete(path)
        self.loras.remove(*loras)


def owned_subject(session: Session, subject_id: str, owner_id: str) -> SubjectRow:
    """The row of a subject if it is this owner's. Raises NotFound."""
    row = session.get(SubjectRow, subject_id)
    if row is None or row.owner_id != owner_id:
        raise NotFound("subject", subject_id)
    return row


def adapters_of(session: Session, subject_id: str) -> Sequence[AdapterRow]:
    """What was learned of a subject, the newest first."""
    query = (
        select(AdapterRow).where(AdapterRow.subject_id == subject_id).order_by(AdapterRow.created_at.desc())
    )
    return session.scalars(query).all()


def current_adapter(session: Session, subject_id: str) -> AdapterRow | None:
    """The newest learned identity of a subject."""
    return next(iter(adapters_of(session, subject_id)), None)


def _stop_everything(session: Session, subject_id: str) -> None:
    for table in (JobRow, TrainingRow):
        session.execute(update(table).where(table.subject_id == subject_id).values(cancel_requested=True))


def _files_of(session: Session, subject_id: str) -> tuple[set[str], list[str]]:
    """Paths in the store, and names of installed LoRAs, that belong to a subject alone."""
    photos = session.scalars(select(PhotoRow.path).where(PhotoRow.subject_id == subject_id)).all()
    adapters = adapters_of(session, subject_id)
    reports = [report for adapter in adapters if (report := report_of(adapter))]
    images = session.scalars(select(ImageRow.path).where(ImageRow.subject_id == subject_id)).all()
    jobs = select(JobRow.id).where(JobRow.subject_id == subject_id)
    stages = session.scalars(select(StageResultRow.path).where(StageResultRow.job_id.in_(jobs))).all()
    id_photos = session.execute(
        select(IdPhotoRow.path, IdPhotoRow.drawn_path).where(IdPhotoRow.subject_id == subject_id)
    ).all()
    faces = session.scalars(select(FacePhotoRow.path).where(FacePhotoRow.subject_id == subject_id)).all()
    made = {path for row in id_photos for path in row if path}
    looked_at = {path for report in reports for path in report_pictures(report)}
    learned = {adapter.path for adapter in adapters}
    files = {*photos, *learned, *looked_at, *images, *stages, *faces, *made}
    return files, [adapter.name for adapter in adapters]


def _value(session: Session, row: SubjectRow) -> Subject:
    photos = photos_of(session, row.id)
    adapter = current_adapter(session, row.id)
    training = newest_training(session, row.id)
    fit = [photo for photo in photos if photo.status != "unfit"]
    latest = None if training is None else training_value(session, training)
    return Subject(
        id=row.id,
        name=row.name,
        class_noun=row.class_noun,
        consent=Consent(given_at=row.consent_at, version=row.consent_version),
        state=_state(latest, learned=adapter is not None),
        photos=Counts(total=len(photos), fit=len(fit)),
        set=set_verdict(photos),
        adapter=None if adapter is None else adapter_value(adapter),
        training=latest,
        cover_photo=fit[0].id if fit else None,
        created_at=row.created_at,
    )


def _state(training: Training | None, *, learned: bool) -> Literal["photos", "learning", "ready", "failed"]:
    if training is not None and not training.status.final:
        return "learning"
    if learned:
        return "ready"
    return "failed" if training is not None and training.status is Status.FAILED else "photos"
