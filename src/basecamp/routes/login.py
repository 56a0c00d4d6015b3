"""Routes for who has no token yet, and gets one because an identity provider vouches for them."""

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import Field
from starlette.concurrency import run_in_threadpool

from basecamp.errors import RequestRefusedError
from basecamp.routes import record
from basecamp.routes.access import InSite, Site
from basecamp.routes.answer import as_json, documented, of_reply
from basecamp.routes.query import Strict
from basecamp.routes.route import ApiRoute, address_of
from basecamp.services.command import Reply
from basecamp.services.login import LoginRequest

router = APIRouter(prefix="/api/v1/session", route_class=ApiRoute, tags=["identity"])

_SMALL = {"x-body-limit-bytes": 32 * 1024}


class LoginBody(Strict):
    code: Annotated[str, Field(min_length=1, max_length=4096)] = Field(
        description="What the identity provider sent back with the browser."
    )
    code_verifier: Annotated[str, Field(min_length=43, max_length=128)] = Field(
        description="What the code challenge (S256) of the login was made of."
    )
    redirect_uri: Annotated[str, Field(max_length=64)] = Field(
        description="Where the browser was sent back to: `http://127.0.0.1:PORT/callback`."
    )
    nonce: Annotated[str, Field(min_length=16, max_length=256)] = Field(
        description="As in the request for the code; the provider's token has it."
    )


class ExchangeBody(Strict):
    identity_token: Annotated[str, Field(min_length=1, max_length=16_384)] = Field(
        description="The token that the CI system signed for this job."
    )


@router.get("/provider", responses=documented(ok_200=record.ProviderRecord))
def show_provider(site: InSite) -> Response:
    """Where people log in; `null` in all fields when this server knows no identity provider."""
    return as_json(site.logins.offer())


@router.post(
    "/login",
    status_code=201,
    responses=documented(401, 403, 404, 422, 429, ok_201=record.NewTokenRecord),
    openapi_extra=_SMALL,
)
async def log_in(site: InSite, request: Request, body: LoginBody) -> Response:
    """Make a short-lived token for somebody who has just logged in at the identity provider."""
    wanted = LoginRequest(**body.model_dump())
    return await _answer(
        site, request, lambda: site.logins.log_in(request.state.request_id, wanted)
    )


@router.post(
    "/exchange",
    status_code=201,
    responses=documented(401, 404, 422, 429, ok_201=record.NewTokenRecord),
    openapi_extra=_SMALL,
)
async def exchange(site: InSite, request: Request, body: ExchangeBody) -> Response:
    """Make a token for a job of a CI system, good for an hour and for publishing alone."""
    text = body.identity_token
    return await _answer(
        site, request, lambda: site.logins.exchange(request.state.request_id, text)
    )


async def _answer(site: Site, request: Request, work: Callable[[], Reply]) -> Response:
    """Who is refused counts as one who guesses a token."""
    try:
        return of_reply(await run_in_threadpool(work))
    except RequestRefusedError as exc:
        if exc.status == 401:
            site.guesses.count(address_of(request))
            site.metrics.count_auth_failure("login")
        raise
