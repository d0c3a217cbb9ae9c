"""Reading jobs and images from their tables."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from datetime import datetime
from typing import Any, TypeVar, cast

from sqlalchemy import Select, and_, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from studio.database.tables import FacePhotoRow, IdPhotoRow, ImageRow, JobRow
from studio.errors import InvalidRequest, NotFound
from studio.promise import promise_of
from studio.values import (
    Description,
    Failure,
    Image,
    Job,
    JobOptions,
    Measure,
    Movement,
    Redo,
    StagePicture,
    Status,
    UsedServer,
    Words,
)

Row = TypeVar("Row", JobRow, ImageRow, IdPhotoRow, FacePhotoRow)


def owned_job(session: Session, job_id: str, owner_id: str) -> JobRow:
    """The row of a job if it is this owner's. Raises NotFound."""
    row = session.get(JobRow, job_id)
    if row is None or row.owner_id != owner_id:
        raise NotFound("job", job_id)
    return row


def images_of(session: Session, job_ids: Sequence[str]) -> dict[str, list[ImageRow]]:
    """The images of several jobs, each job's in order."""
    found: dict[str, list[ImageRow]] = {job_id: [] for job_id in job_ids}
    for row in session.scalars(
        select(ImageRow).where(ImageRow.job_id.in_(job_ids)).order_by(ImageRow.number)
    ):
        found[row.job_id].append(row)
    return found


def job_value(row: JobRow, images: Sequence[ImageRow], *, has_preview: bool, redo: Redo = "none") -> Job:
    """The job without what only the studio needs."""
    return Job(
        id=row.id,
        preset=row.preset,
        preset_title=Words.model_validate(row.product["title"]),
        preset_version=row.preset_version,
        subject=row.subject_id,
        status=Status(row.status),
        stage=row.stage,
        progress=row.progress,
        eta_seconds=row.eta_seconds,
        count=row.count,
        options=JobOptions.model_validate(row.options),
        images=tuple(map(image_value, images)),
        promise=promise_of(row),
        error=None if row.error is None else Failure.model_validate(row.error),
        server=None if row.server is None else UsedServer.model_validate(row.server),
        demonstration=row.demonstration,
        has_preview=has_preview,
        redo=redo,
        created_at=row.created_at,
        started_at=row.started_at,
        finished_at=row.finished_at,
    )


def image_value(row: ImageRow) -> Image:
    """The image without what only the studio needs."""
    return Image(
        id=row.id,
        job_id=row.job_id,
        subject_id=row.subject_id,
        preset=row.preset,
        preset_title=Words.model_validate(row.preset_title),
        seed=row.seed,
        width=row.width,
        height=row.height,
        likeness=row.likeness,
        likeness_measure=cast("Measure | None", row.likeness_measure),
        movement=None if row.movement is None else Movement.model_validate(row.movement),
        stages=tuple(map(_stage_picture, row.stages)),
        described=None if row.described is None else _description(row.described),
        favourite=row.favourite,
        demonstration=row.demonstration,
        prompt=row.prompt,
        created_at=row.created_at,
    )


def _description(entry: dict[str, Any]) -> Description:
    return Description.model_validate({key: entry[key] for key in Description.model_fields})


def _stage_picture(stage: dict[str, Any]) -> StagePicture:
    return StagePicture.model_validate({key: stage[key] for key in StagePicture.model_fields})


def page(
    session: Session, query: Select[Row], table: type[Row], limit: int, cursor: str | None
) -> tuple[list[Row], str | None]:
    """Newest first from the cursor on, and the cursor to the rest. Raises InvalidRequest for a cursor that is none."""
    if cursor is not None:
        query = query.where(_older(table.created_at, table.id, *_read_cursor(cursor)))
    ordered = query.order_by(table.created_at.desc(), table.id.desc()).limit(limit + 1)
    rows = list(session.scalars(ordered))
    more = len(rows) > limit
    return rows[:limit], _write_cursor(rows[limit - 1]) if more else None


def _older(
    created_at: InstrumentedAttribute[datetime], id_: InstrumentedAttribute[str], moment: datetime, last: str
) -> Any:
    return or_(created_at < moment, and_(created_at == moment, id_ < last))


def _write_cursor(row: JobRow | ImageRow | IdPhotoRow | FacePhotoRow) -> str:
    return base64.urlsafe_b64encode(f"{row.created_at.isoformat()} {row.id}".encode()).decode()


def _read_cursor(cursor: str) -> tuple[datetime, str]:
    try:
        moment, last = base64.urlsafe_b64decode(cursor.encode()).decode().split(" ")
        return datetime.fromisoformat(moment), last
    except (ValueError, binascii.Error) as error:
        raise InvalidRequest([("cursor", "is not one of this list")]) from error
