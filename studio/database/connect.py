"""Opening the database, and the two kinds of session: read and write."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.orm import Session

from studio.errors import DatabaseLocked, DatabaseUnusable, DataFolderUnusable, DiskFull, StudioError

WRITES = "studio_writes"
WAIT_SECONDS = 5.0


class Database:
    """The studio's tables at one address. Threads may share it.

    wait_seconds: how long a write waits for another process's write before DatabaseLocked is raised (SQLite).
    """

    def __init__(self, address: str, wait_seconds: float = WAIT_SECONDS) -> None:
        self.address = address
        self.engine = _sqlite_engine(address, wait_seconds) if is_sqlite(address) else create_engine(address)
        self._writing = self.engine.execution_options(**{WRITES: True})

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session that sees one moment and changes nothing."""
        with database_errors(self.address), Session(self.engine, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A session whose changes are kept together when the block ends, or not at all when it raises."""
        with (
            database_errors(self.address),
            Session(self._writing, expire_on_commit=False) as session,
            session.begin(),
        ):
            yield session

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()


def is_sqlite(address: str) -> bool:
    """Whether an address is that of a SQLite file."""
    return make_url(address).get_backend_name() == "sqlite"


def _sqlite_engine(address: str, wait_seconds: float) -> Engine:
    """An engine in WAL mode whose write transactions take the lock at once.

    A deferred transaction that begins to write after another process did fails at once whatever the timeout;
    BEGIN IMMEDIATE waits for its turn instead (sqlite.org/lang_transaction.html).
    """
    engine = create_engine(address, connect_args={"timeout": wait_seconds})

    @event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, _: object) -> None:
        connection.isolation_level = None
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.execute("PRAGMA foreign_keys=ON")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get(WRITES, False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


@contextmanager
def database_errors(address: str) -> Iterator[None]:
    """Translate the driver's errors into StorageError, the cause kept."""
    try:
        yield
    except OperationalError as error:
        raise translated(error, address) from error
    except DBAPIError as error:
        if isinstance(error.orig, sqlite3.IntegrityError):
            raise
        raise DatabaseUnusable(shown(address), str(error.orig)) from error


def translated(error: OperationalError, address: str) -> StudioError:
    """The studio's error for what SQLite or PostgreSQL could not do."""
    reason = str(error.orig)
    if "locked" in reason or "busy" in reason:
        return DatabaseLocked(shown(address))
    if "full" in reason:
        return DiskFull(shown(address))
    if "readonly" in reason or "unable to open" in reason:
        return DataFolderUnusable(shown(address), reason)
    return DatabaseUnusable(shown(address), reason)


def shown(address: str) -> str:
    """The address without its password."""
    return make_url(address).render_as_string(hide_password=True)
