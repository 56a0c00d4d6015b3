"""A request as HTTP text, and HTTP text as an answer; no I/O, so any transport can use it."""

from __future__ import annotations

import json
import sys
import uuid
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import Enum
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode, urlsplit

from dli import __version__
from dli.client.response import Request, ServerConfig, ServerResponse, refusal
from dli.config import check_server_url
from dli.exceptions import ConfigurationError, ErrorCode

if TYPE_CHECKING:
    from http.client import HTTPMessage

__all__ = ["Answer", "WireRequest", "encode", "read"]

BASE_PATH = "/api/v1"

_USER_AGENT = f"dli/{__version__} ({sys.platform}; Python/{sys.version.split()[0]})"
_RETRY_STATUSES = frozenset({429, 502, 503, 504})
_TEXT_LIMIT = 500
_ERRORS_SHOWN = 3


@dataclass(frozen=True)
class WireRequest:
    """What goes over the wire; all tries of a call send the same one."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes | None


@dataclass(frozen=True)
class Answer:
    """What came of one try, and whether another one may help."""

    response: ServerResponse
    is_repeatable: bool = False
    retry_after_s: float | None = None


def encode(request: Request, config: ServerConfig) -> WireRequest:
    """The wire form of a call.

    Raises: ConfigurationError (001) for a URL or token that cannot be used; ValueError or
    TypeError for arguments that cannot be sent.
    """
    check_server_url(config.url)
    target = "/".join(
        [urlsplit(config.url).path.rstrip("/") + BASE_PATH, *map(_segment, request.path)]
    )
    query = {k: v for k, v in request.query.items() if v is not None and v is not False}
    if query:
        target += "?" + urlencode({k: _query_value(v) for k, v in query.items()}, doseq=True)
    headers = {
        "User-Agent": _USER_AGENT,
        "X-Request-Id": uuid.uuid4().hex,
        "Accept": "application/json, application/problem+json",
    }
    if config.api_key:
        if not (config.api_key.isascii() and config.api_key.isprintable()):
            text = "The API token holds characters that cannot be sent"
            raise ConfigurationError(text)
        headers["Authorization"] = f"Bearer {config.api_key}"
    if request.method != "GET":
        headers["Idempotency-Key"] = str(uuid.uuid4())
    body = None
    if request.body is not None:
        headers["Content-Type"] = "application/json"
        body = json.dumps(request.body, default=_json_value, allow_nan=False).encode()
    return WireRequest(request.method, target, headers, body)


def read(status: int, headers: HTTPMessage, content: bytes) -> Answer:
    """What an HTTP answer says; anything that a Basecamp would not say is a failure."""
    payload = _payload(content)
    if 200 <= status < 300:
        if isinstance(payload, dict):
            return Answer(ServerResponse(success=True, data=payload, status_code=status))
        text = f"The server answered {status} without a JSON object; is there a proxy in between?"
        return Answer(refusal(502, ErrorCode.SERVER_ERROR.value, text))
    if 300 <= status < 400:
        text = f"The server answered {status}, a redirect, which is not followed"
        return Answer(refusal(status, ErrorCode.SERVER_ERROR.value, text))
    if status == 404 and not isinstance(payload, dict):
        # Not Basecamp speaking, so nothing is known about the name that was asked for.
        text = "The server answered 404 without a JSON object; is this the URL of a Basecamp?"
        return Answer(refusal(502, ErrorCode.SERVER_ERROR.value, text))
    retry_after_s = _retry_after_s(headers.get("Retry-After"))
    problem = payload if isinstance(payload, dict) else {}
    is_repeatable = status in _RETRY_STATUSES or (status == 409 and retry_after_s is not None)
    if problem.get("code") == ErrorCode.TIMEOUT.value:
        is_repeatable = False  # SQL that has reached its time limit would reach it again
    return Answer(_failure(status, headers, problem), is_repeatable, retry_after_s)


def _failure(status: int, headers: HTTPMessage, problem: dict[str, Any]) -> ServerResponse:
    code = problem.get("code")
    errors = problem.get("errors")
    details: dict[str, Any] = {}
    request_id = problem.get("request_id") or headers.get("X-Request-Id")
    if isinstance(request_id, str):
        details["request_id"] = _line(request_id)
    if isinstance(errors, list):
        details["errors"] = [found for found in errors if isinstance(found, dict)]
    return ServerResponse(
        success=False,
        error=_error_text(status, problem, details.get("errors", [])),
        status_code=status,
        code=code if isinstance(code, str) else _code_of(status),
        details=details or None,
    )


def _code_of(status: int) -> str | None:
    if status == 401:
        return ErrorCode.SERVER_AUTH_FAILED.value
    if status == 504:
        return ErrorCode.TIMEOUT.value
    if status == 429 or status >= 500:
        return ErrorCode.SERVER_ERROR.value
    return None


def _error_text(status: int, problem: dict[str, Any], errors: list[dict[str, Any]]) -> str:
    said = next((problem[k] for k in ("detail", "title") if isinstance(problem.get(k), str)), "")
    text = _line(said) or f"The server answered {status}"
    places = [f"{found.get('pointer', '')} {found.get('message', '')}" for found in errors]
    return "; ".join([text, *map(_line, places[:_ERRORS_SHOWN])])


def _line(text: str) -> str:
    """One printable line: answers end up on terminals."""
    return "".join(c if c.isprintable() else " " for c in " ".join(text.split()))[:_TEXT_LIMIT]


def _payload(content: bytes) -> object:
    try:
        return json.loads(content, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        return None


def _refuse_constant(name: str) -> None:
    raise ValueError(name)


def _retry_after_s(text: str | None) -> float | None:
    """Seconds from now, from a number or an HTTP date; `None` for anything else."""
    if text is None:
        return None
    if text.strip().isdecimal():
        return float(text)
    from email.utils import parsedate_to_datetime

    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return None
    aware = at if at.tzinfo else at.replace(tzinfo=UTC)
    return max(0.0, (aware - datetime.now(UTC)).total_seconds())


def _segment(name: str) -> str:
    # A dot segment would be resolved on the way and address something else.
    if name in ("", ".", ".."):
        raise ValueError(name)
    return quote(name, safe="")


def _query_value(value: object) -> object:
    if isinstance(value, list | tuple):
        return [_query_value(item) for item in value]
    if value is True:
        return "true"
    return value.value if isinstance(value, Enum) else value


def _json_value(value: object) -> str:
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError
