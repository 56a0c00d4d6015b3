"""SQL templates: variables, functions and filters, rendered in a sandbox with limits."""

import os
import re
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache
from typing import Any

from minijinja import Environment, TemplateError

from dli.specs.literal import Writer, iso_day, printed
from dli.specs.origin import Origin
from dli.specs.refusal import refused
from dli.specs.schedule import Interval
from dli.specs.zone import start_of_day

__all__ = ["RenderContext", "builtin_values", "render"]

FUEL = 100_000  # steps of one render; a template of a thousand lines takes a few thousand

_TEMPLATE = Origin("template")
_DAY = timedelta(days=1)
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True, slots=True)
class RenderContext:
    """What a run knows; without an interval it covers the whole logical date in its zone.

    `allowed_env` is what `env_var()` reads, None all of the process. `known_names` are the specs
    that `ref()` resolves.
    """

    logical_date: date
    timezone: str = "UTC"
    interval: Interval | None = None
    run_id: str | None = None
    variables: Mapping[str, Any] = field(default_factory=dict)
    allowed_env: Mapping[str, str] | None = None
    known_names: Container[str] = ()


def render(
    text: str,
    context: RenderContext,
    parameters: Mapping[str, Any] | None = None,
    *,
    dialect: str = "trino",
    keep_lines: bool = False,
    origin: Origin = _TEMPLATE,
) -> str:
    """The text with everything filled in; `parameters` come on top of what every template knows.

    The filters `sql_…` write literals and names of the `dialect`. With `keep_lines` blocks leave
    empty lines, so that lines of text and result are the same outside of loops.

    Raises: DLIValidationError DLI-203 with the line.
    """
    functions = _functions(context, Writer(dialect))
    values = {**builtin_values(context), **functions, **(parameters or {})}
    try:
        return _environment(dialect, keep_lines=keep_lines).render_str(text, **values)
    except TemplateError as error:
        line, reason = error.line or 1, error.detail or str(error).partition(" (in ")[0]
    except (TypeError, ValueError, OverflowError) as error:
        # Raised by a function or filter, which is named first and knows no line.
        reason = str(error)
        line = _line_with(reason.partition(":")[0].partition("(")[0], text)
    raise refused(f"{origin.at(line)}: template: {reason[:200]}")


def _line_with(word: str, text: str) -> int:
    lines = text.splitlines()
    return next((number for number, line in enumerate(lines, 1) if word in line), 1)


def builtin_values(context: RenderContext) -> dict[str, Any]:
    """The variables of every template; days are texts, instants are aware and in UTC."""
    day = context.logical_date
    interval = context.interval or Interval(
        start_of_day(day, context.timezone), start_of_day(day + _DAY, context.timezone)
    )
    return {
        "ds": day.isoformat(),
        "ds_nodash": day.isoformat().replace("-", ""),
        "execution_date": day.isoformat(),
        "yesterday_ds": (day - _DAY).isoformat(),
        "tomorrow_ds": (day + _DAY).isoformat(),
        "week_start_ds": (day - day.weekday() * _DAY).isoformat(),
        "month_start_ds": day.replace(day=1).isoformat(),
        "year": f"{day.year:04}",
        "month": f"{day.month:02}",
        "day": f"{day.day:02}",
        "logical_date": interval.start,
        "data_interval_start": interval.start,
        "data_interval_end": interval.end,
        "run_id": context.run_id or "",
    }


def _functions(context: RenderContext, writer: Writer) -> dict[str, Callable[..., Any]]:
    def var(name: str, default: Any = None) -> Any:
        return context.variables.get(name, default)

    def env_var(name: str, default: str = "") -> str:
        readable = os.environ if context.allowed_env is None else context.allowed_env
        return readable.get(name, default)

    def ref(name: str) -> str:
        return _table_name(name, writer) if name in context.known_names else name

    return {
        "var": var,
        "env_var": env_var,
        "ref": ref,
        "source": lambda schema, table: f"{schema}.{table}",
        "date_add": lambda day, days: _shifted("date_add", day, days),
        "date_sub": lambda day, days: _shifted("date_sub", day, -days),
    }


def _table_name(name: str, writer: Writer) -> str:
    """The name with those parts quoted that SQL would not read as names."""
    return ".".join(
        part if _IDENTIFIER.fullmatch(part) else writer.identifier(part) for part in name.split(".")
    )


def _shifted(caller: str, day: Any, days: int) -> str:
    return (date.fromisoformat(iso_day(caller, day)) + days * _DAY).isoformat()


@cache
def _environment(dialect: str, *, keep_lines: bool) -> Environment:
    writer = Writer(dialect)
    environment = Environment(
        undefined_behavior="strict",
        trim_blocks=not keep_lines,
        lstrip_blocks=not keep_lines,
        auto_escape_callback=lambda _name: False,
        finalizer=printed,
        fuel=FUEL,
        filters={
            "sql_string": writer.string,
            "sql_list": writer.list,
            "sql_identifier": writer.identifier,
            "sql_date": writer.date,
            "strip": lambda value: str(value).strip(),
        },
    )
    environment.remove_global("debug")  # prints everything a template knows
    return environment
