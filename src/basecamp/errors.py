"""Errors as RFC 9457 problems: one body for every route, repeating nothing that the caller sent."""

from __future__ import annotations

import http
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dli.exceptions import CODES, DLIError, DLIValidationError, ErrorCode

if TYPE_CHECKING:
    from collections.abc import Mapping

MEDIA_TYPE = "application/problem+json"

_FALLBACK_RETRY_SECONDS = 5


@dataclass(eq=False, repr=False)
class RequestRefusedError(DLIValidationError):
    """A request that no route takes: its form, size, method, type or path is wrong (DLI-201).

    `pointers` are JSON pointers with messages; they name fields of ours, never the caller's.
    """

    status: int = 400
    pointers: list[tuple[str, str]] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)


def status_of(error: DLIError) -> int:
    """The HTTP status of an error: that of its code, unless the cause says more than the code."""
    if isinstance(error, RequestRefusedError):
        return error.status
    if error.details.get("conflict"):
        return 409
    return CODES[error.code].http_status


def headers_of(error: DLIError) -> dict[str, str]:
    """Headers that an error's answer carries."""
    status = status_of(error)
    headers = dict(error.headers) if isinstance(error, RequestRefusedError) else {}
    retry_after = error.details.get("retry_after")
    if retry_after is None and status in (429, 503):
        retry_after = _FALLBACK_RETRY_SECONDS
    if retry_after is not None:
        headers["Retry-After"] = str(int(retry_after))
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if error.details.get("replayed"):
        headers["Idempotency-Replayed"] = "true"
    return headers


def problem(error: DLIError, *, instance: str, request_id: str) -> dict[str, Any]:
    """The body of an error's answer; `instance` is the route's template."""
    status = status_of(error)
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": http.HTTPStatus(status).phrase,
        "status": status,
        "detail": error.message or http.HTTPStatus(status).phrase,
        "instance": instance,
        "code": error.code.value,
        "request_id": request_id,
    }
    if findings := _findings(error):
        body["errors"] = findings
    return body


def _findings(error: DLIError) -> list[dict[str, str]]:
    if isinstance(error, RequestRefusedError):
        return [{"pointer": pointer, "message": text} for pointer, text in error.pointers]
    pointed = error.details.get("errors", [])
    return [{"pointer": one["pointer"], "message": one["message"]} for one in pointed]


def encode(body: Mapping[str, Any]) -> bytes:
    """JSON bytes of a record or problem."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def defect() -> DLIError:
    """What a caller learns of an error that should not exist; the log has the rest."""
    return DLIError(
        "The server failed; its log has the details under this request id.",
        code=ErrorCode.SERVER_ERROR,
    )
