"""What is known of the WebUI servers: written by the worker, read by everybody."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from studio.database.tables import ServerRow, WorkerRow
from studio.errors import NotFound
from studio.planning.plan import ServerFacts
from studio.records import now
from studio.values import Server, Value

WORKER_NOT_RUNNING = "worker_not_running"
STALE_AFTER = timedelta(seconds=20)


class ServerRecord(Value):
    """One server's row: what is shown, and what planning needs (None while it never answered)."""

    server: Server
    facts: ServerFacts | None


def server_records(session: Session) -> tuple[ServerRecord, ...]:
    """All servers in use, as last seen; those of a worker that is gone count as down."""
    alive = worker_alive(session)
    rows = session.scalars(select(ServerRow).order_by(ServerRow.url)).all()
    return tuple(_record(row, alive=alive) for row in rows)


def known_servers(session: Session) -> tuple[ServerFacts, ...]:
    """What planning may count on: the servers that answered and are not down."""
    records = server_records(session)
    return tuple(record.facts for record in records if record.facts and record.server.status != "down")


def drained_servers(session: Session) -> frozenset[str]:
    """The URLs of the servers that shall take no new work."""
    return frozenset(session.scalars(select(ServerRow.url).where(ServerRow.drained)))


def drain(session: Session, url: str, *, drained: bool) -> Server:
    """Let a server take no new work, or take work again; the worker follows within seconds. Raises NotFound."""
    row = session.get(ServerRow, url.rstrip("/"))
    if row is None:
        raise NotFound("server", url)
    row.drained = drained
    return _record(row, alive=worker_alive(session)).server


def worker_alive(session: Session) -> bool:
    """Whether any worker gave a sign of life in the last seconds."""
    return bool(living_workers(session))


def living_workers(session: Session) -> frozenset[str]:
    """The executor ids of the workers that gave a sign of life in the last seconds."""
    seen: Sequence[WorkerRow] = session.scalars(select(WorkerRow)).all()
    return frozenset(row.executor_id for row in seen if now() - row.seen_at < STALE_AFTER)


def _record(row: ServerRow, *, alive: bool) -> ServerRecord:
    told = row.record["server"] | {"seen_at": row.seen_at, "takes_work": not row.drained}
    record = ServerRecord.model_validate(row.record | {"server": told})
    if alive:
        return record
    down = record.server.model_copy(update={"status": "down", "problem": WORKER_NOT_RUNNING, "details": ""})
    return record.model_copy(update={"server": down})
