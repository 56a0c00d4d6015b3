"""Rows of a query on the terminal: as a table, as JSON, or as CSV."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import click

from dli.cli.output import emit_json, emit_table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["emit_rows", "plain"]


def emit_rows(columns: Sequence[str], rows: Sequence[Mapping[str, Any]], format: str) -> None:
    """`format` is table, json (a list of objects) or csv (RFC 4180, with a header)."""
    if format == "json":
        emit_json([plain(dict(row)) for row in rows])
    elif format == "csv":
        _emit_csv(columns, rows)
    elif columns:
        emit_table(columns, [[_cell(row[name]) for name in columns] for row in rows])


def plain(value: Any) -> Any:
    """The value as JSON has it: numbers stay numbers, what has no number is null, days are text."""
    from decimal import Decimal

    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, Decimal):
        is_whole = value.is_finite() and value == value.to_integral_value()
        return int(value) if is_whole else plain(float(value))
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, bytes | bytearray):
        return value.hex()
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


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

        return json.dumps(plain(value), ensure_ascii=False)
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
