"""From an answer of the client to its data, or to the exception of the contract.

API and CLI share it. The class follows the method that was called, the code follows the cause.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from dli.exceptions import (
    DatasetNotFoundError,
    DLIError,
    ErrorCode,
    WorkflowExecutionError,
    WorkflowNotFoundError,
    WorkflowPermissionError,
    WorkflowRegistrationError,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dli.client.response import Record, ServerResponse

__all__ = [
    "Method",
    "check",
    "failure",
    "is_not_found",
    "malformed",
    "next_offset",
    "record",
    "records",
    "total_count",
]

Method = Literal[
    "get",
    "register",
    "unregister",
    "run",
    "backfill",
    "pause",
    "unpause",
    "stop",
    "get_status",
    "list_workflows",
    "history",
    "logs",
    "publish",
]

_Kind = type[WorkflowNotFoundError | WorkflowRegistrationError | WorkflowExecutionError]


@dataclass(frozen=True)
class _Row:
    """Classes and codes of one method for 404, 409 and anything else; 403 is alike in all."""

    kind: _Kind
    code: ErrorCode
    missing: tuple[_Kind, ErrorCode]
    conflict: ErrorCode


_NOT_FOUND = (WorkflowNotFoundError, ErrorCode.WORKFLOW_NOT_FOUND)
_FAILED = ErrorCode.WORKFLOW_EXECUTION_FAILED
_REFUSED = ErrorCode.WORKFLOW_REGISTRATION_FAILED
_KEPT = ErrorCode.WORKFLOW_UNREGISTER_FAILED

_ON_NAME = _Row(WorkflowExecutionError, _FAILED, _NOT_FOUND, _FAILED)
_ON_MANY = _Row(WorkflowExecutionError, _FAILED, (WorkflowExecutionError, _FAILED), _FAILED)
_ON_REGISTER = _Row(
    WorkflowRegistrationError,
    _REFUSED,
    (WorkflowRegistrationError, _REFUSED),
    ErrorCode.WORKFLOW_ALREADY_EXISTS,
)

_TABLE: dict[Method, _Row] = {
    "get": _ON_NAME,
    "register": _ON_REGISTER,
    "publish": _ON_REGISTER,
    "unregister": _Row(WorkflowRegistrationError, _KEPT, _NOT_FOUND, _KEPT),
    "run": _ON_NAME,
    "backfill": _ON_NAME,
    "pause": _ON_NAME,
    "unpause": _ON_NAME,
    "stop": _ON_MANY,
    "get_status": _ON_NAME,
    "logs": _ON_NAME,
    "list_workflows": _ON_MANY,
    "history": _ON_MANY,
}

_CARRIED = frozenset(
    {
        ErrorCode.PARAMETER_INVALID,
        ErrorCode.TIMEOUT,
        ErrorCode.SERVER_UNREACHABLE,
        ErrorCode.SERVER_AUTH_FAILED,
        ErrorCode.SERVER_EXECUTION,
        ErrorCode.WORKFLOW_REGISTRATION_FAILED,
        ErrorCode.WORKFLOW_EXECUTION_FAILED,
        ErrorCode.WORKFLOW_PERMISSION_DENIED,
        ErrorCode.WORKFLOW_ALREADY_EXISTS,
        ErrorCode.WORKFLOW_INVALID_CRON,
        ErrorCode.WORKFLOW_OVERRIDDEN,
        ErrorCode.WORKFLOW_INVALID_STATE,
        ErrorCode.WORKFLOW_UNREGISTER_FAILED,
    }
)


def check(
    response: ServerResponse, method: Method, *, dataset_name: str = "", run_id: str = ""
) -> Any:
    """The data of a successful answer; a failed one raises what `failure` makes of it."""
    if response.success:
        return response.data
    raise failure(response, method, dataset_name=dataset_name, run_id=run_id)


def is_not_found(response: ServerResponse) -> bool:
    """Whether a failed answer says "does not exist" and not "could not be asked"."""
    status = _status(response)
    return status is None or status == 404 or status < 400


def failure(
    response: ServerResponse, method: Method, *, dataset_name: str = "", run_id: str = ""
) -> DLIError:
    """The exception for a failed answer."""
    status, server_code = _status(response), _code(response)
    said = server_code if server_code in _CARRIED else None
    details = _details(response, status)
    text = response.error if isinstance(response.error, str) and response.error else None
    names = _Names(dataset_name, run_id, text or _unexplained(status), details)
    if status == 403 or said is ErrorCode.WORKFLOW_OVERRIDDEN:
        return names.error(WorkflowPermissionError, said or ErrorCode.WORKFLOW_PERMISSION_DENIED)
    row = _TABLE[method]
    if method == "register" and status == 404 and server_code is ErrorCode.DATASET_NOT_FOUND:
        return DatasetNotFoundError(names.text, details=details, name=dataset_name)
    if status == 404:
        kind, code = row.missing
    else:
        kind, code = row.kind, row.conflict if status == 409 else row.code
    return names.error(kind, said or code)


def malformed(
    method: Method, problem: str, *, dataset_name: str = "", run_id: str = ""
) -> DLIError:
    """The exception for an answer that says "done" but cannot be read."""
    names = _Names(dataset_name, run_id, f"The server's answer cannot be read: {problem}", {})
    row = _TABLE[method]
    is_registration = row is _ON_REGISTER
    return (
        names.error(row.kind, row.code)
        if is_registration
        else names.error(WorkflowExecutionError, _FAILED)
    )


def record(data: object, method: Method, *, dataset_name: str = "", run_id: str = "") -> Record:
    """One record, or the exception for an answer without one."""
    if isinstance(data, dict):
        return data
    raise malformed(method, "no record", dataset_name=dataset_name, run_id=run_id)


def records(data: object, method: Method, items: str, *, dataset_name: str = "") -> list[Record]:
    """A list of records, bare or as `items` of an object; anything else is malformed."""
    found = data.get(items) if isinstance(data, dict) else data
    if isinstance(found, list) and all(isinstance(item, dict) for item in found):
        return found
    raise malformed(method, f"no list of {items}", dataset_name=dataset_name)


def total_count(response: ServerResponse) -> int | None:
    """How many matches the server counted, when it said so."""
    return _paging(response, "total_count")


def next_offset(response: ServerResponse) -> int | None:
    """Where the next page of a list starts, when there is one."""
    return _paging(response, "next_offset")


def _paging(response: ServerResponse, name: str) -> int | None:
    for place in (getattr(response, "meta", None), response.data):
        found = place.get(name) if isinstance(place, dict) else None
        if isinstance(found, int) and not isinstance(found, bool):
            return found
    return None


@dataclass(frozen=True)
class _Names:
    dataset_name: str
    run_id: str
    text: str
    details: Mapping[str, Any]

    def error(self, kind: _Kind | type[WorkflowPermissionError], code: ErrorCode) -> DLIError:
        subject = self.dataset_name or self.run_id
        text = self.text if not subject or subject in self.text else f"{subject}: {self.text}"
        details = dict(self.details)
        if kind is WorkflowExecutionError:
            return WorkflowExecutionError(
                text, code, details, dataset_name=self.dataset_name, run_id=self.run_id
            )
        return kind(text, code, details, dataset_name=self.dataset_name)


def _status(response: ServerResponse) -> int | None:
    status: object = response.status_code
    return status if isinstance(status, int) and not isinstance(status, bool) else None


def _code(response: ServerResponse) -> ErrorCode | None:
    said = getattr(response, "code", None)
    if not isinstance(said, str):
        return None
    try:
        return ErrorCode(said)
    except ValueError:
        return None


def _details(response: ServerResponse, status: int | None) -> dict[str, Any]:
    details: dict[str, Any] = {} if status is None else {"status_code": status}
    given = getattr(response, "details", None)
    if isinstance(given, dict):
        details.update({k: given[k] for k in ("request_id", "errors") if given.get(k)})
    return details


def _unexplained(status: int | None) -> str:
    return "The request failed" + (f" (HTTP {status})" if status is not None else "")
