"""Routes of the registry of metrics."""

from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Request, Response
from pydantic import Field

from basecamp.routes import record
from basecamp.routes.access import ByCaller, InSite
from basecamp.routes.answer import as_json, documented, of_reply, page
from basecamp.routes.dataset import SpecBody, SpecQuery
from basecamp.routes.query import Page, Query, Strict
from basecamp.routes.route import ApiRoute
from basecamp.services.execution import ROWS_MAX

router = APIRouter(prefix="/api/v1/metrics", route_class=ApiRoute, tags=["metrics"])


class MetricRunBody(Strict):
    parameters: dict[str, Any] = Field(default_factory=dict)
    limit: Annotated[int, Field(ge=1, le=ROWS_MAX)] = ROWS_MAX
    dry_run: bool = False
    by: list[str] = Field(default_factory=list, description="Dimensions: a row for each value.")
    metrics: list[str] = Field(default_factory=list, description="Only these measures.")


@router.get(
    "",
    responses=documented(422, ok_200=record.MetricPage),
    openapi_extra={"x-repeatable-query": ["tag"]},
)
def list_metrics(site: InSite, query: Query[SpecQuery]) -> Response:
    """Registered metrics by name; all tags must match."""
    records, total = site.metric_specs.list(**query.model_dump())
    return page("metrics", records, total, query.limit, query.offset)


@router.post(
    "",
    status_code=201,
    responses=documented(
        409, 422, ok_200=record.RegisteredSpecRecord, ok_201=record.RegisteredSpecRecord
    ),
)
def register(site: InSite, caller: ByCaller, body: SpecBody) -> Response:
    """Keep the spec of a metric as a new version."""
    return of_reply(site.metric_specs.register(caller, **body.model_dump()))


@router.get("/{name}", responses=documented(404, ok_200=record.RegisteredSpecRecord))
def get(site: InSite, name: str) -> Response:
    """The newest spec of a metric."""
    return as_json(site.metric_specs.get(name))


@router.get("/{name}/versions", responses=documented(404, 422, ok_200=record.VersionPage))
def versions(site: InSite, name: str, query: Query[Page]) -> Response:
    """Registered versions of a metric, newest first."""
    records, total = site.metric_specs.versions(name, **query.model_dump())
    return page("versions", records, total, query.limit, query.offset)


@router.post("/{name}/run", responses=documented(404, 409, 422, ok_200=record.MetricRunRecord))
async def run(
    site: InSite, caller: ByCaller, request: Request, name: str, body: MetricRunBody | None = None
) -> Response:
    """The rows of a metric as they are now."""
    work = partial(site.execution.run_metric, caller, name)
    given = (body or MetricRunBody()).model_dump()
    return await site.vigil.answer(request, lambda withdrawn: work(withdrawn=withdrawn, **given))
