"""Brings the state store to the newest schema, or refuses to touch it."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, Engine, inspect, text
from sqlalchemy.exc import DatabaseError

from basecamp.failpoint import failpoint
from basecamp.store.table import HEAD, metadata
from dli.exceptions import ConfigurationError


def prepare(engine: Engine) -> None:
    """Create or migrate the schema.

    A new store is created from the tables directly and stamped: a test holds that equal to
    running all migrations, and it keeps the migration library out of every start.

    Raises:
        ConfigurationError: the store is damaged, not there, or was written by a newer version
            (DLI-001); it is left as it was.
    """
    try:
        is_sound, revision = _is_sound(engine), _revision(engine)
    except DatabaseError as exc:
        raise _damaged() if engine.dialect.name == "sqlite" else _unavailable() from exc
    if not is_sound:
        raise _damaged()
    if revision == HEAD:
        return
    with engine.begin() as connection:
        if engine.dialect.name != "sqlite":
            from basecamp.store import postgres

            postgres.wait_for_turn(connection)  # another server may be at it
        _bring_up(connection)


def _bring_up(connection: Connection) -> None:
    revision = _revision_of(connection)
    if revision is None:
        _create(connection)
    elif not is_known(revision):
        raise ConfigurationError(
            "The state store was written by a newer version of Basecamp; install that one."
        )
    elif revision != HEAD:
        _migrate(connection)


def _is_sound(engine: Engine) -> bool:
    """Whether SQLite finds its file whole; 100,000 runs take it well under a tenth of a second."""
    if engine.dialect.name != "sqlite":
        return True
    with engine.connect() as connection:
        return connection.execute(text("PRAGMA quick_check(1)")).scalar() == "ok"


def _damaged() -> ConfigurationError:
    return ConfigurationError(
        "The state store is damaged or none at all. Restore a backup, or move it away."
    )


def _unavailable() -> ConfigurationError:
    return ConfigurationError("The database of BASECAMP_DATABASE_URL cannot be reached or used.")


def _revision(engine: Engine) -> str | None:
    with engine.connect() as connection:
        return _revision_of(connection)


def _revision_of(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def _create(connection: Connection) -> None:
    metadata.create_all(connection)
    connection.execute(
        text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)")
    )
    failpoint("schema.without_revision")
    connection.execute(text("INSERT INTO alembic_version VALUES (:head)"), {"head": HEAD})


def is_known(revision: str) -> bool:
    """Whether this version of Basecamp can read or migrate a store of this revision."""
    versions = Path(__file__).parent / "migrations" / "versions"
    return revision in {path.name.split("_")[0] for path in versions.glob("[0-9]*.py")}


def _migrate(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
