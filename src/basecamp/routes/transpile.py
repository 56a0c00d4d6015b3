"""Routes of the transpile rules."""

from fastapi import APIRouter, Response

from basecamp.routes import record
from basecamp.routes.access import ByActor, InSite
from basecamp.routes.answer import as_json, documented
from basecamp.routes.route import ApiRoute

router = APIRouter(prefix="/api/v1/transpile", route_class=ApiRoute, tags=["transpile"])


@router.get("/rules", responses=documented(ok_200=record.RuleSetRecord))
def rules(site: InSite, actor: ByActor) -> Response:
    """The rules of the server's project, the highest priority first."""
    return as_json(site.transpile.rules(actor))


@router.get("/metrics/{name}", responses=documented(404, ok_200=record.MetricExpressionRecord))
def metric(site: InSite, actor: ByActor, name: str) -> Response:
    """The expression that `METRIC(name)` stands for."""
    return as_json(site.transpile.metric(actor, name))
