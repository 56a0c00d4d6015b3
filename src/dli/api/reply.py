"""Answers of the server as data, or as the error that they tell of; workflows have their own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dli.exceptions import (
    DatasetNotFoundError,
    DLIError,
    DLIValidationError,
    ErrorCode,
    ExecutionError,
    MetricNotFoundError,
    QualityNotFoundError,
    QualitySpecParseError,
    QualityTargetNotFoundError,
    QualityTestExecutionError,
    ServerError,
    TranspileError,
)

if TYPE_CHECKING:
    from dli.client.response import Record, ServerResponse

__all__ = ["error_of", "record_of", "records_of", "refusal_of", "unreadable"]

_AT_SERVER = ["the server"]
_KINDS: dict[str, type[DLIError]] = {
    "DLI-2": DLIValidationError,
    "DLI-3": TranspileError,
    "DLI-4": ExecutionError,
    "DLI-602": QualitySpecParseError,
    "DLI-604": QualityTestExecutionError,
}
"""What the same mistake raises where no server is asked, by the start of the code."""


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


def error_of(answer: ServerResponse, *, name: str = "") -> DLIError:
    """Why the server could not do what was asked about `name`, as LOCAL mode would tell it."""
    refusal = refusal_of(answer)
    message, code = refusal.message, refusal.code
    match code:
        case ErrorCode.DATASET_NOT_FOUND:
            return DatasetNotFoundError(message, name=name, searched_paths=_AT_SERVER)
        case ErrorCode.METRIC_NOT_FOUND:
            return MetricNotFoundError(message, name=name, searched_paths=_AT_SERVER)
        case ErrorCode.QUALITY_TARGET_NOT_FOUND:
            return QualityTargetNotFoundError(message, target_urn=name)
        case ErrorCode.QUALITY_NOT_FOUND:
            return QualityNotFoundError(message, name=name)
    kinds = (kind for start, kind in _KINDS.items() if code.value.startswith(start))
    kind = next(kinds, None)
    return refusal if kind is None else kind(message, code, refusal.details)


def unreadable(answer: ServerResponse) -> ServerError:
    """For an answer that says "done" but is not what was asked for."""
    return ServerError("The server's answer cannot be read", status_code=answer.status_code)
