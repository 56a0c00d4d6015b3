"""What the embedded engine is taught of Trino before it runs anything: functions, and to divide."""

from __future__ import annotations

from typing import Final

__all__ = ["MACROS", "divides_integers", "division"]

_PATTERN_LETTERS: Final = {
    "yyyy": "%Y",
    "yy": "%y",
    "MMMM": "%B",
    "MMM": "%b",
    "MM": "%m",
    "dd": "%d",
    "EEEE": "%A",
    "EEE": "%a",
    "HH": "%H",
    "hh": "%I",
    "mm": "%M",
    "SSS": "%g",
    "ss": "%S",
    "a": "%p",
}


def _pattern(pattern: str) -> str:
    """SQL that turns a pattern of Joda into one of strftime.

    By way of signs that stand in no pattern, for the letters of both overlap.
    """
    for number, letters in enumerate(_PATTERN_LETTERS):
        pattern = f"replace({pattern}, '{letters}', chr({0xE000 + number}))"
    for number, directive in enumerate(_PATTERN_LETTERS.values()):
        pattern = f"replace({pattern}, chr({0xE000 + number}), '{directive}')"
    return pattern


MACROS: Final = (
    "map_agg(k, v) AS map(list(k), list(v))",
    "every(x) AS bool_and(x)",
    "e() AS exp(1)",
    "infinity() AS 'infinity'::DOUBLE",
    "codepoint(x) AS unicode(x)",
    "at_timezone(x, zone) AS timezone(zone, x)",
    "to_iso8601(x) AS strftime(x, '%Y-%m-%dT%H:%M:%S.%g')",
    "url_extract_host(x) AS regexp_extract(x, '^[^:/?#]+://(?:[^/?#@]*@)?([^/?#:]*)', 1)",
    f"format_datetime(x, pattern) AS strftime(x, {_pattern('pattern')})",
)
"""Functions of Trino that are passed on by name; the engine has them in other words."""


def divides_integers(dialect: str) -> bool:
    """Whether `/` between whole numbers gives a whole number."""
    return dialect == "trino"


def division(*, of_integers: bool) -> str:
    """The setting of a session; a new one divides as Trino does."""
    return f"SET SESSION integer_division = {of_integers}"
