"""The durable steps of a job. Each may be run again after a crash and then finds what it had done before."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import structlog
from sqlalchemy import select

from studio.database.connect import Database
from studio.database.tables import AdapterRow, JobRow, StageResultRow
from studio.errors import DatabaseLocked, NoFittingServer, NotFound, StorageError, StudioError
from studio.library.reading import Library
from studio.loras import LoraFolders, listed_after_refresh
from studio.pipeline.facts import facts_of
from studio.pipeline.finishing import FinishedStage, Finisher, folder_of
from studio.pipeline.patience import StageCancelled, keep_trying, overlooking
from studio.pipeline.retrying import RetryPolicy, code_of
from studio.pipeline.runner import Follower, StageRunner, StageWork
from studio.pipeline.weights import job_progress
from studio.planning.order import order_of
from studio.planning.plan import (
    AnyPlannedStage,
    Identity,
    Order,
    Plan,
    PlannedDescription,
    PlannedStage,
    with_description,
)
from studio.planning.planning import make_plan
from studio.poses import Poses
from studio.previews import Previews
from studio.promise import candidates_of, promise_of, shortfall
from studio.records import now
from studio.store import Store, storage_errors
from studio.values import Failure, FailureCode, Status
from studio.worker.stopping import Stopping
from webui_client.errors import WebuiError
from webui_client.pool import WebuiPool
from webui_client.values import Progress

LOG = structlog.get_logger()

Outline = dict[str, Any]
"""numbers: of the pictures that may be made; missing: how many of them are wanted; stages: of each, in order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobSteps:
    """What a job's workflow calls. Every step returns plain values and ends the job itself when it cannot go on."""

    database: Database
    library: Library
    store: Store
    loras: LoraFolders
    poses: Callable[[str], Poses]
    previews: Previews
    pool: WebuiPool
    policy: RetryPolicy
    runner: StageRunner
    finisher: Finisher
    stopping: Stopping

    def open(self, job_id: str, attempt: int) -> Outline | None:
        """Mark the job running and plan it. None: there is nothing to do (any more)."""
        job = self._start(job_id, attempt)
        if job is None:
            return None
        outline: Outline | None = self._guarded(job_id, None, lambda: self._planned(job))
        return outline

    def stage(self, job_id: str, number: int, stage: str) -> bool:
        """Run one stage of one picture. False: the job has ended."""
        return self._guarded(job_id, stage, lambda: self._run_stage(job_id, number, stage)) is not None

    def finish(self, job_id: str, number: int) -> bool | None:
        """Put a picture into the gallery; False for one below the job's bar, None: the job has ended."""
        delivered: bool | None = self._guarded(job_id, None, lambda: self._finish(job_id, number))
        return delivered

    def close(self, job_id: str) -> None:
        """Mark the job succeeded, or failed where too few of its pictures reach the bar it promised."""
        with self.database.read() as session:
            row = session.get(JobRow, job_id)
        promise = promise_of(row) if row else None
        failure = shortfall(promise, row.count) if row and promise else None
        if failure is not None:
            self._end(job_id, Status.FAILED, failure)
            return
        self._end(job_id, Status.SUCCEEDED, None)
        LOG.info("job succeeded", job=job_id)

    def _start(self, job_id: str, attempt: int) -> JobRow | None:
        with self.database.write() as session:
            row = session.get(JobRow, job_id)
            if row is None or row.attempt != attempt or Status(row.status).final:
                return None
            row.status, row.started_at = Status.RUNNING, row.started_at or now()
        return row

    def _planned(self, job: JobRow) -> Outline:
        with self.database.read() as session:
            order = order_of(session, job, self.poses(job.owner_id), self.library)
        plan = keep_trying(
            lambda: self._plan_on_some_server(order),
            self.policy,
            others=lambda _: False,
            cancelled=lambda: self._cancelled(job.id),
            tell=lambda error, pause: LOG.warning(
                "not planned", job=job.id, error=str(error), next_try_in=pause
            ),
        )
        self._install_if_missing(plan.identity)
        with self.database.write() as session:
            row = _present(session.get(JobRow, job.id))
            row.plan, row.demonstration = plan.model_dump(mode="json"), plan.demonstration
        candidates = candidates_of(job)
        return {
            "numbers": list(range(len(candidates), len(plan.pictures))),
            "missing": job.count - sum(candidate.reached for candidate in candidates),
            "stages": [stage.name for stage in plan.pictures[0].stages],
        }

    def _install_if_missing(self, identity: Identity | None) -> None:
        """Put what was learned where the servers look and it is not: a folder was emptied, or a server is new.

        Raises StorageError if it can be put nowhere and lies nowhere.
        """
        if identity is None:
            return
        places = self.loras.of(identity.form)
        lacking = places.lacking(identity.lora)
        if not lacking.folders:
            return
        with self.database.read() as session:
            adapter = session.scalars(select(AdapterRow).where(AdapterRow.name == identity.lora)).one()
        content = self.store.get(adapter.path)
        try:
            lacking.install(adapter.name, content)
        except StorageError:
            if lacking == places:
                raise
            return
        listed_after_refresh(self.pool.clients, adapter.name, form=identity.form)
        LOG.info("LoRA placed", adapter=adapter.name, folders=[str(folder) for folder in lacking.folders])

    def _plan_on_some_server(self, order: Order) -> Plan:
        """The plan on the first server that is able.

        Raises NoFittingServer when servers answer and none is able, else the last error of contact.
        """
        problems: list[StudioError | WebuiError] = []
        for client in self.pool.clients:
            try:
                return make_plan(order, facts_of(client.capabilities()), self.library.prompts)
            except (NoFittingServer, WebuiError) as error:
                problems.append(error)
        raise next((problem for problem in problems if isinstance(problem, NoFittingServer)), problems[-1])

    def _run_stage(self, job_id: str, number: int, stage: str) -> StageResultRow:
        job, plan = self._job(job_id)
        works = self._works(job, plan, number)
        work = next(work for work in works if work.request.name == stage)
        self._show(job, plan, number, stage, Progress(fraction=0.0))
        follower = Follower(
            on_progress=overlooking(
                lambda progress: self._show(job, plan, number, stage, progress), otherwise=None
            ),
            wants_preview=lambda: self.previews.wanted(job_id),
            cancelled=overlooking(lambda: self._cancelled(job_id), otherwise=False),
        )
        if follower.cancelled():
            raise StageCancelled
        if stage == plan.pictures[number].stages[-1].name:
            look_ahead = overlooking(self.finisher.look_ahead, otherwise=None)
            threading.Thread(target=look_ahead, args=(job,), daemon=True).start()
        result = self.runner.run(work, follower)
        self._note_server(job_id, result)
        return result

    def _finish(self, job_id: str, number: int) -> bool:
        job, plan = self._job(job_id)
        picture = plan.pictures[number]
        stages = [self._finished(work) for work in self._works(job, plan, number)]
        return self.finisher.finish(job, plan, picture, stages)

    def _works(self, job: JobRow, plan: Plan, number: int) -> list[StageWork]:
        """The stages of a picture in order, as far as the results before them are there."""
        works: list[StageWork] = []
        source: StageResultRow | None = None
        words: str | None = None
        for planned in plan.pictures[number].stages:
            request = _told(planned, words)
            work = StageWork(
                owner_id=job.owner_id,
                job_id=job.id,
                subject_id=job.subject_id,
                number=number,
                request=request,
                source=source,
                checkpoint=plan.checkpoint,
                folder=folder_of(job),
            )
            works.append(work)
            result = self.runner.stored(work)
            if result is None:
                break
            if isinstance(request, PlannedDescription):
                words = self.runner.words(result)
            else:
                source = result
        return works

    def _finished(self, work: StageWork) -> FinishedStage:
        result = self.runner.stored(work)
        if result is None:
            raise NotFound("stage result", work.request.name)
        described = isinstance(work.request, PlannedDescription)
        return FinishedStage(
            request=work.request, result=result, words=self.runner.words(result) if described else None
        )

    def _job(self, job_id: str) -> tuple[JobRow, Plan]:
        with self.database.read() as session:
            row = _present(session.get(JobRow, job_id))
        return row, Plan.model_validate(row.plan)

    def _show(self, job: JobRow, plan: Plan, number: int, stage: str, progress: Progress) -> None:
        elapsed = (now() - (job.started_at or now())).total_seconds()
        told = job_progress(plan, number, stage, progress.fraction, elapsed)
        with self.database.write() as session:
            row = session.get(JobRow, job.id)
            if row is not None:
                row.stage = stage
                row.progress = max(row.progress, told.fraction) if progress.fraction else told.fraction
                row.eta_seconds = told.eta_seconds
        if progress.preview:
            self.previews.show(job.id, progress.preview)

    def _note_server(self, job_id: str, result: StageResultRow) -> None:
        with self.database.write() as session:
            row = session.get(JobRow, job_id)
            if row is not None and result.server["url"]:
                row.server = result.server

    def _cancelled(self, job_id: str) -> bool:
        if self.stopping.asked:
            return True
        with self.database.read() as session:
            row = session.get(JobRow, job_id)
        return row is None or row.cancel_requested

    def _guarded(self, job_id: str, stage: str | None, work: Callable[[], Any]) -> Any:
        """The work's value; None after the job was ended for what the work raised.

        Raises DatabaseLocked, which ends no job: it passes, and until then no end could be written down.
        """
        try:
            with storage_errors(str(self.previews.folder)):
                return work()
        except DatabaseLocked:
            raise
        except StageCancelled:
            self.stopping.park_if_asked()
            self._end(job_id, Status.CANCELLED, None)
        except WebuiError as error:
            failure = Failure(
                code=code_of(error), message=str(error), stage=stage, server=error.server or None
            )
            self._end(job_id, Status.FAILED, failure)
        except StudioError as error:
            self._end(job_id, Status.FAILED, Failure(code=error.code, message=str(error), stage=stage))
        except Exception as error:  # a defect of ours must end this job, not the worker
            LOG.exception("job broke", job=job_id, stage=stage)
            failure = Failure(code=FailureCode.INTERNAL_ERROR, message=repr(error), stage=stage)
            self._end(job_id, Status.FAILED, failure)
        return None

    def _end(self, job_id: str, status: Status, failure: Failure | None) -> None:
        with self.database.write() as session:
            row = session.get(JobRow, job_id)
            if row is not None and not Status(row.status).final:
                row.status, row.finished_at = status, now()
                row.error = None if failure is None else failure.model_dump()
                row.eta_seconds = None
                if status is Status.SUCCEEDED:
                    row.stage, row.progress = None, 1.0
        self.previews.forget(job_id)
        if failure is not None:
            LOG.error(
                "job failed", job=job_id, stage=failure.stage, code=failure.code, reason=failure.message
            )


def _told(stage: AnyPlannedStage, words: str | None) -> AnyPlannedStage:
    """The stage with the words that were read before it, where some were."""
    if words is None or not isinstance(stage, PlannedStage):
        return stage
    return with_description(stage, words)


def _present(row: JobRow | None) -> JobRow:
    """The row; a job erased meanwhile counts as cancelled."""
    if row is None:
        raise StageCancelled
    return row
