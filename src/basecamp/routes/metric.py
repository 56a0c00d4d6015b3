"""Routes of metrics: their registry, and running them."""

from functools import partial
from operator import attrgetter
from typing import Annotated, Any

from fastapi import Request, Response
from pydantic import Field

from basecamp.routes import record
from basecamp.routes.access import ByCaller, InSite
from basecamp.routes.answer import documented
from basecamp.routes.query import Strict
from basecamp.routes.registry import registry_router
from basecamp.services.execution import ROWS_MAX

router = registry_router(
    "metric", attrgetter("metric_specs"), record.MetricPage, is_published=False
)


class MetricRunBody(Strict):
    parameters: dict[str, Any] = Field(default_factory=dict)
    limit: Annotated[int, Field(ge=1, le=ROWS_MAX)] = ROWS_MAX
    dry_run: bool = False
    by: list[str] = Field(default_factory=list, description="Dimensions: a row for each value.")
    metrics: list[str] = Field(default_factory=list, description="Only these measures.")


@router.post("/{name}/run", responses=documented(404, 409, 422, ok_200=record.MetricRunRecord))
async def run(
    site: InSite, caller: ByCaller, request: Request, name: str, body: MetricRunBody | None = None
) -> Response:
    """The rows of a metric as they are now."""
    work = partial(site.execution.run_metric, caller, name)
    given = (body or MetricRunBody()).model_dump()
    return await site.vigil.answer(request, lambda withdrawn: work(withdrawn=withdrawn, **given))
