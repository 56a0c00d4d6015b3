"""The grammar of dataset names; what does not match never becomes a path."""

from __future__ import annotations

import re

from dli.exceptions import DLIValidationError, ErrorCode

NAME_MAX = 200
NAME_PATTERN = r"[A-Za-z0-9_][A-Za-z0-9_-]*(\.[A-Za-z0-9_][A-Za-z0-9_-]*)+"
"""Two or more parts: what a server registers."""

_NAME = re.compile(NAME_PATTERN, re.ASCII)


def is_name(text: str) -> bool:
    """Whether a server may register a dataset of this name."""
    return len(text) <= NAME_MAX and _NAME.fullmatch(text) is not None


def check_name(text: str) -> None:
    """Refuse what is no name (DLI-203); the message does not repeat it."""
    if not is_name(text):
        raise DLIValidationError(
            "A dataset name has two or more parts of ASCII letters, digits, _ and -, joined by "
            f"dots, and at most {NAME_MAX} characters.",
            code=ErrorCode.SPEC_INVALID,
        )
