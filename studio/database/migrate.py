"""Bringing the tables to this version's shape."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from studio.database.connect import Database, database_errors

SCRIPTS = Path(__file__).with_name("migrations")


def migrate(database: Database, lock: Path) -> None:
    """Apply all missing migrations; processes that start together take turns at the lock file."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    with alone(lock), database_errors(database.address), database.engine.connect() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


@contextmanager
def alone(lock: Path) -> Iterator[None]:
    """Hold the lock file; wait while another process does."""
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
