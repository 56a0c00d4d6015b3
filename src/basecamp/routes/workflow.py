"""Routes of workflows: list, show, register, unregister, pause, unpause, run, backfill."""

from typing import Any, Literal

from fastapi import APIRouter, Response
from pydantic import Field

from basecamp.routes import record
from basecamp.routes.access import ByActor, ByCaller, InSite, OfDataset
from basecamp.routes.answer import as_json, documented, of_reply, page
from basecamp.routes.query import Flag, Instant, Page, Query, Reason, Source, Strict
from basecamp.routes.route import ApiRoute

router = APIRouter(prefix="/api/v1/workflows", route_class=ApiRoute, tags=["workflows"])


class WorkflowQuery(Page):
    source_type: Source | None = None
    status: Literal["active", "paused", "overridden"] | None = None
    dataset: str | None = Field(None, description="Part of a name, in any case.")
    owner: str | None = None
    running: Flag = False
    enabled: Flag = False


class RegisterBody(Strict):
    dataset_name: str
    cron: str
    timezone: str = "UTC"
    enabled: bool = True
    retry_max_attempts: int = Field(1, ge=1, le=1000)
    retry_delay_seconds: int = Field(300, ge=0, le=7 * 86_400)
    force: bool = False
    spec: dict[str, Any] | None = None


class UnpauseBody(Strict):
    reason: Reason | None = None
    source_type: Source | None = None


class PauseBody(UnpauseBody):
    until: Instant = None


class RunBody(Strict):
    parameters: dict[str, Any] = Field(default_factory=dict)
    dry_run: bool = False
    source_type: Source | None = None


class BackfillBody(RunBody):
    start_date: str
    end_date: str
    skip_completed: bool = False


@router.get("", responses=documented(422, ok_200=record.WorkflowPage))
def list_workflows(site: InSite, actor: ByActor, query: Query[WorkflowQuery]) -> Response:
    """Workflows by name; an exact match of `dataset` comes first."""
    records, total = site.workflows.list(actor, **query.model_dump())
    return page("workflows", records, total, query.limit, query.offset)


@router.post(
    "/register",
    status_code=201,
    responses=documented(
        403,
        404,
        409,
        422,
        ok_200=record.WorkflowRegisterRecord,
        ok_201=record.WorkflowRegisterRecord,
    ),
)
def register(site: InSite, caller: ByCaller, body: RegisterBody) -> Response:
    """Store a MANUAL workflow with exactly these settings."""
    return of_reply(site.workflows.register(caller, **body.model_dump()))


@router.get("/{dataset_name}", responses=documented(404, ok_200=record.WorkflowDetailRecord))
def show(site: InSite, actor: ByActor, dataset_name: OfDataset) -> Response:
    """The workflow in force."""
    return as_json(site.workflows.get(actor, dataset_name))


@router.delete(
    "/{dataset_name}", responses=documented(403, 404, 409, 422, ok_200=record.WorkflowRemovalRecord)
)
def unregister(site: InSite, caller: ByCaller, dataset_name: OfDataset) -> Response:
    """Remove a MANUAL workflow; its history stays."""
    return of_reply(site.workflows.unregister(caller, dataset_name))


@router.post(
    "/{dataset_name}/pause",
    responses=documented(403, 404, 409, 422, ok_200=record.WorkflowChangeRecord),
)
def pause(
    site: InSite, caller: ByCaller, dataset_name: OfDataset, body: PauseBody | None = None
) -> Response:
    """Stop the schedule; runs on demand stay possible."""
    wanted = (body or PauseBody()).model_dump()
    return of_reply(site.workflows.pause(caller, dataset_name, **wanted))


@router.post(
    "/{dataset_name}/unpause",
    responses=documented(403, 404, 409, 422, ok_200=record.WorkflowChangeRecord),
)
def unpause(
    site: InSite, caller: ByCaller, dataset_name: OfDataset, body: UnpauseBody | None = None
) -> Response:
    """Resume the schedule from now on."""
    wanted = (body or UnpauseBody()).model_dump()
    return of_reply(site.workflows.unpause(caller, dataset_name, **wanted))


@router.post(
    "/{dataset_name}/run",
    status_code=202,
    responses=documented(
        403, 404, 409, 422, ok_200=record.RunCheckRecord, ok_202=record.RunStartRecord
    ),
)
def run(
    site: InSite, caller: ByCaller, dataset_name: OfDataset, body: RunBody | None = None
) -> Response:
    """Start one run now, or with `dry_run` check everything and start nothing (200)."""
    wanted = (body or RunBody()).model_dump()
    return of_reply(site.runs.start(caller, dataset_name, **wanted))


@router.post(
    "/{dataset_name}/backfill",
    status_code=202,
    responses=documented(
        403, 404, 409, 422, ok_200=record.BackfillCheckRecord, ok_202=record.BackfillChangeRecord
    ),
)
def backfill(
    site: InSite, caller: ByCaller, dataset_name: OfDataset, body: BackfillBody
) -> Response:
    """Run every interval that starts on one of these days, one after the other."""
    return of_reply(site.backfills.start(caller, dataset_name, **body.model_dump()))
