"""Whether a caller's values change the structure of SQL, seen by harmless values in their place."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from sqlglot import Expr, exp

from dli.exceptions import DLIValidationError
from dli.specs.sql import parse_script

__all__ = ["probes_for", "same_structure"]

_PROBE = "dliprobe"

# Numbers, names, days and instants change nothing wherever they are printed.
_HARMLESS = re.compile(
    r"[0-9]+(?:\.[0-9]+)?"
    r"|[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*"
    r"|[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[ T][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?"
    r"(?:Z|[+-][0-9]{2}:?[0-9]{2})?)?",
    re.ASCII,
)
_AFTER_MINUS = re.compile(r"-\s*\{\{")
_ESCAPES = frozenset("'\"`\\")


def probes_for(values: Mapping[str, Any], template: str) -> dict[str, Any]:
    """Harmless values for those of `values` that could do harm in this template."""
    # A negative number makes a comment of the rest of the line when a minus stands before it.
    has_trap = any(_is_negative(value) for value in values.values()) and bool(
        _AFTER_MINUS.search(template)
    )
    probes = {name: _probe(value, has_trap=has_trap) for name, value in values.items()}
    return {name: probe for name, probe in probes.items() if probe != values[name]}


def _probe(value: Any, *, has_trap: bool) -> Any:
    if isinstance(value, list):
        return [_probe(item, has_trap=has_trap) for item in value]
    if isinstance(value, str):
        return value if not value or _HARMLESS.fullmatch(value) else _PROBE
    return -value if has_trap and _is_negative(value) else value


def _is_negative(value: Any) -> bool:
    return isinstance(value, int | float) and value < 0


def same_structure(sql: str, probe_sql: str, dialect: str, values: Mapping[str, Any]) -> bool:
    """Whether two texts differ only in literals and names, and there only by `values`.

    The first was rendered with `values`, the second with the probes for them.
    """
    try:
        real, other = parse_script(sql, dialect), parse_script(probe_sql, dialect)
        return _same(list(real), list(other)) and _says(real, values)
    except DLIValidationError:
        return False


def _same(real: object, other: object) -> bool:
    pairs = [(real, other)]  # not by recursion: long conditions make deep trees
    while pairs:
        first, second = pairs.pop()
        if isinstance(first, exp.Neg) and not isinstance(second, exp.Neg):
            first = first.this  # a negative number stands where the probe is a positive one
        if isinstance(first, list) and isinstance(second, list):
            if len(first) != len(second):
                return False
            pairs += zip(first, second, strict=True)
        elif isinstance(first, Expr) and isinstance(second, Expr):
            if type(first) is not type(second):
                return False
            keys = first.args.keys() | second.args.keys()
            pairs += ((first.args.get(key), second.args.get(key)) for key in keys)
        elif not _same_leaf(first, second):
            return False
    return True


def _same_leaf(first: object, second: object) -> bool:
    if isinstance(first, str) and isinstance(second, str):
        return first == second or _PROBE in second.lower()
    return first == second or (not first and not second)


def _says(statements: tuple[Expr, ...], values: Mapping[str, Any]) -> bool:
    """Whether texts with quotes or backslashes came out as they are, not read as an escape."""
    texts = [text for text in _texts(values) if not _ESCAPES.isdisjoint(text)]
    if not texts:
        return True
    said = [
        str(node.this).lower()
        for statement in statements
        for node in statement.find_all(exp.Literal, exp.Identifier)
    ]
    return all(any(text.lower() in part for part in said) for text in texts)


def _texts(values: Mapping[str, Any]) -> Iterator[str]:
    for value in values.values():
        items = value if isinstance(value, list) else [value]
        yield from (item for item in items if isinstance(item, str))
