"""Routes that tell how the server is: probes, health, metrics and its own description."""

from datetime import UTC, datetime

from fastapi import APIRouter, Request, Response

from basecamp.routes import record
from basecamp.routes.access import InSite
from basecamp.routes.answer import as_json, documented
from basecamp.routes.description import describe
from basecamp.routes.route import ApiRoute
from dli import __version__
from dli.exceptions import ErrorCode, ServerError

router = APIRouter(route_class=ApiRoute, tags=["server"])

_TEXT = "text/plain; version=0.0.4; charset=utf-8"


@router.get("/livez", responses=documented(ok_200=record.ProbeRecord))
async def livez() -> Response:
    """The process answers."""
    return as_json({"status": "ok"})


@router.get("/readyz", responses=documented(ok_200=record.ProbeRecord))
def readyz(site: InSite) -> Response:
    """The server can do its work."""
    _require_ok(site)
    return as_json({"status": "ok"})


@router.get("/api/v1/health", responses=documented(ok_200=record.HealthRecord))
def health(site: InSite) -> Response:
    """The server can do its work; its version and its clock."""
    _require_ok(site)
    return as_json({"status": "ok", **_identity()})


@router.get(
    "/api/v1/health/extended",
    responses=documented(ok_200=record.HealthDetailRecord, ok_503=record.HealthDetailRecord),
)
def extended_health(site: InSite) -> Response:
    """The state of each part; 503 when one fails."""
    found = site.health.look()
    state = "ok" if found.is_ok else "failing"
    answer = {"status": state, **_identity(), "parts": found.parts}
    return as_json(answer, 200 if found.is_ok else 503)


@router.get(
    "/metrics", response_class=Response, responses={**documented(), 200: {"content": {_TEXT: {}}}}
)
def metrics(site: InSite) -> Response:
    """Figures for Prometheus."""
    return Response(site.metrics.exposition(), media_type=_TEXT)


@router.get("/api/v1/openapi.json", responses=documented())
def openapi(request: Request) -> Response:
    """The description of all routes."""
    app = request.app
    if app.openapi_schema is None:
        app.openapi_schema = describe(app)
    return as_json(app.openapi_schema)


def _identity() -> dict[str, str]:
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {"version": __version__, "time": now}


def _require_ok(site: InSite) -> None:
    if not site.health.look().is_ok:
        raise ServerError(
            "The server cannot do its work at the moment.", code=ErrorCode.SERVER_EXECUTION
        )
