"""What a store that cannot be written does to a transaction, and to the ones after it."""

import os
import resource
import signal
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import func, select, text

from basecamp.engines.embedded import scheduler
from basecamp.services import ownership
from basecamp.store import schema, sqlite, table
from basecamp.store.database import Database
from dli.exceptions import ServerError
from postgres import PostgresServer
from process import wait_for

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture
def impatient(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    monkeypatch.setattr(sqlite, "BUSY_S", 0.2)
    opened = Database.at(tmp_path / "basecamp.db")
    schema.prepare(opened.engine)
    yield opened
    opened.close()


@contextmanager
def held_by_another_program(path: Path) -> Iterator[None]:
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    yield
    other.close()


@contextmanager
def refused_by_the_disk(path: Path) -> Iterator[None]:
    """No file of this process can grow: the system refuses the write, as a failing disk does."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    size = path.with_name(f"{path.name}-wal").stat().st_size
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def write(database: Database, note: str) -> None:
    with database.transaction() as tx:
        tx.execute(text("CREATE TABLE IF NOT EXISTS note (text TEXT)"))
        tx.execute(text("INSERT INTO note VALUES (:note)"), {"note": note * 10_000})


def notes(database: Database) -> list[str]:
    with database.read() as tx:
        return [found[0] for found in tx.execute(text("SELECT text FROM note")).scalars()]


def runs(database: Database) -> int:
    with database.read() as tx:
        return int(tx.execute(select(func.count()).select_from(table.run)).scalar_one())


def writer(database: Database) -> Any:
    with database.transaction() as tx:
        return tx.connection.driver_connection


def test_f6_a_store_that_another_program_holds_is_busy_for_a_while(
    impatient: Database, tmp_path: Path, content: dict[str, Any]
) -> None:
    with impatient.transaction() as tx:
        ownership.put_manual(tx, content, NOON, stored=True)
    due = NOON + timedelta(days=1)
    with held_by_another_program(tmp_path / "basecamp.db"):
        with pytest.raises(ServerError, match="busy") as raised, impatient.transaction() as tx:
            scheduler.tick_all(tx, due)
        assert raised.value.details == {"retry_after": 1}
        assert runs(impatient) == 0  # reading goes on
    with impatient.transaction() as tx:
        assert len(scheduler.tick_all(tx, due)) == 1
    assert runs(impatient) == 1


def test_f5_after_an_error_of_the_disk_the_store_is_opened_anew(
    sqlite_database: Database, tmp_path: Path
) -> None:
    write(sqlite_database, "a")
    before = writer(sqlite_database)
    assert writer(sqlite_database) is before
    with refused_by_the_disk(tmp_path / "basecamp.db"):
        with pytest.raises(ServerError, match="not available"):
            write(sqlite_database, "b")
        assert notes(sqlite_database) == ["a"]
    sqlite_database.ping()
    assert writer(sqlite_database) is not before
    write(sqlite_database, "c")
    assert notes(sqlite_database) == ["a", "c"]


def crash(server: PostgresServer, database: str) -> None:
    """One killed backend makes PostgreSQL end all others and recover, as after a power cut."""
    with psycopg.connect(server.url(database), autocommit=True) as connection:
        os.kill(connection.info.backend_pid, signal.SIGKILL)


def write_amid_a_crash(database: Database, server: PostgresServer) -> None:
    with database.transaction() as tx:
        tx.execute(text("INSERT INTO note VALUES ('lost')"))
        crash(server, "crashing")
        tx.execute(text("SELECT pg_sleep(10)"))  # ends with the session


def is_written_soon(database: Database, note: str) -> bool:
    """Whether it was written; if not, that must be told at once."""
    began_at = time.monotonic()
    try:
        write(database, note)
    except ServerError:
        assert time.monotonic() - began_at < 2.0
        return False
    return True


@pytest.fixture
def crashing(postgres_server: PostgresServer) -> Iterator[Database]:
    with psycopg.connect(postgres_server.create_database("crashing"), autocommit=True) as one:
        one.execute("ALTER DATABASE crashing SET synchronous_commit = on")  # as it is elsewhere
    opened = Database(postgres_server.url("crashing"))
    schema.prepare(opened.engine)
    yield opened
    opened.close()


def test_f8_a_postgresql_that_crashes_is_told_soon_and_loses_nothing(
    crashing: Database, postgres_server: PostgresServer
) -> None:
    stored: list[str] = []
    for first, second in ("ab", "cd", "ef"):
        write(crashing, first)
        with pytest.raises(ServerError, match="not available"):
            write_amid_a_crash(crashing, postgres_server)
        wait_for(partial(is_written_soon, crashing, second))
        stored += [first, second]
        assert notes(crashing) == stored
