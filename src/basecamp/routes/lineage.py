"""The route of lineage."""

from typing import Annotated, Literal

from fastapi import APIRouter, Request, Response
from pydantic import Field

from basecamp.routes import record
from basecamp.routes.access import ByActor, InSite
from basecamp.routes.answer import as_json, documented
from basecamp.routes.query import Digits, Query, Strict
from basecamp.routes.route import ApiRoute

router = APIRouter(prefix="/api/v1/lineage", route_class=ApiRoute, tags=["lineage"])


class LineageQuery(Strict):
    direction: Literal["upstream", "downstream", "both"] = "both"
    depth: Annotated[int, Field(ge=-1, le=2**53, description="Distance; -1 for any."), Digits] = -1


@router.get("/{name}", responses=documented(404, 422, ok_200=record.LineageRecord))
async def around(
    request: Request, site: InSite, actor: ByActor, name: str, query: Query[LineageQuery]
) -> Response:
    """What a dataset or metric is made from, and what is made from it."""
    wanted, look = query.model_dump(), site.lineage.around
    return await site.vigil.respond(request, lambda _: as_json(look(actor, name, **wanted)))


@router.get("/{name}/columns", responses=documented(404, ok_200=record.ColumnLineageRecord))
async def columns(request: Request, site: InSite, actor: ByActor, name: str) -> Response:
    """From which columns of which tables each column of a dataset or metric is made."""
    return await site.vigil.respond(
        request, lambda withdrawn: as_json(site.lineage.columns(actor, name, withdrawn=withdrawn))
    )
