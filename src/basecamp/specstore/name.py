"""Names of datasets that a server keeps; what is none never becomes a path."""

from __future__ import annotations

from dli.exceptions import DLIValidationError, ErrorCode
from dli.specs.name import MAX_NAME_LENGTH
from dli.specs.name import is_name as is_local_name


def is_name(text: str) -> bool:
    """Whether a server may register a dataset of this name: two or more parts."""
    return "." in text and is_local_name(text)


def check_name(text: str) -> None:
    """Refuse what is no name (DLI-203); the message does not repeat it."""
    if not is_name(text):
        raise DLIValidationError(
            "A dataset name has two or more parts of ASCII letters, digits, _ and -, joined by "
            f"dots, and at most {MAX_NAME_LENGTH} characters.",
            code=ErrorCode.SPEC_INVALID,
        )
