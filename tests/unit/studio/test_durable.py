"""The durable database's faults: DBOS waits for them in a worker, and a client is told of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from dbos._utils import retriable_sqlite_exception
from sqlalchemy import Engine, text
from sqlalchemy.exc import OperationalError

from studio.assembly import Foundations
from studio.database.durable import DurableDatabaseAway, impatient_engine, patient_engine
from studio.errors import DataFolderUnusable, DiskFull

Opened = Callable[[Callable[[str], Engine | None], str], Engine]


@pytest.fixture
def opened() -> Iterator[Opened]:
    """Opens engines, and closes them at the end."""
    engines: list[Engine] = []

    def open_one(kind: Callable[[str], Engine | None], address: str) -> Engine:
        engine = kind(address)
        assert engine is not None
        engines.append(engine)
        return engine

    yield open_one
    for engine in engines:
        engine.dispose()


def write_more_than_fits(engine: Engine) -> None:
    """Write a megabyte where SQLite may take no further page."""
    with engine.begin() as connection:
        pages = connection.execute(text("PRAGMA page_count")).scalar_one()
        connection.execute(text(f"PRAGMA max_page_count={pages}"))
        connection.execute(text("CREATE TABLE large AS SELECT zeroblob(1000000)"))


def test_dbos_waits_for_room_as_it_waits_for_a_lock(base: Foundations, opened: Opened) -> None:
    engine = opened(patient_engine, base.settings.durable_database)
    with pytest.raises(DurableDatabaseAway, match="full") as away:
        write_more_than_fits(engine)
    assert retriable_sqlite_exception(away.value)


def test_a_client_is_told_that_there_is_no_room(base: Foundations, opened: Opened) -> None:
    with pytest.raises(DiskFull):
        write_more_than_fits(opened(impatient_engine, base.settings.durable_database))


def test_a_folder_that_is_gone_is_waited_for_or_told_as_well(tmp_path: Path, opened: Opened) -> None:
    nowhere = f"sqlite:///{tmp_path}/nowhere/dbos.db"
    with pytest.raises(DurableDatabaseAway):
        opened(patient_engine, nowhere).connect()
    with pytest.raises(DataFolderUnusable):
        opened(impatient_engine, nowhere).connect()


@pytest.mark.parametrize("kind", [patient_engine, impatient_engine])
def test_what_will_not_pass_is_not_waited_for(
    base: Foundations, opened: Opened, kind: Callable[[str], Engine | None]
) -> None:
    engine = opened(kind, base.settings.durable_database)
    with pytest.raises(OperationalError, match="no such table"), engine.connect() as connection:
        connection.execute(text("SELECT * FROM nowhere"))


def test_postgresql_is_left_to_dbos() -> None:
    assert patient_engine("postgresql://db/sajin") is None
    assert impatient_engine("postgresql://db/sajin") is None
