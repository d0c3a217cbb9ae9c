"""The installation in one look: servers, what runs, whether work would be done."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from studio.database.connect import Database
from studio.database.tables import JobRow, SubjectRow, TrainingRow
from studio.servers import drain, known_servers, server_records, worker_alive
from studio.settings import Settings
from studio.trainers import availability
from studio.values import Readiness, Running, Server, Status, StudioStatus, Words

VERSION = "0.1.0"
UNFINISHED = (Status.QUEUED.value, Status.RUNNING.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """The installation as one owner sees it."""

    database: Database
    settings: Settings
    owner_id: str

    def servers(self) -> tuple[Server, ...]:
        """The servers as last seen."""
        with self.database.read() as session:
            return tuple(record.server for record in server_records(session))

    def drain(self, url: str, *, drained: bool) -> Server:
        """Let a server take no new work, or take work again. Raises NotFound."""
        with self.database.write() as session:
            return drain(session, url, drained=drained)

    def status(self) -> StudioStatus:
        """What runs, and what can be done here."""
        with self.database.read() as session:
            servers = [record.server for record in server_records(session)]
            facts = known_servers(session)
            running = (*self._jobs(session), *self._trainings(session))
            alive = worker_alive(session)
        return StudioStatus(
            running=running,
            demonstration=any(server.demonstration for server in servers),
            training=availability(self.settings, facts),
            worker_alive=alive,
            version=VERSION,
        )

    def ready(self) -> Readiness:
        """Whether a job sent now would be worked on."""
        with self.database.read() as session:
            alive = worker_alive(session)
            serving = [record.server for record in server_records(session) if record.server.status != "down"]
        drained = bool(serving) and not any(server.takes_work for server in serving)
        checks = (
            ("worker_not_running", alive),
            ("no_server", bool(serving)),
            ("servers_drained", not drained),
        )
        problems = tuple(code for code, fine in checks if not fine)
        return Readiness(ready=not problems, problems=problems)

    def _jobs(self, session: Session) -> Iterator[Running]:
        query = select(JobRow).where(JobRow.owner_id == self.owner_id, JobRow.status.in_(UNFINISHED))
        for row in session.scalars(query.order_by(JobRow.created_at)):
            yield Running(
                kind="job",
                id=row.id,
                subject=row.subject_id,
                title=Words.model_validate(row.product["title"]),
                progress=row.progress,
                eta_seconds=row.eta_seconds,
            )

    def _trainings(self, session: Session) -> Iterator[Running]:
        query = (
            select(TrainingRow, SubjectRow.name)
            .join(SubjectRow, SubjectRow.id == TrainingRow.subject_id)
            .where(TrainingRow.owner_id == self.owner_id, TrainingRow.status.in_(UNFINISHED))
        )
        for row, name in session.execute(query.order_by(TrainingRow.created_at)):
            yield Running(
                kind="training",
                id=row.id,
                subject=row.subject_id,
                title=Words(en=name, ko=name),
                progress=row.progress,
                eta_seconds=row.eta_seconds,
            )
