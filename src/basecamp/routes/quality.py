"""Routes of quality tests."""

from functools import partial
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request, Response
from pydantic import Field

from basecamp.routes import record
from basecamp.routes.access import ByActor, ByCaller, InSite
from basecamp.routes.answer import as_json, documented, of_reply, page
from basecamp.routes.query import Page, Query, Strict
from basecamp.routes.route import ApiRoute

router = APIRouter(prefix="/api/v1/quality", route_class=ApiRoute, tags=["quality"])

Kind = Literal["dataset", "metric"]
Name = Annotated[str, Field(min_length=1)]


class QualityQuery(Page):
    target_type: Kind | None = None
    target: str | None = Field(None, description="Part of the target's name.")
    status: Literal["active", "disabled"] | None = None


class QualityBody(Strict):
    spec: dict[str, Any]
    name: str | None = Field(None, description="Of the spec; default: that of its target.")
    force: bool = False


class QualityRunBody(Strict):
    spec: dict[str, Any]
    tests: list[str] = Field(default_factory=list, description="Default: all.")
    parameters: dict[str, Any] = Field(default_factory=dict)
    fail_fast: bool = False


class RegisteredRunBody(Strict):
    parameters: dict[str, Any] = Field(default_factory=dict)


class QualityTestBody(Strict):
    resource_name: Name = Field(description="A dataset; `metric:NAME` is a metric.")
    test_name: Name
    test_type: str
    columns: list[str] | None = None
    params: dict[str, Any] = Field(
        default_factory=dict, description="All other keys of the test, and values for its SQL."
    )
    severity: Literal["error", "warn"] = "error"


@router.get("", responses=documented(422, ok_200=record.QualityPage))
def list_qualities(site: InSite, actor: ByActor, query: Query[QualityQuery]) -> Response:
    """Registered tests, each with its newest result."""
    records, total = site.quality.list(actor, **query.model_dump())
    return page("qualities", records, total, query.limit, query.offset)


@router.post(
    "",
    status_code=201,
    responses=documented(
        409, 422, ok_200=record.QualitySpecRecord, ok_201=record.QualitySpecRecord
    ),
)
def register(site: InSite, caller: ByCaller, body: QualityBody) -> Response:
    """Keep a quality spec as a new version."""
    return of_reply(site.quality.register(caller, **body.model_dump()))


@router.post("/run", responses=documented(404, 409, 422, ok_200=record.QualityRunRecord))
async def run(site: InSite, caller: ByCaller, request: Request, body: QualityRunBody) -> Response:
    """Run the tests of a spec that is sent along."""
    work = partial(site.quality.run_sent, caller, **body.model_dump())
    return await site.vigil.answer(request, lambda withdrawn: work(withdrawn=withdrawn))


@router.post("/tests/run", responses=documented(404, 409, 422, ok_200=record.TestRunRecord))
async def run_test(
    site: InSite, caller: ByCaller, request: Request, body: QualityTestBody
) -> Response:
    """Run one test."""
    test: dict[str, Any] = {
        "name": body.test_name,
        "type": body.test_type,
        "severity": body.severity,
        **({} if body.columns is None else {"columns": body.columns}),
    }
    work = partial(
        site.quality.run_test,
        caller,
        resource_name=body.resource_name,
        test=test,
        params=body.params,
    )
    return await site.vigil.answer(request, lambda withdrawn: work(withdrawn=withdrawn))


@router.get("/{name}", responses=documented(404, ok_200=record.QualityRecord))
def get(site: InSite, actor: ByActor, name: str) -> Response:
    """One test with its newest result."""
    return as_json(site.quality.get(actor, name))


@router.get("/{name}/history", responses=documented(404, 422, ok_200=record.QualityHistoryPage))
def history(site: InSite, actor: ByActor, name: str, query: Query[Page]) -> Response:
    """The last results of a test, newest first."""
    records, total = site.quality.history(actor, name, **query.model_dump())
    return page("results", records, total, query.limit, query.offset)


@router.get("/{name}/versions", responses=documented(404, 422, ok_200=record.VersionPage))
def versions(site: InSite, actor: ByActor, name: str, query: Query[Page]) -> Response:
    """Registered versions of a quality spec, newest first."""
    records, total = site.quality.versions(actor, name, **query.model_dump())
    return page("versions", records, total, query.limit, query.offset)


@router.post("/{name}/run", responses=documented(404, 409, 422, ok_200=record.QualityRunRecord))
async def run_registered(
    site: InSite,
    caller: ByCaller,
    request: Request,
    name: str,
    body: RegisteredRunBody | None = None,
) -> Response:
    """Run a registered test, or all tests of a registered spec by its name."""
    parameters = (body or RegisteredRunBody()).parameters
    work = partial(site.quality.run_registered, caller, name, parameters=parameters)
    return await site.vigil.answer(request, lambda withdrawn: work(withdrawn=withdrawn))
