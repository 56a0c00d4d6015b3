"""What a warehouse holds: its tables and sources with their columns, and figures about them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING, Any

from dli.exceptions import ExecutionError
from dli.models.cell import json_value
from dli.warehouse.base import REFUSALS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from dli.warehouse.base import Session

__all__ = [
    "ColumnFigures",
    "Size",
    "StoredColumn",
    "StoredTable",
    "Survey",
    "columns_of",
    "size_of",
    "survey",
]

_MASK = "***"


@dataclass(frozen=True, slots=True)
class StoredColumn:
    """A column with its type in the words of the engine."""

    name: str
    data_type: str


@dataclass(frozen=True, slots=True)
class StoredTable:
    """A table or source under its name of three parts.

    `updated_at` is when the files of a source were written; of tables the engine does not know it.
    """

    catalog: str
    schema: str
    table: str
    columns: tuple[StoredColumn, ...]
    updated_at: datetime | None = None

    @property
    def name(self) -> str:
        return f"{self.catalog}.{self.schema}.{self.table}"

    @property
    def sql(self) -> str:
        return ".".join(map(_quoted, (self.catalog, self.schema, self.table)))


@dataclass(frozen=True, slots=True)
class ColumnFigures:
    """`fill_rate` is None for a table without rows; `distinct_count` is an estimate."""

    fill_rate: float | None
    distinct_count: int


@dataclass(frozen=True, slots=True)
class Size:
    """How many rows there are, and the newest day or instant of the column they are divided by.

    `row_count` is None for what cannot be read, such as a view of a table that has gone.
    """

    row_count: int | None
    newest: datetime | None = None


@dataclass(frozen=True, slots=True)
class Survey:
    """What looking at all of a table gives; `rows` are some of them as JSON values."""

    size: Size
    figures: tuple[ColumnFigures, ...]
    rows: list[dict[str, Any]] | None = None


def size_of(session: Session, table: StoredTable, partition: str | None = None) -> Size:
    """The size of a table; `partition` is the name of a column, in any letter case."""
    newest = _newest(table, partition)
    try:
        found = session.execute(f"SELECT count(*), {newest} FROM {table.sql}")  # noqa: S608 - quoted
    except ExecutionError as error:
        if error.code not in REFUSALS:
            raise
        return Size(None)
    row_count, last = found.rows[0]
    return Size(int(row_count), _instant(last))


def survey(
    session: Session,
    table: StoredTable,
    *,
    partition: str | None = None,
    hidden: Collection[str] = (),
    row_limit: int = 0,
) -> Survey:
    """Size and figures of each column from one scan, and with a limit some rows.

    The values of `hidden` columns, named in lower case, never leave the engine.
    """
    parts = [
        f"count({_quoted(c.name)}), approx_count_distinct({_quoted(c.name)})" for c in table.columns
    ]
    wanted = ", ".join(["count(*)", _newest(table, partition), *parts])
    found = session.execute(f"SELECT {wanted} FROM {table.sql}")  # noqa: S608 - quoted
    total, newest, *figures = found.rows[0]
    pairs = zip(figures[::2], figures[1::2], strict=True)
    return Survey(
        Size(int(total), _instant(newest)),
        tuple(
            ColumnFigures(filled / total if total else None, int(distinct))
            for filled, distinct in pairs
        ),
        _first_rows(session, table, row_limit, hidden) if row_limit else None,
    )


def columns_of(session: Session, tables: Iterable[str]) -> dict[str, list[StoredColumn]]:
    """The columns of those tables of three parts that the session has at hand."""
    spelling = {table.lower(): table for table in tables}
    names = ", ".join("'" + name.replace("'", "''") + "'" for name in spelling)
    found: dict[str, list[StoredColumn]] = {}
    if not names or session.dialect is None:
        return found
    full = "lower(concat_ws('.', database_name, schema_name, table_name))"
    rows = session.execute(
        f"SELECT {full}, column_name, data_type FROM duckdb_columns() "  # noqa: S608 - quoted
        f"WHERE {full} IN ({names}) ORDER BY 1, column_index"
    ).rows
    for table, name, data_type in rows:
        found.setdefault(spelling[table], []).append(StoredColumn(name, data_type))
    return found


def _first_rows(
    session: Session, table: StoredTable, limit: int, hidden: Collection[str]
) -> list[dict[str, Any]]:
    shown = [
        f"'{_MASK}' AS {_quoted(c.name)}" if c.name.lower() in hidden else _quoted(c.name)
        for c in table.columns
    ]
    found = session.execute(f"SELECT {', '.join(shown)} FROM {table.sql} LIMIT {limit}")  # noqa: S608
    return [json_value(dict(zip(found.columns, row, strict=True))) for row in found.rows]


def _newest(table: StoredTable, partition: str | None) -> str:
    wanted = (partition or "").lower()
    named = [column.name for column in table.columns if column.name.lower() == wanted]
    return f"max({_quoted(named[0])})" if named else "NULL"


def _instant(value: object) -> datetime | None:
    """A day counts from its midnight in UTC; what is no time tells nothing."""
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    return datetime.combine(value, time(), UTC) if isinstance(value, date) else None


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
