"""Answers of the server as data, or as the error that they tell of; workflows have their own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dli.exceptions import ErrorCode, ServerError

if TYPE_CHECKING:
    from dli.client.response import Record, ServerResponse

__all__ = ["record_of", "records_of", "refusal_of", "unreadable"]


def record_of(answer: ServerResponse) -> Record:
    """The one record of an answer. Raises: ServerError."""
    if not answer.success:
        raise refusal_of(answer)
    if not isinstance(answer.data, dict):
        raise unreadable(answer)
    return answer.data


def records_of(answer: ServerResponse) -> list[Record]:
    """The list of an answer. Raises: ServerError."""
    if not answer.success:
        raise refusal_of(answer)
    if not isinstance(answer.data, list):
        raise unreadable(answer)
    return answer.data


def refusal_of(answer: ServerResponse) -> ServerError:
    """Why the server did not do it, with its code."""
    details: dict[str, Any] = dict(answer.details or {})
    try:
        code = ErrorCode(answer.code or ErrorCode.SERVER_ERROR)
    except ValueError:
        code = ErrorCode.SERVER_ERROR
    message = answer.error or "The server refused"
    return ServerError(message, code, details, status_code=answer.status_code)


def unreadable(answer: ServerResponse) -> ServerError:
    """For an answer that says "done" but is not what was asked for."""
    return ServerError("The server's answer cannot be read", status_code=answer.status_code)
