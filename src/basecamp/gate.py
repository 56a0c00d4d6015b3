"""What every request passes around its route: host, request id, headers, log, figures."""

from __future__ import annotations

import logging
import re
import secrets
import time
from typing import TYPE_CHECKING

from basecamp import errors, journal
from basecamp.errors import RequestRefusedError
from dli.span import span, well_formed

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from basecamp.telemetry import Metrics
    from dli.span import Span

_log = logging.getLogger(__name__)
_REQUEST_ID = re.compile(rb"[A-Za-z0-9._:-]{1,128}")
_PROBES = frozenset({"/livez", "/readyz", "/metrics"})
"""Asked again and again; nobody wants to see them in a trace."""
_NO_ROUTE = "none"
_CLIENT_GONE = 499
_SECURITY_HEADERS = [
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
]


class Gate:
    """The outermost ASGI application."""

    def __init__(self, app: ASGIApp, *, host_names: frozenset[str], metrics: Metrics) -> None:
        self._app = app
        self._host_names = host_names
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        request_id = _request_id(headers.get(b"x-request-id"))
        scope.setdefault("state", {})["request_id"] = request_id
        journal.request_id.set(request_id)
        parent = well_formed(headers.get(b"traceparent", b"").decode("latin-1"))
        if scope["path"] in _PROBES:
            scope["state"]["traceparent"] = parent
            await self._answer(scope, receive, _Answer(send, request_id))
            return
        with span(scope["method"], parent=parent, kind="server") as here:
            scope["state"]["traceparent"] = here.traceparent
            answer = _Answer(send, request_id)
            await self._answer(scope, receive, answer)
            _describe(here, scope, answer.status)

    async def _answer(self, scope: Scope, receive: Receive, answer: _Answer) -> None:
        hosts = [value for name, value in scope["headers"] if name == b"host"]
        started_at = time.perf_counter()
        try:
            # Of two, a proxy in front may have looked at the other one.
            if len(hosts) == 1 and _host_name(hosts[0]) in self._host_names:
                await self._app(scope, receive, answer.send)
            else:
                await answer.refuse("This host name is not one of the server's.", 421)
        except Exception as exc:  # noqa: BLE001 - the framework has answered 500; here it is told once
            _log.error("request.failed", exc_info=exc, extra={"method": scope["method"]})
        self._tell(scope, answer.status, time.perf_counter() - started_at)

    def _tell(self, scope: Scope, status: int, seconds: float) -> None:
        route = _route(scope)
        self._metrics.observe_request(scope["method"], route, status, seconds)
        _log.info(
            "request.answered",
            extra={
                "method": scope["method"],
                "route": route,
                "path": scope["path"],
                "status": status,
                "duration_ms": round(seconds * 1000, 2),
            },
        )


class _Answer:
    """The answer on its way out: gets the headers that every answer has."""

    def __init__(self, send: Send, request_id: str) -> None:
        self._send = send
        self._request_id = request_id
        self.status = _CLIENT_GONE

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = [*message.get("headers", ()), (b"x-request-id", self._request_id.encode())]
            given = {name for name, _ in headers}
            message["headers"] = headers + [own for own in _SECURITY_HEADERS if own[0] not in given]
        await self._send(message)

    async def refuse(self, text: str, status: int) -> None:
        error = RequestRefusedError(text, status=status)
        body = errors.encode(errors.problem(error, instance="", request_id=self._request_id))
        headers = [
            (b"content-type", errors.MEDIA_TYPE.encode()),
            (b"content-length", str(len(body)).encode()),
        ]
        await self.send({"type": "http.response.start", "status": status, "headers": headers})
        await self.send({"type": "http.response.body", "body": body})


def _request_id(given: bytes | None) -> str:
    if given is not None and _REQUEST_ID.fullmatch(given):
        return given.decode()
    return secrets.token_hex(12)


def _route(scope: Scope) -> str:
    """The template of the route that answered."""
    return getattr(scope.get("route"), "path_format", _NO_ROUTE)


def _describe(here: Span, scope: Scope, status: int) -> None:
    method, route = scope["method"], _route(scope)
    here.name(f"{method} {route}")
    here.note(
        http__request__method=method,
        http__route=route,
        http__response__status_code=status,
        dli__request_id=scope["state"]["request_id"],
    )
    if status >= 500:
        here.fail(str(status))


def _host_name(host: bytes) -> str:
    """The name without its port."""
    return re.sub(r":[0-9]+$", "", host.decode("latin-1")).lower()
