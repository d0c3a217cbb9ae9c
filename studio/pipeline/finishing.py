"""The end of a picture: likeness, recipe, and its place in the gallery."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from studio.animation.clip import opened
from studio.animation.measures import changed, flicker, seam
from studio.database.connect import Database
from studio.database.tables import ImageRow, JobRow, PhotoRow, StageResultRow
from studio.errors import NotEnoughPhotos
from studio.faces.errors import FaceWorkFailed
from studio.faces.process import FaceProcess
from studio.faces.values import Likeness
from studio.overview import VERSION
from studio.photo_rows import photos_of, set_verdict
from studio.pipeline.patience import StageCancelled
from studio.planning.plan import AnyPlannedStage, Plan, PlannedPicture, PlannedStage
from studio.promise import Candidate, bar_of, reaches, with_candidate
from studio.recipes import Recipe, with_recipe
from studio.store import Store
from studio.values import Description, Movement

LOG = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishedStage:
    """A stage as it was asked for, with its result. words: what was read, where it describes."""

    request: AnyPlannedStage
    result: StageResultRow
    words: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finisher:
    """Makes gallery images of finished stage pictures. Doing it twice makes the same image once."""

    database: Database
    store: Store
    faces: FaceProcess

    def references(self, job: JobRow) -> tuple[bytes, ...]:
        """The fit photos a job's likeness is measured against; none where no identity is used."""
        if job.subject_id is None or job.product["identity"] == "none":
            return ()
        with self.database.read() as session:
            paths = _fit_photos(session, job.subject_id)
        return tuple(self.store.get(path) for path in paths if self.store.has(path))

    def look_ahead(self, job: JobRow) -> None:
        """Look at the reference photos while a server works on the last stage, so that scoring takes little time."""
        try:
            for photo in self.references(job):
                self.faces.embedding(photo)
        except FaceWorkFailed as error:
            LOG.warning("references not seen", job=job.id, error=str(error))

    def finish(
        self, job: JobRow, plan: Plan, picture: PlannedPicture, stages: Sequence[FinishedStage]
    ) -> bool:
        """Score, write the recipe, keep the image; whether it is delivered, which one below the job's bar is not.

        Raises StageCancelled when the job was erased, StorageError, FaceWorkFailed and NotEnoughPhotos where the
        likeness that a bar asks for cannot be measured.
        """
        content = self.store.get(stages[-1].result.path)
        likeness = self._likeness(job, content)
        if likeness is not None and not self._reaches_bar(job, plan, picture, stages[-1].result, likeness):
            return False
        self._keep(job, plan, picture, stages, likeness, content)
        return True

    def _reaches_bar(
        self, job: JobRow, plan: Plan, picture: PlannedPicture, made: StageResultRow, likeness: Likeness
    ) -> bool:
        """Whether a picture is like enough for its job, which remembers it as a candidate if it has a bar."""
        bar = bar_of(job)
        if bar is None:
            return True
        reached = reaches(likeness, bar, demonstration=plan.demonstration)
        candidate = Candidate(number=picture.number, path=made.path, likeness=likeness.score, reached=reached)
        with self.database.write() as session:
            row = session.get(JobRow, job.id)
            if row is None:
                raise StageCancelled
            row.candidates = with_candidate(row.candidates, candidate)
        return reached

    def _keep(
        self,
        job: JobRow,
        plan: Plan,
        picture: PlannedPicture,
        stages: Sequence[FinishedStage],
        likeness: Likeness | None,
        content: bytes,
    ) -> None:
        recipe = recipe_of(job, plan, picture, stages, likeness)
        written = with_recipe(content, stages[-1].result.infotext, recipe)
        path = self.store.put(written, folder_of(job), ".png")
        movement = self._movement(picture, stages)
        row = _image(job, plan, picture, stages, likeness, movement, path)
        try:
            with self.database.write() as session:
                if session.get(ImageRow, row.id) is None:
                    session.add(row)
        except IntegrityError as error:
            self.store.delete(path)
            raise StageCancelled from error

    def _movement(self, picture: PlannedPicture, stages: Sequence[FinishedStage]) -> Movement | None:
        """How an animation moves; None for a still picture."""
        motion = picture.sampled[0].motion
        if motion is None:
            return None
        first, last = (opened(self.store.get(stage.result.path)) for stage in (stages[0], stages[-1]))
        return Movement(
            frames=len(last.frames),
            fps=motion.fps,
            repaired=changed(first, last),
            flicker=flicker(last),
            seam=seam(last),
        )

    def _likeness(self, job: JobRow, picture: bytes) -> Likeness | None:
        """The likeness; where no bar needs it, None for one that cannot be measured."""
        references, needed = self.references(job), bar_of(job) is not None
        if not references:
            if needed:
                raise self._nothing_to_compare_with(job)
            return None
        try:
            return self.faces.likeness(picture, references)
        except FaceWorkFailed as error:
            if needed:
                raise
            LOG.warning("likeness not measured", job=job.id, error=str(error))
            return None

    def _nothing_to_compare_with(self, job: JobRow) -> NotEnoughPhotos:
        with self.database.read() as session:
            return NotEnoughPhotos(set_verdict(photos_of(session, job.subject_id or "")))


