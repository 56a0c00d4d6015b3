"""Routes of the catalog."""

from collections.abc import Callable
from concurrent.futures import Future
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Request, Response
from pydantic import BeforeValidator, Field

from basecamp.routes import record
from basecamp.routes.access import ByActor, InSite
from basecamp.routes.answer import as_json, documented, page
from basecamp.routes.query import Flag, Limit, Offset, Page, Query, Strict, listed
from basecamp.routes.route import ApiRoute
from dli.models.catalog import TableDetail

router = APIRouter(prefix="/api/v1/catalog", route_class=ApiRoute, tags=["catalog"])


class TableQuery(Page):
    project: str | None = None
    dataset: str | None = None
    owner: str | None = None
    team: str | None = None
    tag: Annotated[list[str], BeforeValidator(listed)] = Field(default_factory=list)


class SearchQuery(Strict):
    keyword: str = Field(min_length=1, description="Part of a name, column, description or tag.")
    project: str | None = None
    limit: Limit = 20
    offset: Offset = 0


class DetailQuery(Strict):
    include_sample: Flag = False


class RunQuery(Strict):
    limit: Limit = 5


@router.get(
    "/tables",
    responses=documented(422, ok_200=record.TablePage),
    openapi_extra={"x-repeatable-query": ["tag"]},
)
async def list_tables(
    request: Request, site: InSite, actor: ByActor, query: Query[TableQuery]
) -> Response:
    """Tables and sources of the warehouse by name; all tags must match."""
    wanted = query.model_dump()

    def work(withdrawn: Future[None]) -> Response:
        records, total = site.catalog.list(actor, **wanted, withdrawn=withdrawn)
        return page("tables", records, total, query.limit, query.offset)

    return await site.vigil.respond(request, work)


@router.get("/search", responses=documented(422, ok_200=record.TablePage))
async def search(
    request: Request, site: InSite, actor: ByActor, query: Query[SearchQuery]
) -> Response:
    """Tables with the keyword in name, columns, descriptions or tags, in any case."""
    wanted = query.model_dump()

    def work(withdrawn: Future[None]) -> Response:
        records, total = site.catalog.search(actor, **wanted, withdrawn=withdrawn)
        return page("tables", records, total, query.limit, query.offset)

    return await site.vigil.respond(request, work)


@router.get("/tables/{ref}", responses=documented(404, 422, ok_200=TableDetail))
async def detail(
    request: Request, site: InSite, actor: ByActor, ref: str, query: Query[DetailQuery]
) -> Response:
    """Everything about one table; with `include_sample` some rows, personal values masked."""
    wanted = {"url_of": _urls(request), **query.model_dump()}
    get = site.catalog.get
    return await site.vigil.respond(
        request, lambda withdrawn: as_json(get(actor, ref, **wanted, withdrawn=withdrawn))
    )


@router.get(
    "/tables/{ref}/queries", responses=documented(404, 422, ok_200=record.SampleQueryRecord)
)
async def queries(
    request: Request, site: InSite, actor: ByActor, ref: str, query: Query[RunQuery]
) -> Response:
    """Queries that fill or read a table, as their newest runs have made them."""
    made, limit = site.catalog.queries, query.limit
    return await site.vigil.respond(
        request, lambda withdrawn: as_json(made(actor, ref, limit=limit, withdrawn=withdrawn))
    )


def _urls(request: Request) -> Callable[[str], str]:
    base = f"{request.base_url}{router.prefix.removeprefix('/')}/tables"
    return lambda name: f"{base}/{quote(name, safe='')}"
