"""The database: migrations that fit the tables, and one clear error for each way it can be unusable."""

from __future__ import annotations

import contextlib
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text

from studio.assembly import Foundations, lay_foundations
from studio.database.connect import Database
from studio.database.tables import Base, SubjectRow
from studio.errors import DatabaseLocked, DatabaseUnusable, DataFolderUnusable, DiskFull
from studio.records import new_id, now
from studio.settings import REPOSITORY, Settings


def subject() -> SubjectRow:
    return SubjectRow(
        id=new_id(),
        owner_id="local",
        name="A",
        class_noun="woman",
        trigger="sks",
        consent_at=now(),
        consent_version="1",
        created_at=now(),
    )


def test_the_migrations_make_exactly_the_tables_of_the_code(base: Foundations) -> None:
    with base.database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []


def test_every_table_of_a_persons_things_has_an_owner() -> None:
    of_the_installation = {"servers", "workers"}
    for name, table in Base.metadata.tables.items():
        assert name in of_the_installation or "owner_id" in table.columns


def test_both_databases_are_in_wal_mode(base: Foundations, settings: Settings) -> None:
    for name in ("sajin.db", "dbos.db"):
        with sqlite3.connect(settings.data_folder / name) as connection:
            assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_a_block_that_raises_keeps_nothing(base: Foundations) -> None:
    row = subject()
    with contextlib.suppress(RuntimeError), base.database.write() as session:
        session.add(row)
        raise RuntimeError
    with base.database.read() as session:
        assert session.get(SubjectRow, row.id) is None


def test_a_time_comes_back_with_its_zone(base: Foundations) -> None:
    row = subject()
    moment = row.created_at
    with base.database.write() as session:
        session.add(row)
    with base.database.read() as session:
        kept = session.get(SubjectRow, row.id)
    assert kept is not None
    assert kept.created_at == moment


def test_a_database_locked_by_another_process_is_named_after_the_wait(base: Foundations) -> None:
    file = base.settings.data_folder / "sajin.db"
    script = (
        f"import sqlite3, sys; c = sqlite3.connect({str(file)!r}, isolation_level=None); "
        "c.execute('BEGIN IMMEDIATE'); print('locked', flush=True); sys.stdin.read()"
    )
    holder = subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    impatient = Database(base.database.address, wait_seconds=0.2)
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"locked\n"
        with pytest.raises(DatabaseLocked, match="locked by another process"), impatient.write() as session:
            session.add(subject())
    finally:
        holder.communicate(timeout=10)
        impatient.close()
    with base.database.write() as session:
        session.add(subject())


def test_a_database_locked_while_the_studio_opens_is_waited_for(
    settings: Settings, base: Foundations
) -> None:
    file = settings.data_folder / "sajin.db"
    script = (
        f"import sqlite3, time; c = sqlite3.connect({str(file)!r}, isolation_level=None); "
        "c.execute('BEGIN EXCLUSIVE'); print('locked', flush=True); time.sleep(1)"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"locked\n"
        lay_foundations(settings).closing.close()


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "sajin.db").write_bytes(b"this is no database, but a longer text than a header")
    with pytest.raises(DatabaseUnusable, match=r"sajin\.db cannot be used"):
        lay_foundations(Settings(_env_file=None, data=tmp_path / "data"))


def test_a_database_in_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    lost = Database(f"sqlite:///{tmp_path}/nowhere/sajin.db")
    with pytest.raises(DataFolderUnusable, match="unable to open"), lost.read() as session:
        session.get(SubjectRow, "x")


def test_a_password_in_the_address_is_never_shown() -> None:
    from studio.database.connect import shown

    assert "secret" not in shown("postgresql://sajin:secret@db/sajin")


def test_studios_that_open_at_the_same_moment_take_turns(tmp_path: Path) -> None:
    script = (
        "from pathlib import Path; from studio.settings import Settings; from studio.assembly import lay_foundations; "
        f"lay_foundations(Settings(_env_file=None, data=Path({str(tmp_path / 'data')!r}))).closing.close()"
    )
    processes = [subprocess.Popen([sys.executable, "-c", script], cwd=REPOSITORY) for _ in range(3)]
    assert [process.wait(timeout=60) for process in processes] == [0, 0, 0]


def test_a_full_database_is_a_full_disk_and_keeps_what_it_had(base: Foundations) -> None:
    kept = subject()
    with base.database.write() as session:
        session.add(kept)
    with pytest.raises(DiskFull):
        write_more_than_fits(base.database)
    with base.database.read() as session:
        assert session.get(SubjectRow, kept.id) is not None


def write_more_than_fits(database: Database) -> None:
    """Write a megabyte where SQLite may take no further page."""
    with database.write() as session:
        pages = session.execute(text("PRAGMA page_count")).scalar_one()
        session.execute(text(f"PRAGMA max_page_count={pages}"))
        session.execute(text("CREATE TABLE large AS SELECT zeroblob(1000000)"))
