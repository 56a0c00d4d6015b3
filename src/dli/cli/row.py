"""Rows of a query on the terminal: as a table, as JSON, or as CSV."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from dli.cli.output import emit_json, emit_table
from dli.models.cell import json_value

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["emit_rows"]


def emit_rows(columns: Sequence[str], rows: Sequence[Mapping[str, Any]], format: str) -> None:
    """`format` is table, json (a list of objects) or csv (RFC 4180, with a header)."""
    if format == "json":
        emit_json([json_value(dict(row)) for row in rows])
    elif format == "csv":
        _emit_csv(columns, rows)
    elif columns:
        emit_table(columns, [[_cell(row[name]) for name in columns] for row in rows])


def _emit_csv(columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> None:
    import csv
    import io

    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(columns)
    writer.writerows([_cell(row[name], null="") for name in columns] for row in rows)
    click.echo(text.getvalue().encode(), nl=False)


def _cell(value: Any, *, null: str = "-") -> str:
    if value is None:
        return null
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict | list | tuple | bytes):
        import json

        return json.dumps(json_value(value), ensure_ascii=False)
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
