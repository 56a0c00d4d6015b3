"""The one kind of route: closed unless listed as public, strict about what it is sent."""

from __future__ import annotations

import hashlib
from contextlib import nullcontext
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from basecamp.auth import PUBLIC, given_token, refusal
from basecamp.errors import RequestRefusedError
from basecamp.routes import body
from basecamp.routes.access import site_of
from basecamp.routes.refusal import refusal_of
from dli.exceptions import ErrorCode

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from fastapi import Response

_DECODED_INLINE_BYTES = 64 * 1024
_QUERY_MAX = 100


class ApiRoute(APIRoute):
    """Checks caller, path, query and body, in this order, before the framework sees them."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()
        takes_query = bool(self.dependant.query_params)
        takes_body = self.body_field is not None
        repeatable = frozenset((self.openapi_extra or {}).get("x-repeatable-query", ()))
        limit_bytes = (self.openapi_extra or {}).get("x-body-limit-bytes", body.LIMIT_BYTES)
        # What tells how the server is must be told when there is too much to do, too.
        takes_turn = not iscoroutinefunction(self.endpoint) and self.path.startswith("/api/")

        async def checked(request: Request) -> Response:
            await identify(request, self.path_format)
            _check_path(request)
            _check_query(request, takes_query=takes_query, repeatable=repeatable)
            data = await body.read_body(request, limit_bytes if takes_body else 0)
            request.state.body_sha256 = hashlib.sha256(data).hexdigest()
            strict = _ReadRequest(request.scope, request.receive)
            await strict.take(data)
            try:
                async with site_of(request).waiting_room.turn() if takes_turn else nullcontext():
                    response = await handle(strict)
            except RequestValidationError as exc:
                raise refusal_of(exc.errors()) from exc
            if allowance := getattr(request.state, "allowance", None):
                response.headers.update(allowance.headers)
            return response

        return checked


async def identify(request: Request, template: str) -> None:
    """Let a request pass that may see the route `template`; `request.state.actor` is who asks.

    A valid token passes whatever its address did before.

    Raises:
        RequestRefusedError: token missing or not good (401), which all look the same; guessed, or
            a good one used, too often (429).
        ServerError: the store cannot be asked about it (DLI-504).
    """
    site, address = site_of(request), address_of(request)
    if (request.method, template) in PUBLIC:
        if request.method == "POST":
            site.guesses.check(address)  # a login is a guess until somebody vouches for it
        return
    try:
        secret = given_token(request.headers)
        found = site.identities.at_hand(secret)
        if found is None:
            found = await run_in_threadpool(site.identities.find, secret)
        if found.actor is None:
            site.guesses.check(address)
            site.guesses.count(address)
            raise refusal(found.reason)
    except RequestRefusedError as exc:
        site.metrics.count_auth_failure(exc.details.get("reason", "limited"))
        raise
    request.state.actor = found.actor
    request.state.allowance = site.rates.take(found.actor.token_id, request.method)
    if request.state.allowance is not None:
        try:
            request.state.allowance.check("This token asks too often.")
        except RequestRefusedError as exc:
            site.metrics.count_throttled(exc.details["limit"])
            raise


def address_of(request: Request) -> str:
    """Where a request comes from, as far as the connection tells."""
    return request.client.host if request.client else ""


def nothing_under(request: Request) -> RequestRefusedError:
    """The refusal of a path that no route has; below workflows it can only mean one of them."""
    is_workflow = request.scope["path"].startswith("/api/v1/workflows/")
    return RequestRefusedError(
        "There is nothing under this path.",
        status=404,
        code=ErrorCode.WORKFLOW_NOT_FOUND if is_workflow else ErrorCode.VALIDATION_FAILED,
    )


class _ReadRequest(Request):
    """A request whose body has been read and decoded already."""

    _data: bytes
    _value: dict[str, Any] | None = None

    async def take(self, data: bytes) -> None:
        self._data = data
        if not data:
            return
        body.check_media_type(self)
        if len(data) > _DECODED_INLINE_BYTES:
            self._value = await run_in_threadpool(body.decode, data)
        else:
            self._value = body.decode(data)

    async def body(self) -> bytes:
        return self._data

    async def json(self) -> Any:
        return self._value


def _check_path(request: Request) -> None:
    """A name is one segment: an encoded slash would reach another route than the one written."""
    raw_path: bytes = request.scope.get("raw_path") or b""
    if b"%2f" in raw_path.lower():
        raise nothing_under(request)


def _check_query(request: Request, *, takes_query: bool, repeatable: frozenset[str]) -> None:
    query = request.scope["query_string"]
    if not query:
        return
    if not takes_query:
        raise RequestRefusedError("This request takes no query parameters.")
    try:
        pairs = parse_qsl(
            query.decode("ascii"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=_QUERY_MAX,
        )
    except ValueError as exc:
        raise RequestRefusedError("The query cannot be read.") from exc
    names = [name for name, _ in pairs if name not in repeatable]
    if len(set(names)) != len(names):
        raise RequestRefusedError("The query names a parameter twice.")
    if any("\0" in value for _, value in pairs):
        raise RequestRefusedError("The query has a NUL character.")
