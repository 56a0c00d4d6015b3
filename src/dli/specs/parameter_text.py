"""Reading a parameter's text where no declaration says its type; free of heavy imports."""

from __future__ import annotations

import re

__all__ = ["guess"]

_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]*)")
_FLOAT = re.compile(r"-?(?:0|[1-9][0-9]*)\.[0-9]+")
_DIGITS_LIMIT = 300
"""Longer ones do not fit a float."""


def guess(text: str) -> bool | int | float | str | list[str]:
    """`true`/`false`, numbers without a leading zero, lists by comma; anything else stays text."""
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    if len(text) <= _DIGITS_LIMIT and _INTEGER.fullmatch(text):
        return int(text)
    if len(text) <= _DIGITS_LIMIT and _FLOAT.fullmatch(text):
        return float(text)
    if "," in text:
        return text.split(",")
    return text
