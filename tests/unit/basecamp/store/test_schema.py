"""Migrations lead to the schema; a store of another version is left alone."""

import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from basecamp.services import ownership
from basecamp.store import (
    audit,
    holding,
    migrations,
    registration,
    run,
    schema,
    spec,
    table,
    workflow,
)
from basecamp.store.database import Database
from dli.exceptions import ConfigurationError, ServerError
from dli.specs.content import content_hash

_HERE = Path(next(iter(migrations.__path__)))


_SQLITE_STATEMENTS = "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL"
_POSTGRESQL_PARTS = """
SELECT concat_ws(' ', table_name, column_name, data_type, is_nullable, column_default,
                 collation_name)
FROM information_schema.columns WHERE table_schema = 'public'
UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'
UNION ALL SELECT concat_ws(' ', conname, contype) FROM pg_constraint
WHERE connamespace = 'public'::regnamespace
"""


def _statements(database: Database) -> set[str]:
    asked = _POSTGRESQL_PARTS if database.is_shared else _SQLITE_STATEMENTS
    with database.read() as tx:
        found = tx.execute(text(asked)).scalars()
        return {" ".join(part.split()) for part in found if "alembic_version" not in part}


def test_a_new_store_equals_all_migrations(database: Database, unprepared: Database) -> None:
    migrated = unprepared
    config = Config()
    config.set_main_option("script_location", str(_HERE))
    with migrated.engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    assert _statements(migrated)
    assert _statements(database) == _statements(migrated)
    migrated.close()


def test_a_store_of_the_first_release_is_migrated(unprepared: Database) -> None:
    config = Config()
    config.set_main_option("script_location", str(_HERE))
    with unprepared.engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
    schema.prepare(unprepared.engine)
    with unprepared.read() as tx:
        revision = tx.execute(text("SELECT version_num FROM alembic_version")).scalar()
    assert revision == table.HEAD
    unprepared.close()


def test_the_audit_trail_of_an_older_store_is_chained(unprepared: Database) -> None:
    config = Config()
    config.set_main_option("script_location", str(_HERE))
    row = "'2026-11-23T12:00:00.000000+00:00', 'ana', 'run.start', 'daily', NULL, 'é', '{\"a\": 1}'"
    with unprepared.engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0005")
        for _ in range(3):
            connection.execute(
                text(
                    "INSERT INTO audit (at, actor, action, resource, request_id, reason, detail) "
                    f"VALUES ({row})"
                )
            )
    schema.prepare(unprepared.engine)
    with unprepared.transaction() as tx:
        assert audit.walk(tx).rows == 3
        audit.record(tx, at=datetime.now(UTC), actor="ana", action="b", resource="c")
    with unprepared.read() as tx:
        assert audit.walk(tx) == audit.Chain(4, audit.walk(tx).head)
    unprepared.close()


def test_names_of_an_older_store_get_their_teams(unprepared: Database) -> None:
    config = Config()
    config.set_main_option("script_location", str(_HERE))
    with unprepared.engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0006")
        now = datetime(2026, 3, 2, tzinfo=UTC)
        spec.save(connection, {"team": "gone"}, now)
        digest = content_hash({"team": "gone"})
        for name in ("a.ran", "a.both", "a.in_force"):
            run.add(connection, [_run_of(name, digest, now)])
        for name in ("a.both", "a.in_force"):
            registered = {"name": name, "owner": "o", "team": "registered"}
            registration.add(connection, "dataset", registered, digest, by="o", at=now)
        for source, status, team in (("code", "active", "code"), ("manual", "overridden", "no")):
            workflow.add(connection, _workflow_of("a.in_force", source, status, team, digest, now))
    schema.prepare(unprepared.engine)
    with unprepared.read() as tx:
        names = ("a.ran", "a.both", "a.in_force")
        teams = [holding.team(tx, "dataset", name) for name in names]
    assert teams == ["gone", "registered", "code"]
    unprepared.close()


def _run_of(name: str, digest: str, now: datetime) -> dict[str, Any]:
    numbers = ("attempt", "max_attempts", "retry_delay_seconds", "timeout_seconds")
    texts = {"source_type": "manual", "status": "COMPLETED", "run_type": "adhoc"}
    return {
        **dict.fromkeys((*numbers, "claim", "crashes"), 1),
        **texts,
        "run_id": name,
        "dataset_name": name,
        "parameters": {},
        "interval_start": now,
        "interval_end": now,
        "timezone": "UTC",
        "spec_hash": digest,
        "triggered_by": "ana",
        "created_at": now,
    }


