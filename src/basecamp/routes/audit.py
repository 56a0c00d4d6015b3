"""Routes of the audit trail."""

from typing import Literal

from fastapi import APIRouter, Response
from pydantic import Field

from basecamp.routes import record
from basecamp.routes.access import ByReader, InSite
from basecamp.routes.answer import as_json, documented, page
from basecamp.routes.query import Instant, Page, Query, Strict
from basecamp.routes.route import ApiRoute
from basecamp.store.audit import AuditFilter

router = APIRouter(prefix="/api/v1/audit", route_class=ApiRoute, tags=["audit"])


class AuditQuery(Page):
    actor: str | None = None
    action: str | None = None
    resource: str | None = None
    since: Instant = None
    until: Instant = None
    order: Literal["newest", "oldest"] = "newest"


class ChainQuery(Strict):
    head: str | None = Field(
        None,
        pattern="^[0-9a-f]{64}$",
        description="A head noted earlier; it must still be there.",
    )


@router.get("", responses=documented(422, ok_200=record.AuditPage))
def list_entries(site: InSite, caller: ByReader, query: Query[AuditQuery]) -> Response:
    """Who changed what, when and why; reading it is an entry itself."""
    fields = query.model_dump(exclude={"order", "limit", "offset"})
    entries, total = site.audit.list(
        caller,
        AuditFilter(**fields),
        oldest_first=query.order == "oldest",
        limit=query.limit,
        offset=query.offset,
    )
    return page("entries", entries, total, query.limit, query.offset)


@router.get("/chain", responses=documented(422, ok_200=record.AuditChainRecord))
def chain(site: InSite, caller: ByReader, query: Query[ChainQuery]) -> Response:
    """Whether no entry was changed, removed or slipped in; a broken trail is a 200 that says so."""
    return as_json(site.audit.verify(caller, query.head))
