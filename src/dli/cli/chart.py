"""A bar chart of rows, drawn with letters."""

from __future__ import annotations

from numbers import Number
from typing import TYPE_CHECKING, Any

from dli.cli.output import clean

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["bars"]

_WIDTH = 40
_EIGHTHS = " ▏▎▍▌▋▊▉"


def bars(columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """One line per row: all columns but the last, a bar, and the last column as a number."""
    if not rows:
        return []
    *labels, measure = columns
    names = [" ".join(clean(row[label]) for label in labels) for row in rows]
    values = [_number(row[measure]) for row in rows]
    largest = max((abs(value) for value in values if value is not None), default=0.0)
    width = max(map(len, names))
    lines = [measure]
    for name, value, row in zip(names, values, rows, strict=True):
        bar = "" if value is None or not largest else _bar(abs(value) / largest)
        number = "-" if row[measure] is None else clean(row[measure])
        lines.append(f"{name:<{width}}  {bar:<{_WIDTH}}  {number}")
    return lines


def _bar(share: float) -> str:
    eighths = round(share * _WIDTH * 8)
    return "█" * (eighths // 8) + _EIGHTHS[eighths % 8].strip()


def _number(value: object) -> float | None:
    return float(str(value)) if isinstance(value, Number) else None
