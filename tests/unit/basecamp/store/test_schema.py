"""Migrations lead to the schema; a store of another version is left alone."""

import sqlite3
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import text

from basecamp.store import migrations, schema, table
from basecamp.store.database import Database
from dli.exceptions import ConfigurationError

_HERE = Path(next(iter(migrations.__path__)))


def _statements(database: Database) -> set[str]:
    with database.read() as tx:
        found = tx.execute(text("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL")).scalars()
        return {" ".join(sql.split()) for sql in found if "alembic_version" not in sql}


def test_a_new_store_equals_all_migrations(database: Database, tmp_path: Path) -> None:
    migrated = Database.at(tmp_path / "migrated.db")
    config = Config()
    config.set_main_option("script_location", str(_HERE))
    with migrated.engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    assert _statements(database) == _statements(migrated)
    migrated.close()


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
    with database.read() as tx, pytest.raises(Exception, match="readonly") as raised:
        tx.execute(text("DELETE FROM run"))
    assert isinstance(raised.value.__cause__, sqlite3.OperationalError)


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
