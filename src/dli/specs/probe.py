"""Stand-ins for a caller's values, to see whether the values change the structure of SQL."""

import re
from collections.abc import Mapping
from typing import Any

__all__ = ["PROBE", "probes_for"]

PROBE = "dliprobe"

# Numbers, names, days and instants change nothing wherever they are printed.
_HARMLESS = re.compile(
    r"[0-9]+(?:\.[0-9]+)?"
    r"|[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*"
    r"|[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[ T][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?"
    r"(?:Z|[+-][0-9]{2}:?[0-9]{2})?)?",
    re.ASCII,
)
_AFTER_MINUS = re.compile(r"-\s*\{\{")


def probes_for(values: Mapping[str, Any], template: str) -> dict[str, Any]:
    """Harmless values for those of `values` that could do harm in this template."""
    # A negative number makes a comment of the rest of the line when a minus stands before it.
    has_trap = any(_is_negative(value) for value in values.values()) and bool(
        _AFTER_MINUS.search(template)
    )
    probes = {name: _probe(value, has_trap) for name, value in values.items()}
    return {name: probe for name, probe in probes.items() if probe != values[name]}


def _probe(value: Any, has_trap: bool) -> Any:
    if isinstance(value, list):
        return [_probe(item, has_trap) for item in value]
    if isinstance(value, str):
        return value if not value or _HARMLESS.fullmatch(value) else PROBE
    return -value if has_trap and _is_negative(value) else value


def _is_negative(value: Any) -> bool:
    return isinstance(value, int | float) and value < 0
