"""Databases that nothing has prepared."""

from pathlib import Path
from uuid import uuid4

import pytest

from basecamp.store.database import Database
from postgres import PostgresServer


@pytest.fixture
def unprepared(request: pytest.FixtureRequest, database: Database, tmp_path: Path) -> Database:
    """Another store of the same kind, without tables."""
    if not database.is_shared:
        return Database.at(tmp_path / "unprepared.db")
    server: PostgresServer = request.getfixturevalue("postgres_server")
    return Database(server.create_database(f"unprepared{uuid4().hex}"))
