"""The columns of tables, as specs declare them, else as the warehouse has them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dli.exceptions import DLIError
from dli.specs.lineage import declared_columns

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from dli.api.engine import LocalEngine
    from dli.models.dataset import DatasetSpec

__all__ = ["known_columns"]

_TIMEOUT_S = 60.0


def known_columns(
    tables: Iterable[str], datasets: Mapping[str, DatasetSpec], engine: LocalEngine
) -> dict[str, list[str]]:
    """Columns by table; a table that is nowhere to be seen is left out."""
    known: dict[str, list[str]] = {}
    for table in tables:
        declared = declared_columns(datasets[table]) if table in datasets else []
        if found := declared or _stored(table, engine):
            known[table] = found
    return known


def _stored(table: str, engine: LocalEngine) -> list[str]:
    quoted = ".".join('"{}"'.format(part.replace('"', '""')) for part in table.split("."))
    sql = f"SELECT * FROM {quoted} LIMIT 0"  # noqa: S608 - quoted
    try:
        return engine.read(
            lambda reader: reader.rows(sql, max_rows=1).columns,
            dialect="trino",
            timeout_s=_TIMEOUT_S,
        )
    except DLIError:
        return []  # it is not there yet, or the engine is not
