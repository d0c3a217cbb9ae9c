"""Reading photos from their table, and the verdict on a set of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from sqlalchemy import select
from sqlalchemy.orm import Session

from studio.database.tables import PhotoRow
from studio.faces.values import PhotoFindings
from studio.intake import values as intake
from studio.intake.captions import automatic_caption
from studio.intake.coach import Coach, coach
from studio.intake.looks import photo_look
from studio.intake.verdicts import judge_set
from studio.values import Fitness, Photo, Reason, SetVerdict

LARGE_FACE = 400.0
SHARP_FACE = 100.0


def photos_of(session: Session, subject_id: str) -> Sequence[PhotoRow]:
    """A subject's photos in the order of upload."""
    return session.scalars(
        select(PhotoRow).where(PhotoRow.subject_id == subject_id).order_by(PhotoRow.position)
    ).all()


def photo_value(row: PhotoRow) -> Photo:
    """The photo without what only the studio needs."""
    findings = PhotoFindings.model_validate(row.findings)
    return Photo(
        id=row.id,
        subject_id=row.subject_id,
        filename=row.filename,
        width=row.width,
        height=row.height,
        status=cast("Fitness", row.status),
        reasons=tuple(Reason.model_validate(reason) for reason in row.reasons),
        look=photo_look(findings.look) if findings.look else None,
        caption=automatic_caption(findings) if row.caption is None else row.caption,
        own_caption=row.caption is not None,
        created_at=row.created_at,
    )


def caption_of(row: PhotoRow) -> str:
    """What varies in the photo, in its owner's words or else in the automatic ones."""
    if row.caption is not None:
        return row.caption
    return automatic_caption(PhotoFindings.model_validate(row.findings))


def best_photo(rows: Sequence[PhotoRow]) -> PhotoRow | None:
    """The fit photo whose face is largest, most from the front and sharpest; None where none is fit.

    More than LARGE_FACE pixels or SHARP_FACE (variance of the Laplacian) count no more: no portrait shows them.
    """
    fit = [row for row in rows if row.status != intake.Status.UNFIT]
    return max(fit, key=lambda row: _usefulness(PhotoFindings.model_validate(row.findings)), default=None)


def _usefulness(findings: PhotoFindings) -> float:
    face = findings.main_face
    if face is None:
        return 0.0
    frontal = max(1.0 - face.turn, 0.0)
    size = min(face.box.width / LARGE_FACE, 1.0)
    sharpness = min(findings.measures.sharpness / SHARP_FACE, 1.0)
    return frontal * frontal * size * sharpness


def judged(rows: Sequence[PhotoRow]) -> intake.SetVerdict:
    """The verdicts on all photos of a set, from what was measured when they came."""
    return judge_set(_measured(rows))


def coached(rows: Sequence[PhotoRow]) -> Coach:
    """What the set covers and lacks."""
    photos = _measured(rows)
    return coach(photos, judge_set(photos))


def _measured(rows: Sequence[PhotoRow]) -> list[intake.JudgedPhoto]:
    return [
        intake.JudgedPhoto(id=row.id, findings=PhotoFindings.model_validate(row.findings)) for row in rows
    ]


def set_verdict(rows: Sequence[PhotoRow]) -> SetVerdict:
    """The verdict on a set."""
    return set_value(judged(rows))


def set_value(verdict: intake.SetVerdict) -> SetVerdict:
    """The verdict on a set without those on its photos."""
    return SetVerdict(enough=verdict.enough, fit=verdict.fit, needed=verdict.needed, code=verdict.code)
