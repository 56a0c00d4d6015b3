"""The grammar of dataset and metric names."""

import re

__all__ = ["MAX_NAME_LENGTH", "NAME_RULE", "is_name"]

MAX_NAME_LENGTH = 200
NAME_RULE = (
    "a name is made of parts joined by '.', each of ASCII letters, digits, '_' and '-' "
    f"(not first), at most {MAX_NAME_LENGTH} characters"
)

_PART = r"[A-Za-z0-9_][A-Za-z0-9_-]*"
_NAME = re.compile(rf"{_PART}(?:\.{_PART})*")


def is_name(text: str) -> bool:
    """Whether the whole text is a name; it may have one part only."""
    return len(text) <= MAX_NAME_LENGTH and _NAME.fullmatch(text) is not None
