"""Errors on their way out: each exception class to the one form of answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import Request, Response
from starlette.exceptions import HTTPException

from basecamp import errors
from basecamp.errors import RequestRefusedError
from basecamp.routes.route import identify, nothing_under
from dli.exceptions import DLIError

if TYPE_CHECKING:
    from fastapi import FastAPI


def add_handlers(app: FastAPI) -> None:
    """Let `app` answer every error as a problem."""
    app.add_exception_handler(DLIError, _refused)
    app.add_exception_handler(HTTPException, _unrouted)
    app.add_exception_handler(Exception, _failed)


def as_problem(request: Request, error: DLIError) -> Response:
    """The answer to a request that ended in `error`."""
    template = getattr(request.scope.get("route"), "path_format", "")
    body = errors.problem(error, instance=template, request_id=request.state.request_id)
    return Response(
        errors.encode(body), body["status"], errors.headers_of(error), errors.MEDIA_TYPE
    )


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, DLIError)
    return as_problem(request, error)


async def _unrouted(request: Request, error: Exception) -> Response:
    """What the router refuses: no such path, or not with this method. A stranger learns neither."""
    assert isinstance(error, HTTPException)
    try:
        await identify(request, "")
    except DLIError as refusal:
        return as_problem(request, refusal)
    if error.status_code == 404:
        return as_problem(request, nothing_under(request))
    headers = dict(error.headers or {})
    status = error.status_code
    text = "This path does not take this method." if status == 405 else "The request is malformed."
    return as_problem(request, RequestRefusedError(text, status=status, headers=headers))


async def _failed(request: Request, _error: Exception) -> Response:
    return as_problem(request, errors.defect())