def folder_of(job: JobRow) -> str:
    """The store's folder for what a job makes."""
    return f"outputs/{job.created_at:%Y-%m-%d}"


def image_id(job_id: str, number: int) -> str:
    """The same id for the same picture of the same job, however often it is finished."""
    return uuid.uuid5(uuid.UUID(job_id), str(number)).hex


def recipe_of(
    job: JobRow,
    plan: Plan,
    picture: PlannedPicture,
    stages: Sequence[FinishedStage],
    likeness: Likeness | None,
) -> Recipe:
    """Everything that made a picture. It names a subject by its random id only."""
    return {
        "sajin": VERSION,
        "job": job.id,
        "number": picture.number,
        "seed": picture.seed,
        "request": {
            "preset": job.preset,
            "subject": job.subject_id,
            "count": job.count,
            "options": job.options,
        },
        "preset_version": job.preset_version,
        "described": None if (read := description_of(job, stages)) is None else read.model_dump(),
        "checkpoint": plan.checkpoint,
        "loras": list(plan.loras),
        "choices": [choice.model_dump() for choice in plan.choices],
        "stages": [
            {"key": stage.result.key, "sha256": stage.result.sha256, "server": stage.result.server}
            | {"seconds": stage.result.seconds, "width": stage.result.width, "height": stage.result.height}
            | {"request": stage.request.model_dump(mode="json")}
            for stage in stages
        ],
        "likeness": None if likeness is None else likeness.model_dump(),
    }


def _image(
    job: JobRow,
    plan: Plan,
    picture: PlannedPicture,
    stages: Sequence[FinishedStage],
    likeness: Likeness | None,
    movement: Movement | None,
    path: str,
) -> ImageRow:
    last = stages[-1].result
    return ImageRow(
        id=image_id(job.id, picture.number),
        owner_id=job.owner_id,
        job_id=job.id,
        subject_id=job.subject_id,
        number=picture.number,
        preset=job.preset,
        preset_title=job.product["title"],
        seed=picture.seed,
        path=path,
        width=last.width,
        height=last.height,
        likeness=None if likeness is None else likeness.score,
        likeness_measure=None if likeness is None else likeness.measure,
        movement=None if movement is None else movement.model_dump(),
        stages=[_stage_entry(stage) for stage in stages if stage.words is None],
        described=_described_entry(job, stages),
        prompt=_composed(stages).prompt,
        favourite=False,
        demonstration=plan.demonstration,
        created_at=max(last.created_at, job.created_at),
    )


def description_of(job: JobRow, stages: Sequence[FinishedStage]) -> Description | None:
    """The words that the reference of a picture was described with, and whose they are; None where none was."""
    for stage in stages:
        if stage.words is not None:
            return Description(words=stage.words, by=stage.result.server["flavour"])
    ordered = job.options.get("description")
    describes = any(stage["use"] == "describe" for stage in job.product["stages"].values())
    return Description(words=ordered, by="order") if describes and ordered is not None else None


def _described_entry(job: JobRow, stages: Sequence[FinishedStage]) -> dict[str, Any] | None:
    """A description with the path of the words in the store, where they lie there."""
    read = description_of(job, stages)
    path = next((stage.result.path for stage in stages if stage.words is not None), None)
    return None if read is None else read.model_dump() | {"path": path}


def _composed(stages: Sequence[FinishedStage]) -> PlannedStage:
    """The stage that made the composition."""
    sampled = (stage.request for stage in stages if isinstance(stage.request, PlannedStage))
    return next(request for request in sampled if request.use != "reference")


def _stage_entry(stage: FinishedStage) -> dict[str, Any]:
    made = stage.result
    return {
        "name": stage.request.name,
        "use": stage.request.use,
        "seconds": made.seconds,
        "width": made.width,
        "height": made.height,
        "path": made.path,
    }


def _fit_photos(session: Session, subject_id: str) -> Sequence[str]:
    query = select(PhotoRow.path).where(PhotoRow.subject_id == subject_id, PhotoRow.status != "unfit")
    return session.scalars(query.order_by(PhotoRow.position)).all()
