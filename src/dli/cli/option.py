"""Options that several commands share, and how their text is read."""

from __future__ import annotations

import re
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dli.cli.errors import suggestion
from dli.exceptions import DLIError, DLIValidationError, ErrorCode, WorkflowRegistrationError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

__all__ = [
    "check_schedule",
    "format_option",
    "limit_option",
    "named_parameters",
    "param_option",
    "path_option",
    "read_date",
    "read_sql",
    "refused",
    "split_pairs",
]

_UNDECLARED = re.compile(r"undeclared parameter; declared: ([^;]*)")
_ALWAYS_DECLARED = ("ds", "execution_date")
_DATE = re.compile(r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})")


def path_option(*names: str) -> Callable[[Any], Any]:
    return click.option(
        "--path",
        *names,
        type=click.Path(path_type=Path),
        help="Where to look for the project; default: DLI_HOME, else the working directory.",
    )


def format_option(*names: str) -> Callable[[Any], Any]:
    return click.option(
        "--format",
        *names,
        "format",
        type=click.Choice(["table", "json"]),
        default="table",
        show_default=True,
        help="Form of the result.",
    )


def limit_option(default: int) -> Callable[[Any], Any]:
    return click.option(
        "--limit",
        "-n",
        type=click.IntRange(min=1),
        default=default,
        show_default=True,
        help="At most this many.",
    )


def param_option() -> Callable[[Any], Any]:
    return click.option(
        "--param",
        "-p",
        "params",
        multiple=True,
        metavar="KEY=VALUE",
        help="Parameter of the spec; repeatable.",
    )


def split_pairs(texts: Iterable[str]) -> dict[str, str]:
    """`key=value` texts as a dict; the last one of a key counts."""
    pairs: dict[str, str] = {}
    for text in texts:
        key, separator, value = text.partition("=")
        if not separator or not key.strip():
            raise refused(f"'{text}' is not a parameter", "Write -p key=value.")
        pairs[key.strip()] = value
    return pairs


@contextmanager
def named_parameters(given: Iterable[str]) -> Iterator[None]:
    """Name the parameter that was not declared: the refusal repeats nothing that it was sent."""
    try:
        yield
    except DLIError as error:
        told = _UNDECLARED.search(error.message)
        if told is not None:
            known = {*told[1].split(", "), *_ALWAYS_DECLARED} - {"none"}
            for name in [name for name in given if name not in known]:
                error.add_note(f"'{name}' is not declared.{suggestion(name, known)}")
        raise


def read_date(text: str) -> date:
    """`YYYY-MM-DD`, also with one-digit month and day."""
    found = _DATE.fullmatch(text.strip())
    if found:
        try:
            return date(*map(int, found.groups()))
        except ValueError:
            pass
    raise refused(f"'{text}' is not a date", "Write YYYY-MM-DD.")


def read_sql(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise refused(f"{file} is not UTF-8 text", "Save it as UTF-8.") from None


def check_schedule(cron: str, timezone: str) -> None:
    """Raises: WorkflowRegistrationError (805), with the zones that come close."""
    from dli.specs import schedule

    try:
        schedule.check_schedule(cron, timezone)
    except WorkflowRegistrationError as error:
        from zoneinfo import available_timezones

        zones = available_timezones()
        if timezone not in zones and (hint := suggestion(timezone, zones)):
            error.add_note(hint.strip())
        raise


def refused(message: str, next_step: str) -> DLIValidationError:
    """An argument that cannot be used (DLI-204)."""
    error = DLIValidationError(message, ErrorCode.PARAMETER_INVALID)
    error.add_note(next_step)
    return error
