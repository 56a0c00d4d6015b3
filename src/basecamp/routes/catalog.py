"""Routes of the catalog."""

from collections.abc import Callable
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Request, Response
from pydantic import BeforeValidator, Field

from basecamp.routes import record
from basecamp.routes.access import InSite
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
def list_tables(site: InSite, query: Query[TableQuery]) -> Response:
    """Tables and sources of the warehouse by name; all tags must match."""
    records, total = site.catalog.list(**query.model_dump())
    return page("tables", records, total, query.limit, query.offset)


@router.get("/search", responses=documented(422, ok_200=record.TablePage))
def search(site: InSite, query: Query[SearchQuery]) -> Response:
    """Tables with the keyword in name, columns, descriptions or tags, in any case."""
    records, total = site.catalog.search(**query.model_dump())
    return page("tables", records, total, query.limit, query.offset)


@router.get("/tables/{ref}", responses=documented(404, 422, ok_200=TableDetail))
def detail(request: Request, site: InSite, ref: str, query: Query[DetailQuery]) -> Response:
    """Everything about one table; with `include_sample` some rows, personal values masked."""
    return as_json(site.catalog.get(ref, url_of=_urls(request), **query.model_dump()))


@router.get(
    "/tables/{ref}/queries", responses=documented(404, 422, ok_200=record.SampleQueryRecord)
)
def queries(site: InSite, ref: str, query: Query[RunQuery]) -> Response:
    """Queries that fill or read a table, as their newest runs have made them."""
    return as_json(site.catalog.queries(ref, limit=query.limit))


def _urls(request: Request) -> Callable[[str], str]:
    base = f"{request.base_url}{router.prefix.removeprefix('/')}/tables"
    return lambda name: f"{base}/{quote(name, safe='')}"
