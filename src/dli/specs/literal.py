"""Values written as literals and names of a SQL dialect, never pasted as text."""

from dataclasses import dataclass
from typing import Any

from dli.models.spec import ParameterType
from dli.specs.parameter import coerce

__all__ = ["Writer", "iso_day", "printed"]

_BACKSLASH_ESCAPES = frozenset({"bigquery", "spark", "snowflake"})
_BACKSLASH_QUOTES = frozenset({"bigquery", "spark"})


@dataclass(frozen=True, slots=True)
class Writer:
    """The `sql_…` filters in one dialect."""

    dialect: str

    def string(self, value: Any) -> str:
        """The value as a string literal; None is NULL."""
        if value is None:
            return "NULL"
        text = str(printed(value))
        if self.dialect in _BACKSLASH_ESCAPES:
            text = text.replace("\\", "\\\\")
        quote = "\\'" if self.dialect in _BACKSLASH_QUOTES else "''"
        return "'" + text.replace("'", quote) + "'"

    def list(self, value: Any) -> str:
        """The values as `(1, 'a')` for IN; an empty list is `(NULL)`, which contains nothing."""
        items = [value] if isinstance(value, str) else list(value or ())
        return f"({', '.join(map(self._item, items)) or 'NULL'})"

    def _item(self, value: Any) -> str:
        return str(printed(value)) if isinstance(value, int | float) else self.string(value)

    def identifier(self, value: Any) -> str:
        """The value as one quoted name."""
        quote = "`" if self.dialect in _BACKSLASH_QUOTES else '"'
        return quote + str(printed(value)).replace(quote, quote * 2) + quote

    def date(self, value: Any) -> str:
        """The value as a date literal; None is NULL."""
        return "NULL" if value is None else f"DATE '{iso_day('sql_date', value)}'"


def printed(value: Any) -> Any:
    """What `{{ }}` prints: SQL has no Python words, and None is always a mistake.

    Raises: ValueError, TypeError.
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        raise ValueError("a value is None; give a default, or write it with sql_string")
    if isinstance(value, list | tuple | dict):
        raise TypeError("a list cannot be printed; write it with sql_list, or loop over it")
    return value


def iso_day(caller: str, value: Any) -> str:
    """The day as `YYYY-MM-DD`.

    Raises: ValueError that begins with the caller's name.
    """
    try:
        return str(coerce(ParameterType.DATE, value))
    except ValueError as error:
        raise ValueError(f"{caller}: the date {error}") from None
