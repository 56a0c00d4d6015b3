"""What reaches the terminal: results on stdout, notes on stderr, foreign text made harmless."""

from __future__ import annotations

import os
import re
import sys
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = ["clean", "emit", "emit_fields", "emit_json", "emit_table", "note"]

_ESCAPES = re.compile(
    r"\x1b(?:\][^\x07\x1b]*(?:\x07|\x1b\\)?"  # title and link sequences, with their text
    r"|[PX^_][^\x1b]*(?:\x1b\\)?"
    r"|\[[0-?]*[ -/]*[@-~]?"
    r"|[ -/]*[0-~]?)"
)
# Control characters, direction marks and lone surrogates: what can falsify the text beside it.
_UNSAFE = "\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff"
_CONTROLS = re.compile(f"[{_UNSAFE}]+")
_UNSAFE_IN_JSON = re.compile(f"[{_UNSAFE.removeprefix(chr(0) + '-' + chr(0x1F))}]")

_COLOURS = {
    "COMPLETED": "green",
    "RUNNING": "cyan",
    "FAILED": "red",
    "KILLED": "yellow",
    "active": "green",
    "paused": "yellow",
    "ok": "green",
    "pass": "green",
    "warn": "yellow",
    "fail": "red",
    "error": "red",
}


def clean(value: object) -> str:
    """The value as one line without escape sequences and invisible characters."""
    return _CONTROLS.sub(" ", _ESCAPES.sub("", str(value))).rstrip()


def emit(text: str) -> None:
    """A result, line by line."""
    click.echo("\n".join(clean(line) for line in text.splitlines()))


def note(text: str) -> None:
    """A message beside the result."""
    click.echo(clean(text), err=True)


def emit_json(value: Any) -> None:
    import json

    text = json.dumps(value, indent=2, ensure_ascii=False, default=str)
    click.echo(_UNSAFE_IN_JSON.sub(lambda found: f"\\u{ord(found[0]):04x}", text))


def emit_table(headers: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Columns as wide as their longest cell; nothing is cut."""
    cells = [["-" if cell in (None, "") else clean(cell) for cell in row] for row in rows]
    widths = [max(map(_width, column)) for column in zip(headers, *cells, strict=True)]
    lines = [_line(headers, widths)]
    lines += [_line(row, widths, colour=_has_colour()) for row in cells]
    click.echo("\n".join(lines))


def emit_fields(fields: Mapping[str, object]) -> None:
    """One `name  value` line per field."""
    width = max(map(len, fields), default=0)
    colour = _has_colour()
    for name, value in fields.items():
        text = "-" if value in (None, "") else clean(value)
        click.echo(f"{name:<{width}}  {_painted(text, text) if colour else text}")


def _line(cells: Sequence[str], widths: Sequence[int], *, colour: bool = False) -> str:
    padded = [
        (_painted(cell, cell) if colour else cell) + " " * (width - _width(cell))
        for cell, width in zip(cells, widths, strict=True)
    ]
    return "  ".join(padded).rstrip()


def _width(text: str) -> int:
    if text.isascii():
        return len(text)
    from unicodedata import combining, east_asian_width

    return sum(0 if combining(c) else 2 if east_asian_width(c) in "WF" else 1 for c in text)


def _painted(text: str, word: str) -> str:
    colour = _COLOURS.get(word)
    return click.style(text, fg=colour) if colour else text


def _has_colour() -> bool:
    return (
        sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    )
