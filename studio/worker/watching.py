"""What a worker does beside its jobs: signs of life, the servers' state, and work that nobody has."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

import structlog
from sqlalchemy import delete, select

from studio.database.connect import Database
from studio.database.tables import JobRow, ServerRow, TrainingRow, WorkerRow
from studio.errors import StorageError
from studio.pipeline.facts import facts_of
from studio.pipeline.retrying import code_of
from studio.queue import DEAD, DurableQueue, job_workflow
from studio.records import now
from studio.servers import ServerRecord, drained_servers, living_workers
from studio.values import Failure, FailureCode, Server, Status
from studio.worker.stopping import Stopping
from webui_client.capabilities import Capabilities
from webui_client.client import WebuiClient
from webui_client.errors import WebuiError
from webui_client.pool import Standing, WebuiPool

LOG = structlog.get_logger()
LOOK_SECONDS = 3.0
UNFINISHED = (Status.QUEUED.value, Status.RUNNING.value)
CRASHED = Failure(
    code=FailureCode.WORKER_CRASHED, message="The worker died again and again over this; see its log."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Watcher:
    """Looks after servers and lost work every few seconds until the worker stops."""

    database: Database
    queue: DurableQueue
    pool: WebuiPool
    executor_id: str
    stopping: Stopping

    def start(self) -> None:
        """Run in threads of its own: a server that does not answer must not stop the signs of life."""
        looks = (self.look_at_servers, "servers"), (self.follow_drains, "drains"), (self.look_at_work, "work")
        for look, name in looks:
            threading.Thread(target=self._repeat, args=(look,), name=f"watch {name}", daemon=True).start()

    def look_at_servers(self) -> None:
        """Write down what every server says of itself now."""
        for client in self.pool.clients:
            self._write(look_at(client, self.pool))

    def follow_drains(self) -> None:
        """Give no new work to the servers that were drained."""
        with self.database.read() as session:
            self.pool.drain(drained_servers(session))

    def forget_other_servers(self) -> None:
        """Drop the records of servers that are not in the settings any more; other workers' servers stay."""
        urls = [client.url for client in self.pool.clients]
        with self.database.write() as session:
            if not living_workers(session) - {self.executor_id}:
                session.execute(delete(ServerRow).where(ServerRow.url.not_in(urls)))

    def look_at_work(self) -> None:
        """Give a sign of life, queue what was never queued, and end what the durable queue gave up."""
        with self.database.write() as session:
            session.merge(WorkerRow(executor_id=self.executor_id, pid=os.getpid(), seen_at=now()))
        with self.database.read() as session:
            jobs = session.scalars(select(JobRow).where(JobRow.status.in_(UNFINISHED))).all()
            trainings = session.scalars(select(TrainingRow).where(TrainingRow.status.in_(UNFINISHED))).all()
        for job in jobs:
            self._look_at_one(job, job_workflow(job.id, job.attempt))
        for training in trainings:
            self._look_at_one(training, training.id)

    def _look_at_one(self, row: JobRow | TrainingRow, workflow_id: str) -> None:
        state = self.queue.state(workflow_id)
        if state is None and isinstance(row, JobRow):
            self.queue.put_job(row.id, row.attempt)
        elif state is None:
            self.queue.put_training(row.id)
        elif state in DEAD:
            self._end(row)

    def _end(self, row: JobRow | TrainingRow) -> None:
        with self.database.write() as session:
            present = (
                session.get(JobRow, row.id) if isinstance(row, JobRow) else session.get(TrainingRow, row.id)
            )
            if present is not None and not Status(present.status).final:
                present.status, present.finished_at = Status.FAILED, now()
                present.error = CRASHED.model_dump()
        LOG.error("given up", id=row.id, reason=CRASHED.message)

    def _repeat(self, look: Callable[[], None]) -> None:
        while not self.stopping.asked:
            try:
                look()
            except StorageError as error:
                LOG.warning("watching failed", error=str(error))
            except Exception:  # a defect of ours must not leave the servers and lost work unwatched
                LOG.exception("watching broke")
            self.stopping.wait_until_asked(LOOK_SECONDS)

    def _write(self, record: ServerRecord) -> None:
        with self.database.write() as session:
            row = session.get(ServerRow, record.server.url)
            if row is None:
                row = ServerRow(url=record.server.url, task_id=None, record={}, seen_at=now())
                session.add(row)
            row.record, row.seen_at = record.model_dump(mode="json"), now()


def look_at(client: WebuiClient, pool: WebuiPool) -> ServerRecord:
    """One server's record, told to its pool; a busy one is not asked again for what is known of it."""
    try:
        record = client.capabilities()
        if not pool.is_busy(client):
            client.memory()
    except WebuiError as error:
        pool.failed(client, error)
        return ServerRecord(server=down_server(client.url, error), facts=None)
    pool.answered(client)
    return ServerRecord(server=_up(record, pool.standing(client)), facts=facts_of(record))


def _up(record: Capabilities, standing: Standing) -> Server:
    facts = facts_of(record)
    status = _status(standing)
    fault = standing.error if status == "resting" else None
    names = (
        "samplers",
        "schedulers",
        "upscalers",
        "scripts",
        "detectors",
        "controlnet_models",
        "controlnet_modules",
        "face_swappers",
    )
    return Server(
        url=record.server,
        flavour=record.flavour,
        version=record.version or "",
        status=status,
        takes_work=not standing.drained,
        speed=standing.speed,
        failures=standing.failures,
        retry_at=now() + timedelta(seconds=standing.rest_seconds) if status == "resting" else None,
        checkpoint=record.checkpoint,
        native_size=record.native_size,
        demonstration=record.demonstration,
        capabilities={name: getattr(facts, name) for name in names},
        problem=code_of(fault) if fault else None,
        details=str(fault or ""),
        seen_at=now(),
    )


def _status(standing: Standing) -> Literal["ready", "busy", "resting", "drained"]:
    if standing.busy:
        return "busy"
    if standing.drained:
        return "drained"
    return "resting" if standing.rest_seconds else "ready"


def down_server(url: str, error: WebuiError) -> Server:
    """What is shown of a server that cannot be used for an error."""
    return Server(
        url=url,
        flavour="",
        version="",
        status="down",
        checkpoint="",
        native_size=0,
        demonstration=False,
        capabilities={},
        problem=code_of(error),
        details=str(error),
        seen_at=now(),
    )
