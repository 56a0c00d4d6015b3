"""What the validation of a request found, told without repeating what was sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from basecamp.errors import RequestRefusedError
from dli.exceptions import ErrorCode

if TYPE_CHECKING:
    from collections.abc import Sequence

_VALUE_ERRORS = {
    "greater_than_equal": "is too small",
    "less_than_equal": "is too large",
    "string_too_short": "is too short",
    "string_too_long": "is too long",
    "too_long": "has too many items",
    "too_short": "has too few items",
    "literal_error": "is none of the words allowed",
    "enum": "is none of the words allowed",
    "date_form": "must have the form YYYY-MM-DD",
    "instant_form": "must be an RFC 3339 time with zone",
}
"""A value of the right type that is out of range (422, DLI-204); all else is malformed (400)."""

_FORM_ERRORS = {"missing": "is missing", "extra_forbidden": "names an unknown field"}
_WRONG_TYPE = "has the wrong type"
_PLACES = ("body", "query", "header", "path")


def refusal_of(errors: Sequence[Any]) -> RequestRefusedError:
    """One refusal for all findings."""
    pointers = [(_pointer(error), _message(error["type"])) for error in errors]
    text = "; ".join(sorted({f"{pointer or 'the request'} {why}" for pointer, why in pointers}))
    if all(error["type"] in _VALUE_ERRORS for error in errors):
        return RequestRefusedError(
            f"Refused: {text}.", status=422, code=ErrorCode.PARAMETER_INVALID, pointers=pointers
        )
    return RequestRefusedError(f"Refused: {text}.", pointers=pointers)


def _message(kind: str) -> str:
    return _VALUE_ERRORS.get(kind) or _FORM_ERRORS.get(kind, _WRONG_TYPE)


def _pointer(error: Any) -> str:
    """A JSON pointer to the field; names that the caller invented are left out."""
    path = [part for part in error["loc"] if part not in _PLACES]
    if error["type"] == "extra_forbidden":
        path = path[:-1]
    return "".join(f"/{part}" for part in path)
