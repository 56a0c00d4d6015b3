"""Routes of the registry of datasets."""

from typing import Annotated, Any

from fastapi import APIRouter, Request, Response
from pydantic import BeforeValidator, Field

from basecamp.routes import record
from basecamp.routes.access import ByCaller, InSite
from basecamp.routes.answer import as_json, documented, of_reply, page
from basecamp.routes.query import Page, Query, Strict, listed
from basecamp.routes.route import ApiRoute

router = APIRouter(prefix="/api/v1/datasets", route_class=ApiRoute, tags=["datasets"])


class SpecQuery(Page):
    tag: Annotated[list[str], BeforeValidator(listed)] = Field(default_factory=list)
    owner: str | None = None
    team: str | None = None
    domain: str | None = None
    search: str | None = None


class SpecBody(Strict):
    spec: dict[str, Any]
    force: bool = False


class DatasetRunBody(Strict):
    parameters: dict[str, Any] = Field(default_factory=dict)
    dry_run: bool = False
    skip_pre: bool = Field(default=False, description="Leave the pre statements out.")
    skip_post: bool = Field(default=False, description="Leave the post statements out.")


@router.get(
    "",
    responses=documented(422, ok_200=record.DatasetPage),
    openapi_extra={"x-repeatable-query": ["tag"]},
)
def list_datasets(site: InSite, query: Query[SpecQuery]) -> Response:
    """Registered datasets by name, and those known by their workflow; all tags must match."""
    records, total = site.datasets.list(**query.model_dump())
    return page("datasets", records, total, query.limit, query.offset)


@router.post(
    "",
    status_code=201,
    responses=documented(
        403, 409, 422, ok_200=record.RegisteredSpecRecord, ok_201=record.RegisteredSpecRecord
    ),
)
def register(site: InSite, caller: ByCaller, body: SpecBody) -> Response:
    """Keep the spec of a dataset as a new version."""
    return of_reply(site.datasets.register(caller, **body.model_dump()))


@router.get("/{name}", responses=documented(404, ok_200=record.RegisteredSpecRecord))
def get(site: InSite, name: str) -> Response:
    """The newest spec of a dataset."""
    return as_json(site.datasets.get(name))


@router.get("/{name}/versions", responses=documented(404, 422, ok_200=record.VersionPage))
def versions(site: InSite, name: str, query: Query[Page]) -> Response:
    """Registered versions of a dataset, newest first."""
    records, total = site.datasets.versions(name, **query.model_dump())
    return page("versions", records, total, query.limit, query.offset)


@router.post("/{name}/run", responses=documented(404, 409, 422, ok_200=record.DatasetRunRecord))
async def run(
    site: InSite, caller: ByCaller, request: Request, name: str, body: DatasetRunBody | None = None
) -> Response:
    """Run a dataset now, outside of its workflow; the answer comes when it is over."""
    given = body or DatasetRunBody()
    skipped = {"pre": given.skip_pre, "post": given.skip_post}
    left_out = [phase for phase, is_out in skipped.items() if is_out]
    return await site.vigil.answer(
        request,
        lambda withdrawn: site.execution.run_dataset(
            caller,
            name,
            parameters=given.parameters,
            dry_run=given.dry_run,
            left_out=left_out,
            withdrawn=withdrawn,
        ),
    )
