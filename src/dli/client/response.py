"""What every client method returns, and the configuration it needs; no I/O."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Data", "Record", "Request", "ServerConfig", "ServerResponse", "Transport", "refusal"]

Record = dict[str, Any]
Data = Record | list[Record] | None


@dataclass
class ServerConfig:
    """Where the server is; `timeout` is in seconds and covers one call with all its tries."""

    url: str
    timeout: int = 30
    api_key: str | None = field(default=None, repr=False)


@dataclass
class ServerResponse:
    """An answer, or why there is none: `error` is set whenever `success` is false.

    `code` is a `DLI-…` code, `meta` the paging of a list, `details` holds `request_id` and, for
    single fields, `errors`.
    """

    success: bool
    data: Data = None
    error: str | None = None
    status_code: int = 200
    code: str | None = None
    meta: dict[str, Any] | None = None
    details: dict[str, Any] | None = None


def refusal(status_code: int, code: str, error: str) -> ServerResponse:
    """A failed answer."""
    return ServerResponse(success=False, error=error, status_code=status_code, code=code)


@dataclass(frozen=True)
class Request:
    """One call: `path` in unquoted segments; `wait_s`: how long the server may hold the answer."""

    method: str
    path: tuple[str, ...]
    query: Mapping[str, Any] = field(default_factory=dict)
    body: Mapping[str, Any] | None = None
    wait_s: float = 0.0


class Transport(Protocol):
    """What carries requests: HTTP, or the sample server of mock mode."""

    def send(self, request: Request) -> ServerResponse: ...

    def close(self) -> None: ...
