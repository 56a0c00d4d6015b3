"""Routes of runs and backfills: history, status, log, stop."""

from typing import Annotated, Any

from fastapi import APIRouter, Response
from pydantic import Field

from basecamp.routes import record
from basecamp.routes.access import ByActor, ByCaller, InSite, OfRun, StillActor
from basecamp.routes.answer import as_json, documented, of_reply, page
from basecamp.routes.query import (
    Day,
    Digits,
    Limit,
    Offset,
    Page,
    Query,
    Reason,
    Source,
    Strict,
    Wait,
)
from basecamp.routes.route import ApiRoute

router = APIRouter(prefix="/api/v1/workflows", route_class=ApiRoute, tags=["runs"])

_ENDED = frozenset({"COMPLETED", "FAILED", "KILLED"})


class HistoryQuery(Page):
    dataset: str | None = Field(None, description="Part of a name, in any case.")
    source_type: Source | None = None
    status: record.RunState | None = None
    run_type: record.RunKind | None = None
    start_date: Day | None = Field(None, description="First day of creation, UTC.")
    end_date: Day | None = Field(None, description="Last day of creation, UTC.")
    limit: Limit = 20


class StatusQuery(Strict):
    wait: Wait = 0


class LogQuery(Strict):
    after: Offset = 0
    limit: Annotated[int, Field(ge=1, le=10_000), Digits] = 1_000
    wait: Wait = 0


class StopBody(Strict):
    reason: Reason | None = None


@router.get("/history", responses=documented(422, ok_200=record.RunPage))
def history(site: InSite, actor: ByActor, query: Query[HistoryQuery]) -> Response:
    """Runs, newest first."""
    records, total = site.runs.history(actor, **query.model_dump())
    return page("runs", records, total, query.limit, query.offset)


@router.get(
    "/runs/{run_id}",
    responses=documented(404, 422, ok_200=record.RunDetailRecord | record.BackfillRecord),
)
async def status(
    site: InSite, still: StillActor, run_id: OfRun, query: Query[StatusQuery]
) -> Response:
    """A run or a backfill; with `wait` when it has ended."""
    found = await site.watch.read(
        run_id, lambda: site.runs.get(still(), run_id), is_enough=_has_ended, timeout_s=query.wait
    )
    return as_json(found)


@router.get("/runs/{run_id}/logs", responses=documented(404, 422, ok_200=record.LogRecord))
async def logs(site: InSite, still: StillActor, run_id: OfRun, query: Query[LogQuery]) -> Response:
    """Log lines after the `after`-th; with `wait` when there are some or the run has ended."""
    found = await site.watch.read(
        run_id,
        lambda: site.runs.logs(still(), run_id, after=query.after, limit=query.limit),
        is_enough=_has_news,
        timeout_s=query.wait,
    )
    return as_json(found)


@router.post(
    "/runs/{run_id}/stop",
    responses=documented(
        403, 404, 409, 422, ok_200=record.RunStopRecord | record.BackfillChangeRecord
    ),
)
def stop(site: InSite, caller: ByCaller, run_id: OfRun, body: StopBody | None = None) -> Response:
    """End a run, or a backfill with all its runs; KILLED is final."""
    reply = site.runs.stop(caller, run_id, **(body or StopBody()).model_dump())
    site.watch.notify([run_id, *(day["run_id"] for day in reply.body.get("runs", ()))])
    return of_reply(reply)


def _has_ended(found: dict[str, Any]) -> bool:
    return found["status"] in _ENDED


def _has_news(found: dict[str, Any]) -> bool:
    return bool(found["lines"]) or found["done"]
