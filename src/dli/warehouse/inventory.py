"""What a warehouse holds: its tables and sources with their columns, and figures about them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dli.warehouse.base import Session

__all__ = ["ColumnFigures", "StoredColumn", "StoredTable", "column_figures", "first_rows"]


@dataclass(frozen=True, slots=True)
class StoredColumn:
    """A column with its type in the words of the engine."""

    name: str
    data_type: str


@dataclass(frozen=True, slots=True)
class StoredTable:
    """A table or source under its name of three parts."""

    catalog: str
    schema: str
    table: str
    columns: tuple[StoredColumn, ...]

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


def column_figures(session: Session, table: StoredTable) -> tuple[int, list[ColumnFigures]]:
    """The number of rows, and figures of each column, from one scan."""
    parts = [
        f"count({_quoted(c.name)}), approx_count_distinct({_quoted(c.name)})" for c in table.columns
    ]
    found = session.execute(f"SELECT {', '.join(['count(*)', *parts])} FROM {table.sql}")  # noqa: S608
    total, *figures = found.rows[0]
    pairs = zip(figures[::2], figures[1::2], strict=True)
    return int(total), [
        ColumnFigures(filled / total if total else None, int(distinct))
        for filled, distinct in pairs
    ]


def first_rows(
    session: Session, table: StoredTable, limit: int, hidden: Sequence[str]
) -> list[dict[str, Any]]:
    """Some rows; the values of `hidden` columns never leave the engine."""
    shown = [
        f"'***' AS {_quoted(c.name)}" if c.name in hidden else _quoted(c.name)
        for c in table.columns
    ]
    found = session.execute(f"SELECT {', '.join(shown)} FROM {table.sql} LIMIT {limit}")  # noqa: S608
    return [dict(zip(found.columns, row, strict=True)) for row in found.rows]


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
