"""Whether the server says so when a part of it does not work."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection

from basecamp.services.command import Caller
from basecamp.services.health import HealthService
from basecamp.services.permission import local_actor
from basecamp.services.workflow import WorkflowService
from basecamp.store import schema
from basecamp.store.database import Database
from dli.exceptions import ServerError
from identity import BOSS


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = Database.at(tmp_path / "basecamp.db")
    schema.prepare(opened.engine)
    yield opened
    opened.close()


def forbid_writing(database: Database, *, is_forbidden: bool) -> None:
    """What a full disk or a file system gone read-only does to the writer."""
    with database.engine.connect() as connection:
        pragma(connection, "query_only", "ON" if is_forbidden else "OFF")


def pragma(connection: Connection, name: str, value: str) -> None:
    connection.connection.driver_connection.execute(f"PRAGMA {name}={value}")  # type: ignore[union-attr]


def test_a_store_that_can_be_read_only_is_not_ready_until_it_can_be_written(
    database: Database, workflows: WorkflowService, engine: Any, content: dict[str, Any]
) -> None:
    health = HealthService(database, engine)
    health.is_ready = True
    ana = Caller(local_actor("ana"))
    forbid_writing(database, is_forbidden=True)
    with pytest.raises(ServerError):
        workflows.register(ana, dataset_name=content["name"], cron="0 6 * * *", spec=content)
    assert health.look().parts["store"] == "failing"
    assert not health.look().is_ok
    assert workflows.list(BOSS) == ([], 0)
    forbid_writing(database, is_forbidden=False)
    assert health.look().is_ok
    workflows.register(ana, dataset_name=content["name"], cron="0 6 * * *", spec=content)


def test_a_store_that_nobody_has_written_to_is_tried(
    database: Database, engine: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    health = HealthService(database, engine)
    health.is_ready = True
    assert health.look().is_ok
    forbid_writing(database, is_forbidden=True)
    assert health.look().is_ok  # it could be written a moment ago
    monkeypatch.setattr("basecamp.store.database._PROOF_S", 0.0)
    assert health.look().failing == ["store"]
    forbid_writing(database, is_forbidden=False)
    assert health.look().is_ok
