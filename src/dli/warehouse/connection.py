"""The warehouse that a connection string names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl, unquote, urlsplit

from dli.config import current_environment, state_dir
from dli.exceptions import ConfigurationError, ErrorCode, ExecutionError
from dli.warehouse.duckdb import DuckDBWarehouse
from dli.warehouse.instance import EngineLimits
from dli.warehouse.relation import HOME, Relation

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from dli.specs.project import Project
    from dli.warehouse.source import SourceDefinition

__all__ = ["open_warehouse", "warehouse_of"]

_LATER_ENGINES: Final = ("trino", "bigquery", "snowflake", "spark")
_FILE_SUFFIXES: Final = frozenset({".duckdb", ".ddb", ".db"})


def warehouse_of(
    project: Project, *, lock_timeout_s: float = 2.0, hides_values: bool = False
) -> DuckDBWarehouse:
    """The warehouse of the project's current environment, with its sources.

    One that `hides_values` tells what is wrong with a value without showing it.

    Raises `ConfigurationError` DLI-001 for an environment that the project does not have: its data
    would go to the warehouse of none.
    """
    known = project.config.environments
    if known and project.environment_name not in (*known, current_environment({})):
        raise ConfigurationError(
            f"DLI_ENV names no environment of dli.yaml, which has {', '.join(sorted(known))}"
        )
    environment = project.environment
    warehouse = open_warehouse(
        project.root,
        environment.connection_string,
        sources=project.sources,
        catalog=environment.catalog,
        schema=environment.schema_name,
        lock_timeout_s=lock_timeout_s,
    )
    warehouse.hides_values = hides_values
    return warehouse


def open_warehouse(
    root: Path,
    connection_string: str | None = None,
    *,
    sources: Iterable[SourceDefinition] = (),
    catalog: str | None = None,
    schema: str | None = None,
    lock_timeout_s: float = 2.0,
) -> DuckDBWarehouse:
    """The warehouse of the project at `root`; without a connection string the embedded one.

    `duckdb:///folder` holds one file per catalog, `duckdb:///file.duckdb` is the only catalog and
    is called `catalog` or like the file. Paths count from the project; a fourth slash makes them
    absolute. `?memory_limit=2GB&threads=2&spill_limit=20GB` limit the engine. `catalog` and
    `schema` are also where names without them live. `lock_timeout_s` is how long to wait for a
    file that another process has open. Nothing is opened yet.

    Raises `ConfigurationError` DLI-001, and `ExecutionError` DLI-403 for an engine that this
    release does not have.
    """
    schema = schema or HOME.schema
    parts = urlsplit(connection_string or "duckdb:")
    if parts.scheme in _LATER_ENGINES:
        raise ExecutionError(
            f"This release cannot connect to {parts.scheme}; it has the embedded engine, duckdb",
            code=ErrorCode.CONNECTION_FAILED,
        )
    if parts.scheme != "duckdb" or parts.netloc:
        raise ConfigurationError(
            "The connection string must look like duckdb:///folder or duckdb:///file.duckdb"
        )
    limits = _limits(parts.query)
    place = unquote(parts.path.removeprefix("/"))
    path = root / place if place else state_dir(root) / "warehouse"
    if path.suffix not in _FILE_SUFFIXES and not path.is_file():
        return DuckDBWarehouse(
            path,
            data_root=root,
            sources=sources,
            home=Relation(catalog or HOME.catalog, schema, ""),
            limits=limits,
            lock_timeout_s=lock_timeout_s,
        )
    name = catalog or path.stem
    return DuckDBWarehouse(
        state_dir(root) / "warehouse",
        data_root=root,
        sources=sources,
        files={name: path.resolve()},
        home=Relation(name, schema, ""),
        limits=limits,
        lock_timeout_s=lock_timeout_s,
    )


def _limits(query: str) -> EngineLimits:
    given = dict(parse_qsl(query))
    memory = given.pop("memory_limit", None)
    threads = given.pop("threads", None)
    spill = given.pop("spill_limit", EngineLimits().spill)
    if given:
        raise ConfigurationError(
            f"The connection string has unknown settings: {', '.join(sorted(given))}"
        )
    if threads is not None and not (threads.isascii() and threads.isdigit() and int(threads) > 0):
        raise ConfigurationError("threads in the connection string must be a positive number")
    return EngineLimits(memory=memory, threads=int(threads) if threads else None, spill=spill)
