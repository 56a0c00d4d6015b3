"""Declared parameters and the values given for them, strictly typed; all values fit into JSON."""

import re
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from dli.exceptions import DLIValidationError, ErrorCode
from dli.models.spec import ParameterType, QueryParameter
from dli.specs.parameter_text import guess

__all__ = [
    "BUILTIN_VARIABLES",
    "bind",
    "coerce",
    "parse_text",
    "requested_date",
    "samples",
    "unfillable",
]

BUILTIN_VARIABLES = frozenset(
    {
        "ds",
        "ds_nodash",
        "execution_date",
        "yesterday_ds",
        "tomorrow_ds",
        "week_start_ds",
        "month_start_ds",
        "year",
        "month",
        "day",
        "logical_date",
        "data_interval_start",
        "data_interval_end",
        "run_id",
    }
)
_DATE_NAMES = ("ds", "execution_date")

_SAMPLES: dict[ParameterType, Any] = {
    ParameterType.STRING: "x",
    ParameterType.INTEGER: 1,
    ParameterType.FLOAT: 1.0,
    ParameterType.DATE: "2025-01-01",
    ParameterType.BOOLEAN: True,
    ParameterType.LIST: ["x"],
}

_INTEGER = re.compile(r"[-+]?[0-9]{1,1000}")
_FLOAT = re.compile(r"[-+]?[0-9]{1,1000}(?:\.[0-9]{1,1000})?(?:[eE][-+]?[0-9]{1,3})?")
_MAX_FLOAT = sys.float_info.max
_DATE = re.compile(r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})")
_BOOLEANS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


def bind(
    declared: Sequence[QueryParameter],
    given: Mapping[str, Any],
    builtin: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """A value for every declared parameter: given, else the built-in of its name, else its default.

    An optional parameter without any of these is None. `ds` and `execution_date` may always be
    given; they set the logical date, see `requested_date`. Without `builtin` the values of the
    built-in variables are not known yet: a check of what was given, before the run has a date.

    Raises: DLIValidationError DLI-204 that lists every parameter undeclared, missing or mistyped.
    """
    names = {parameter.name for parameter in declared}
    errors = []
    if not names.union(_DATE_NAMES).issuperset(given):
        # The name given is not repeated: it may be anything, the declared ones are known.
        errors.append(f"undeclared parameter; declared: {', '.join(sorted(names)) or 'none'}")
    values: dict[str, Any] = {}
    if builtin is None:
        declared = [p for p in declared if p.name in given or p.name not in BUILTIN_VARIABLES]
    for parameter in declared:
        try:
            values[parameter.name] = _value(parameter, given, builtin or {})
        except ValueError as error:
            errors.append(f"parameter '{parameter.name}' {error}")
    if errors:
        raise _refused("; ".join(errors), errors)
    return values


def _value(parameter: QueryParameter, given: Mapping[str, Any], builtin: Mapping[str, Any]) -> Any:
    for value in (given.get(parameter.name), builtin.get(parameter.name), parameter.default):
        if value is not None:
            return coerce(parameter.type, value)
    if parameter.required:
        raise ValueError("is required")
    return None


def parse_text(declared: Sequence[QueryParameter], texts: Mapping[str, str]) -> dict[str, Any]:
    """Values typed in a shell, read as the declared type, or guessed where none is declared.

    Raises: DLIValidationError DLI-204.
    """
    types = {parameter.name: parameter.type for parameter in declared}
    types.update(dict.fromkeys(_DATE_NAMES, ParameterType.DATE))
    values = {}
    for name, text in texts.items():
        try:
            values[name] = coerce(types[name], text) if name in types else guess(text)
        except ValueError as error:
            raise _refused(f"parameter '{name}' {error}") from None
    return values


def requested_date(given: Mapping[str, Any]) -> date | None:
    """The logical date that `ds` or `execution_date` ask for.

    Raises: DLIValidationError DLI-204 when it is no date, or the two differ.
    """
    dates = set()
    for name in _DATE_NAMES:
        if given.get(name) is not None:
            try:
                dates.add(_date(given[name]))
            except ValueError as error:
                raise _refused(f"parameter '{name}' {error}") from None
    if len(dates) > 1:
        raise _refused("parameters 'ds' and 'execution_date' differ; they mean the same")
    return date.fromisoformat(dates.pop()) if dates else None


def unfillable(declared: Sequence[QueryParameter]) -> list[str]:
    """Names of the parameters that a scheduled run, where nobody gives values, would miss."""
    return [
        parameter.name
        for parameter in declared
        if parameter.required
        and parameter.default is None
        and parameter.name not in BUILTIN_VARIABLES
    ]


def samples(declared: Sequence[QueryParameter]) -> dict[str, Any]:
    """A value that fits for each parameter that would be missed: for checks that run nothing."""
    missing = set(unfillable(declared))
    return {p.name: _SAMPLES[p.type] for p in declared if p.name in missing}


def coerce(kind: ParameterType, value: Any) -> Any:
    """The value in the type's own form; texts are read as the type, dates become `YYYY-MM-DD`.

    Raises: ValueError that says what is needed, without repeating the value.
    """
    return _READERS[kind](value)


def _string(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(value)
    if isinstance(value, date):
        return value.isoformat()
    raise ValueError("must be text")


def _integer(value: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and _INTEGER.fullmatch(value):
        return int(value)
    raise ValueError("must be an integer")


def _float(value: Any) -> float:
    if isinstance(value, str) and _FLOAT.fullmatch(value):
        value = float(value)
    if (
        isinstance(value, bool)
        or not isinstance(value, int | float)
        or not abs(value) <= _MAX_FLOAT
    ):
        raise ValueError("must be a number")
    return float(value)


def _date(value: Any) -> str:
    if isinstance(value, datetime):
        value = value.date()
    if isinstance(value, date):
        return value.isoformat()
    match = _DATE.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError("must be a date, YYYY-MM-DD")
    try:
        return date(*map(int, match.groups())).isoformat()
    except ValueError:
        raise ValueError("must be a day that exists, YYYY-MM-DD") from None


def _boolean(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str | int) and (word := str(value).lower()) in _BOOLEANS:
        return _BOOLEANS[word]
    raise ValueError("must be true or false")


def _list(value: Any) -> list[Any]:
    if isinstance(value, str):
        return value.split(",") if value else []
    if isinstance(value, list | tuple) and all(
        isinstance(item, str | int | float) for item in value
    ):
        return list(value)
    raise ValueError("must be a list of texts or numbers")


_READERS: dict[ParameterType, Callable[[Any], Any]] = {
    ParameterType.STRING: _string,
    ParameterType.INTEGER: _integer,
    ParameterType.FLOAT: _float,
    ParameterType.DATE: _date,
    ParameterType.BOOLEAN: _boolean,
    ParameterType.LIST: _list,
}


def _refused(message: str, errors: Sequence[str] = ()) -> DLIValidationError:
    return DLIValidationError(
        message, code=ErrorCode.PARAMETER_INVALID, errors=list(errors or [message])
    )
