"""Stores as servers of earlier schemas left them, to be opened by today's.

Each folder of `tests/released` holds the state of a server of that schema that was killed amid its
work: runs that run, wait and have ended, backfills, pauses, CODE and MANUAL workflows.
"""

import shutil
import sqlite3
from datetime import datetime
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import Boolean, Connection, Date, DateTime, MetaData, Table, inspect, text

from basecamp.store import migrations
from basecamp.store.database import Database

__all__ = ["FOLDER", "RELEASES", "Rows", "fill", "rows", "write_file", "write_specs"]

FOLDER = Path(__file__).parents[1] / "released"
RELEASES = sorted(path.name for path in FOLDER.iterdir() if path.name.isdigit())
Rows = dict[str, list[dict[str, Any]]]
_SCRIPTS = Path(next(iter(migrations.__path__)))


def write_file(release: str, path: Path) -> None:
    """The store of a release as a file of SQLite."""
    with sqlite3.connect(path) as store:
        store.executescript((FOLDER / release / "basecamp.sql").read_text(encoding="utf-8"))
    store.close()


def write_specs(release: str, folder: Path) -> None:
    """The spec store that belongs to it."""
    shutil.copytree(FOLDER / release / "store", folder)


def fill(database: Database, release: str, scratch: Path) -> None:
    """Make an empty database the store of a release."""
    source = Database.at(scratch / f"{release}.db")
    write_file(release, scratch / f"{release}.db")
    if not database.is_shared:
        source.close()
        shutil.copyfile(scratch / f"{release}.db", Path(str(database.engine.url.database)))
        return
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS))
    with source.read() as old, database.engine.begin() as new:
        config.attributes["connection"] = new
        command.upgrade(config, release)
        for name, found in rows(old).items():
            if name != "alembic_version":
                _copy(new, name, found)
    source.close()


def _copy(new: Connection, name: str, found: list[dict[str, Any]]) -> None:
    target = Table(name, MetaData(), autoload_with=new)
    if found:
        new.execute(target.insert(), [_as_typed(target, row) for row in found])
    for key in ("id", "seq"):
        if found and name != "leader" and key in target.c:
            sequence = text("SELECT setval(pg_get_serial_sequence(:name, :key), :last)")
            last = max(row[key] for row in found)
            new.execute(sequence, {"name": name, "key": key, "last": last})


def _as_typed(target: Table, row: dict[str, Any]) -> dict[str, Any]:
    """What SQLite holds as text or number, as PostgreSQL wants it."""
    typed = dict(row)
    for column in target.columns:
        value = row[column.name]
        if value is None:
            continue
        if isinstance(column.type, DateTime):
            typed[column.name] = datetime.fromisoformat(value)
        elif isinstance(column.type, Date):
            typed[column.name] = datetime.fromisoformat(value).date()
        elif isinstance(column.type, Boolean):
            typed[column.name] = bool(value)
    return typed


def rows(connection: Connection) -> Rows:
    """Every row of every table, as the database itself holds it."""
    found: Rows = {}
    for name in inspect(connection).get_table_names():
        stored = connection.execute(text(f"SELECT * FROM {name}")).mappings()
        found[name] = sorted((dict(row) for row in stored), key=lambda row: repr([*row.values()]))
    return found
