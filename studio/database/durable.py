"""The durable queue's own database, opened so that DBOS meets the faults of SQLite as a worker or a client must.

By itself DBOS repeats an operation for ever while SQLite says "database is locked", and lets every other fault through,
after which a workflow is under way that nobody runs. A worker has to wait through all of them; whoever asks on behalf
of a person has to be told of each.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import NoReturn

from sqlalchemy import Engine, ExceptionContext, create_engine, event
from sqlalchemy.exc import OperationalError

from studio.database.connect import WAIT_SECONDS, is_sqlite, translated

PATIENT_WAIT_SECONDS = 30.0  # for a lock, before DBOS rests; its own choice
PRIMARY = 0xFF  # the lower byte of an extended result code, sqlite.org/rescode.html
PASSING_FAULTS = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_CANTOPEN,
    }
)


class DurableDatabaseAway(Exception):
    """The durable database cannot be used for now; the text has the words at which DBOS waits and tries again."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"{reason} (waited for as if the database is locked)")


def patient_engine(address: str) -> Engine | None:
    """For a worker: DBOS waits until the fault has passed, however long that takes. None: leave it to DBOS."""

    def wait(error: OperationalError) -> NoReturn:
        raise DurableDatabaseAway(str(error.orig)) from error

    return _engine(address, PATIENT_WAIT_SECONDS, wait)


def impatient_engine(address: str) -> Engine | None:
    """For a client: a fault is raised as a StorageError, a lock after WAIT_SECONDS. None: leave it to DBOS."""

    def tell(error: OperationalError) -> NoReturn:
        raise translated(error, address) from error

    return _engine(address, WAIT_SECONDS, tell)


def make_ready(address: str) -> None:
    """Set WAL on a SQLite file, with which it stays, and prove that it can be written. Raises StorageError."""
    engine = impatient_engine(address)
    if engine is None:
        return
    try:
        with engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA journal_mode=WAL")
            connection.exec_driver_sql("BEGIN IMMEDIATE")
    finally:
        engine.dispose()


def _engine(
    address: str, wait_seconds: float, on_fault: Callable[[OperationalError], NoReturn]
) -> Engine | None:
    """An engine with the transactions that DBOS expects of SQLite; PostgreSQL's faults DBOS knows itself."""
    if not is_sqlite(address):
        return None
    engine = create_engine(address, connect_args={"timeout": wait_seconds, "isolation_level": "IMMEDIATE"})

    @event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, _: object) -> None:
        connection.execute("PRAGMA foreign_keys=ON")

    @event.listens_for(engine, "handle_error")
    def meet(context: ExceptionContext) -> None:
        error = context.sqlalchemy_exception
        if isinstance(error, OperationalError) and _may_pass(error.orig):
            on_fault(error)

    return engine


def _may_pass(reason: BaseException | None) -> bool:
    code: int = getattr(reason, "sqlite_errorcode", sqlite3.SQLITE_OK)
    return code & PRIMARY in PASSING_FAULTS
