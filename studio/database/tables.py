"""The tables. Every row of a person's has an owner; times are UTC; structured columns hold JSON of studio.values."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, DateTime, Dialect, ForeignKey, Index, TypeDecorator, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

Json = dict[str, Any]


class UtcTime(TypeDecorator[datetime]):
    """A moment with its time zone; SQLite keeps none, so it is stored as UTC and read back as such."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Turn into UTC on the way in."""
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Say that it is UTC on the way out."""
        if value is None or value.tzinfo is not None:
            return value
        return value.replace(tzinfo=UTC)


class Base(DeclarativeBase):
    """The root of all tables."""

    type_annotation_map = {datetime: UtcTime, Json: JSON, list[Any]: JSON}  # noqa: RUF012


class SubjectRow(Base):
    """A person to be learned. trigger: the instance token that stands for them in prompts."""

    __tablename__ = "subjects"

    id: Mapped[str] = mapped_column(primary_key=True)
    owner_id: Mapped[str] = mapped_column(index=True)
    name: Mapped[str]
    class_noun: Mapped[str]
    trigger: Mapped[str]
    consent_at: Mapped[datetime]
    consent_version: Mapped[str]
    created_at: Mapped[datetime]


class PhotoRow(Base):
    """A kept photo. path: in the store. findings: what was measured, for judging the set again.

    caption: its owner's words for learning, None where the automatic ones hold.
    """

    __tablename__ = "photos"

    id: Mapped[str] = mapped_column(primary_key=True)
    owner_id: Mapped[str]
    subject_id: Mapped[str] = mapped_column(ForeignKey("subjects.id", ondelete="CASCADE"), index=True)
    position: Mapped[int]
    filename: Mapped[str]
    path: Mapped[str]
    width: Mapped[int]
    height: Mapped[int]
    status: Mapped[str]
    reasons: Mapped[list[Any]]
    findings: Mapped[Json]
    caption: Mapped[str | None]
    created_at: Mapped[datetime]


class AdapterRow(Base):
    """A learned identity. path: in the store; name: of the LoRA installed on the server.

    weight: the LoRA weight that was found best, None where none was looked for. report: a studio.values.AdapterReport.
    form: a training.method.AdapterForm. notes: what went otherwise than planned.
    """

    __tablename__ = "adapters"

    id: Mapped[str] = mapped_column(primary_key=True)
    owner_id: Mapped[str]
    subject_id: Mapped[str] = mapped_column(ForeignKey("subjects.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(unique=True)
    trigger: Mapped[str]
    checkpoint: Mapped[str]
    path: Mapped[str]
    sha256: Mapped[str]
    steps: Mapped[int]
    seconds: Mapped[float]
    demonstration: Mapped[bool]
    weight: Mapped[float | None]
    form: Mapped[str]
    notes: Mapped[list[Any]]
    report: Mapped[Json | None] = mapped_column(JSON(none_as_null=True))
    created_at: Mapped[datetime]


class TrainingRow(Base):
    """One run of the trainer, and how far it is. cancel_requested: its owner wants it stopped."""

    __tablename__ = "trainings"

    id: Mapped[str] = mapped_column(primary_key=True)
    owner_id: Mapped[str]
    subject_id: Mapped[str] = mapped_column(ForeignKey("subjects.id", ondelete="CASCADE"), index=True)
    trainer: Mapped[str]
    status: Mapped[str] = mapped_column(index=True)
    phase: Mapped[str]
    progress: Mapped[float]
    eta_seconds: Mapped[float | None]
    step: Mapped[int]
    steps: Mapped[int]
    options: Mapped[Json]
    checkpoint: Mapped[str]
    demonstration: Mapped[bool]
    cancel_requested: Mapped[bool]
    error: Mapped[Json | None] = mapped_column(JSON(none_as_null=True))
    adapter_id: Mapped[str | None] = mapped_column(ForeignKey("adapters.id", ondelete="SET NULL"))
    created_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]


class JobRow(Base):
    """One run of a preset. product: the resolved preset it was ordered with. attempt: counts retries from 0.

    plan: the resolved stage requests, once a server was chosen. request_hash: of the request behind idempotency_key.
    candidates: a list of studio.promise.Candidate, where a likeness was asked for.
    """

    __tablename__ = "jobs"
    __table_args__ = (
        UniqueConstraint("owner_id", "idempotency_key"),
        Index("jobs_newest", "owner_id", "created_at"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    owner_id: Mapped[str]
    subject_id: Mapped[str | None] = mapped_column(ForeignKey("subjects.id", ondelete="CASCADE"), index=True)
    preset: Mapped[str]
    product: Mapped[Json]
    preset_version: Mapped[str]
    status: Mapped[str] = mapped_column(index=True)
    stage: Mapped[str | None]
    progress: Mapped[float]
    eta_seconds: Mapped[float | None]
    count: Mapped[int]
    seed: Mapped[int]
    options: Mapped[Json]
    plan: Mapped[Json | None] = mapped_column(JSON(none_as_null=True))
    candidates: Mapped[list[Any] | None] = mapped_column(JSON(none_as_null=True))
    error: Mapped[Json | None] = mapped_column(JSON(none_as_null=True))
    server: Mapped[Json | None] = mapped_column(JSON(none_as_null=True))
    demonstration: Mapped[bool]
    cancel_requested: Mapped[bool]
    attempt: Mapped[int]
    idempotency_key: Mapped[str | None]
    request_hash: Mapped[str]
    created_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]


class StageResultRow(Base):
    """The picture a stage made, under the hash of all that decided it. server: who made it."""

    __tablename__ = "stage_results"

    key: Mapped[str] = mapped_column(primary_key=True)
    owner_id: Mapped[str]
    job_id: Mapped[str] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), index=True)
    path: Mapped[str] = mapped_column(index=True)
    sha256: Mapped[str]
    width: Mapped[int]
    height: Mapped[int]
    seconds: Mapped[float]
    infotext: Mapped[str]
    server: Mapped[Json]
    created_at: Mapped[datetime]


class ImageRow(Base):
    """A finished picture, number of its job. stages: list of stage pictures with their path in the store.

    movement: a studio.values.Movement where it is an animation. described: a studio.values.Description of its reference
    with the words' path in the store, None without one.
    """

    __tablename__ = "images"
    __table_args__ = (UniqueConstraint("job_id", "number"), Index("images_newest", "owner_id", "created_at"))

    id: Mapped[str] = mapped_column(primary_key=True)
    owner_id: Mapped[str]
    job_id: Mapped[str] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), index=True)
    subject_id: Mapped[str | None] = mapped_column(ForeignKey("subjects.id", ondelete="CASCADE"), index=True)
    number: Mapped[int]
    preset: Mapped[str]
    preset_title: Mapped[Json]
    seed: Mapped[int]
    path: Mapped[str]
    width: Mapped[int]
    height: Mapped[int]
    likeness: Mapped[float | None]
    likeness_measure: Mapped[str | None]
    movement: Mapped[Json | None] = mapped_column(JSON(none_as_null=True))
    stages: Mapped[list[Any]]
    described: Mapped[Json | None] = mapped_column(JSON(none_as_null=True))
    prompt: Mapped[str]
    favourite: Mapped[bool]
    demonstration: Mapped[bool]
    created_at: Mapped[datetime]


class IdPhotoRow(Base):
    """An ID photo, or (path None) the check of a photo as it was sent. report: a studio.values.CheckReport.

    path, drawn_path: in the store, of the photo and of the picture that shows its check.
    """

    __tablename__ = "id_photos"
    __table_args__ = (Index("id_photos_newest", "owner_id", "created_at"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    owner_id: Mapped[str]
    subject_id: Mapped[str | None] = mapped_column(ForeignKey("subjects.id", ondelete="CASCADE"), index=True)
    title: Mapped[Json]
    path: Mapped[str | None]
    drawn_path: Mapped[str]
    width_mm: Mapped[float]
    height_mm: Mapped[float]
    dpi: Mapped[int | None]
    file_bytes: Mapped[int | None]
    report: Mapped[Json]
    created_at: Mapped[datetime]


class FacePhotoRow(Base):
    """One photo of one person for jobs that learn nobody. path: in the store. traits: a studio.values.Traits.

    subject_id: the person, where it is one of the subjects.
    """

    __tablename__ = "face_photos"
    __table_args__ = (Index("face_photos_newest", "owner_id", "created_at"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    owner_id: Mapped[str]
    subject_id: Mapped[str | None] = mapped_column(ForeignKey("subjects.id", ondelete="CASCADE"), index=True)
    path: Mapped[str]
    width: Mapped[int]
    height: Mapped[int]
    traits: Mapped[Json]
    consent_at: Mapped[datetime]
    consent_version: Mapped[str]
    created_at: Mapped[datetime]


class PoseRow(Base):
    """A pose picture somebody uploaded."""

    __tablename__ = "poses"

    id: Mapped[str] = mapped_column(primary_key=True)
    owner_id: Mapped[str] = mapped_column(index=True)
    title: Mapped[str]
    path: Mapped[str]
    created_at: Mapped[datetime]


class ServerRow(Base):
    """A WebUI as the worker last saw it. record: a studio.values.Server. task_id: ours that runs there, if any.

    drained: somebody wants it to take no new work.
    """

    __tablename__ = "servers"

    url: Mapped[str] = mapped_column(primary_key=True)
    record: Mapped[Json]
    task_id: Mapped[str | None]
    drained: Mapped[bool] = mapped_column(default=False)
    seen_at: Mapped[datetime]


class WorkerRow(Base):
    """A worker's sign of life."""

    __tablename__ = "workers"

    executor_id: Mapped[str] = mapped_column(primary_key=True)
    pid: Mapped[int]
    seen_at: Mapped[datetime]
