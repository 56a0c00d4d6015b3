"""A state store of its own for each test, and a clock that moves by hand."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from basecamp.store import schema, table
from basecamp.store.database import Database
from postgres import PostgresServer


@dataclass
class HandClock:
    """A clock that moves only when a test moves it."""

    instant: datetime = field(default_factory=lambda: datetime(2026, 3, 2, 12, 0, tzinfo=UTC))
    seconds: float = 0.0

    def now(self) -> datetime:
        return self.instant

    def monotonic(self) -> float:
        return self.seconds

    def advance(self, delta: timedelta) -> None:
        self.instant += delta
        self.seconds += delta.total_seconds()


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> Database:
    """An empty store of each kind in turn."""
    opened: Database = request.getfixturevalue(f"{request.param}_database")
    return opened


@pytest.fixture
def sqlite_database(tmp_path: Path) -> Iterator[Database]:
    opened = Database.at(tmp_path / "basecamp.db")
    schema.prepare(opened.engine)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def shared_database(postgres_server: PostgresServer) -> Iterator[Database]:
    opened = Database(postgres_server.create_database("unit"))
    schema.prepare(opened.engine)
    yield opened
    opened.close()


@pytest.fixture
def postgresql_database(shared_database: Database) -> Database:
    """The database of the worker, with nothing in it but the schema."""
    tables = ", ".join(name for name in table.metadata.tables)
    with shared_database.engine.begin() as connection:
        connection.execute(text(f"TRUNCATE {tables} RESTART IDENTITY"))
    return shared_database


@pytest.fixture
def content() -> dict[str, Any]:
    return {
        "name": "shop.sales.daily",
        "owner": "ana@example.com",
        "team": "sales",
        "type": "Dataset",
        "query_type": "DML",
        "query_statement": "SELECT 1",
        "schedule": {"cron": "0 6 * * *", "timezone": "Europe/Madrid"},
    }