def _workflow_of(
    name: str, source_type: str, status: str, team: str, digest: str, now: datetime
) -> dict[str, Any]:
    content = {"name": name, "owner": "o", "team": team}
    return {
        **ownership.entry_values(content, digest),
        "dataset_name": name,
        "source_type": source_type,
        "status": status,
        "paused": False,
        "stored": True,
        "created_at": now,
        "updated_at": now,
    }


def test_servers_that_start_at_once_make_the_schema_once(unprepared: Database) -> None:
    others = [Database(unprepared.url) for _ in range(4)] if unprepared.is_shared else [unprepared]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda other: schema.prepare(other.engine), others))
    assert _statements(unprepared)
    for opened in {*others, unprepared}:
        opened.close()


def test_head_is_the_newest_migration() -> None:
    config = Config()
    config.set_main_option("script_location", str(_HERE))
    assert ScriptDirectory.from_config(config).get_current_head() == table.HEAD


def test_preparing_twice_changes_nothing(database: Database) -> None:
    before = _statements(database)
    schema.prepare(database.engine)
    assert _statements(database) == before


def test_a_store_of_a_newer_version_is_left_alone(database: Database) -> None:
    with database.transaction() as tx:
        tx.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    try:
        _is_left_alone(database)
    finally:
        with database.transaction() as tx:
            tx.execute(text("UPDATE alembic_version SET version_num = :head"), {"head": table.HEAD})


def _is_left_alone(database: Database) -> None:
    with pytest.raises(ConfigurationError, match="newer version"):
        schema.prepare(database.engine)


def test_a_damaged_store_is_refused_and_untouched(tmp_path: Path) -> None:
    path = tmp_path / "basecamp.db"
    garbage = b"this is no database" * 500
    path.write_bytes(garbage)
    damaged = Database.at(path)
    with pytest.raises(ConfigurationError, match="damaged"):
        schema.prepare(damaged.engine)
    damaged.close()
    assert path.read_bytes() == garbage


def test_readers_cannot_write(database: Database) -> None:
    with pytest.raises(ServerError) as raised, database.read() as tx:
        tx.execute(text("DELETE FROM run"))
    cause = raised.value.__cause__
    assert isinstance(cause, DBAPIError)
    assert re.search("read-?only", str(cause.orig))


def test_a_store_with_a_broken_page_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "basecamp.db"
    good = Database.at(path)
    schema.prepare(good.engine)
    good.close()
    with path.open("r+b") as file:
        file.seek(-4096, 2)  # the last page; the names of the tables can still be read
        file.write(b"\xff" * 4096)
    damaged = path.read_bytes()
    opened = Database.at(path)
    with pytest.raises(ConfigurationError, match="damaged"):
        schema.prepare(opened.engine)
    opened.close()
    assert path.read_bytes() == damaged


_KILLED = """
import os, sys
from pathlib import Path
from sqlalchemy import event, text
from basecamp.store import schema
from basecamp.store.database import Database

folder = Path(sys.argv[1])
for number in range(1, 500, 5):
    path = folder / f"{number}.db"
    path.write_bytes((folder / "old.db").read_bytes())
    pid = os.fork()
    if pid:
        if os.waitpid(pid, 0)[1] == 0:
            path.unlink()
            break
        continue
    opened, left = Database.at(path), [number]
    @event.listens_for(opened.engine, "after_cursor_execute")
    def killed(*_):
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), 9)
    schema.prepare(opened.engine)
    os._exit(0)
"""


def test_a_migration_killed_half_way_is_done_by_the_next_start(
    sqlite_database: Database, tmp_path: Path
) -> None:
    config = Config()
    config.set_main_option("script_location", str(_HERE))
    old = Database.at(tmp_path / "old.db")
    with old.engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
    old.close()
    killing = [sys.executable, "-c", _KILLED, str(tmp_path)]
    subprocess.run(killing, check=True, timeout=60)
    (tmp_path / "old.db").unlink()
    killed = [*tmp_path.glob("[0-9]*.db")]
    assert len(killed) >= 5
    for path in killed:
        left = Database.at(path)
        schema.prepare(left.engine)
        assert _statements(left) == _statements(sqlite_database)
        left.close()
