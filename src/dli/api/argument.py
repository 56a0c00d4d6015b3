"""Checks of arguments that hold in every mode and come before any I/O; each raises DLI-204."""

from __future__ import annotations

import re
from datetime import date
from enum import Enum
from typing import TypeVar

from dli.exceptions import DLIValidationError, ErrorCode

__all__ = ["check_date_range", "check_list_source", "check_minimum", "check_text", "member"]

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_Member = TypeVar("_Member", bound=Enum)


def check_text(**arguments: object) -> None:
    """Every argument is a text that is not blank."""
    for name, value in arguments.items():
        if not isinstance(value, str) or not value.strip():
            raise _refusal(f"{name} must not be empty")


def check_minimum(minimum: int, **arguments: object) -> None:
    """Every argument is a whole number of at least `minimum`."""
    for name, value in arguments.items():
        if isinstance(value, bool) or not isinstance(value, int) or value < minimum:
            raise _refusal(f"{name} must be a whole number, at least {minimum}")


def check_date_range(start_date: object, end_date: object) -> int:
    """Both are `YYYY-MM-DD` and in order; returns how many days they span, both included."""
    first, last = _day("start_date", start_date), _day("end_date", end_date)
    if last < first:
        raise _refusal("end_date must not be before start_date")
    return (last - first).days + 1


def member(kind: type[_Member], value: _Member | str | None, name: str) -> _Member | None:
    """The member of an enum that an argument names; `None` stays `None`."""
    if value is None:
        return None
    try:
        return kind(value)
    except ValueError:
        known = ", ".join(str(one.value) for one in kind)
        raise _refusal(f"{name} must be one of {known}") from None


def check_list_source(source: object, path: object) -> None:
    """A list comes from the project's files or from the server, and only files have a path."""
    if source not in ("local", "server"):
        raise _refusal("source must be local or server")
    if source == "server" and path is not None:
        raise _refusal("path goes with local files, not with source='server'")


def _day(name: str, value: object) -> date:
    try:
        # fromisoformat alone also takes forms without hyphens, and weeks.
        if isinstance(value, str) and _DATE.fullmatch(value):
            return date.fromisoformat(value)
    except ValueError:
        pass
    raise _refusal(f"{name} must be a date of the form YYYY-MM-DD")


def _refusal(message: str) -> DLIValidationError:
    return DLIValidationError(message, ErrorCode.PARAMETER_INVALID)
