"""Routes of tokens, and of who works with one."""

from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import Field

from basecamp.routes import record
from basecamp.routes.access import ByActor, ByCaller, InSite
from basecamp.routes.answer import documented, of_reply, page
from basecamp.routes.query import Flag, Page, Query, Reason, Strict
from basecamp.routes.route import ApiRoute
from basecamp.services.token import OVERLAP_HOURS

router = APIRouter(prefix="/api/v1", route_class=ApiRoute, tags=["identity"])

_YEAR_HOURS = 365 * 24


class TokenQuery(Page):
    ended: Flag = Field(default=False, description="Also those that are expired or revoked.")


class TokenBody(Strict):
    name: str = Field(description="Of the person or service; the audit trail has it.")
    role: record.RoleName
    teams: Annotated[list[str], Field(max_length=100)] = Field(
        default_factory=list, description="`*` is every team; an admin or auditor has none."
    )
    scopes: list[str] | None = Field(None, description="Only these of the role; default: all.")
    also: list[str] = Field(
        default_factory=list, description="Those that no role has: `code:publish`, `sql:run`."
    )
    expires_in_hours: Annotated[int, Field(ge=1, le=_YEAR_HOURS)] | None = Field(
        None, description="Default: 90 days; of an admin 24 hours, which is the most."
    )


class RotateBody(Strict):
    overlap_hours: Annotated[int, Field(ge=0, le=7 * 24)] = Field(
        default=OVERLAP_HOURS, description="How long the old one stays good."
    )


class RevokeBody(Strict):
    reason: Reason | None = None


@router.get("/tokens", responses=documented(422, ok_200=record.TokenPage))
def list_tokens(site: InSite, actor: ByActor, query: Query[TokenQuery]) -> Response:
    """Tokens that are good, newest first, without their secrets."""
    records, total = site.tokens.list(actor, **query.model_dump())
    return page("tokens", records, total, query.limit, query.offset)


@router.post(
    "/tokens", status_code=201, responses=documented(409, 422, ok_201=record.NewTokenRecord)
)
def create(site: InSite, caller: ByCaller, body: TokenBody) -> Response:
    """Make a token; this answer alone has its secret."""
    return of_reply(site.tokens.create(caller, **body.model_dump()))


@router.post(
    "/tokens/{token_id}/rotate",
    status_code=201,
    responses=documented(404, 409, 422, ok_201=record.NewTokenRecord),
)
def rotate(
    site: InSite, caller: ByCaller, token_id: str, body: RotateBody | None = None
) -> Response:
    """Make another token of the same rights; the old one ends soon."""
    return of_reply(site.tokens.rotate(caller, token_id, **(body or RotateBody()).model_dump()))


@router.post(
    "/tokens/{token_id}/revoke",
    responses=documented(404, 409, 422, ok_200=record.TokenChangeRecord),
)
def revoke(
    site: InSite, caller: ByCaller, token_id: str, body: RevokeBody | None = None
) -> Response:
    """End a token; it is refused everywhere within 5 seconds."""
    return of_reply(site.tokens.revoke(caller, token_id, **(body or RevokeBody()).model_dump()))


@router.post("/session", responses=documented(ok_200=record.IdentityRecord))
def begin_session(site: InSite, caller: ByCaller) -> Response:
    """Note that somebody begins to work with this token, and tell who that is."""
    return of_reply(site.tokens.begin_session(caller))


@router.delete("/session", responses=documented(ok_200=record.IdentityRecord))
def end_session(site: InSite, caller: ByCaller) -> Response:
    """Note that somebody puts this token away; it stays good."""
    return of_reply(site.tokens.end_session(caller))
