"""Routes of datasets: their registry, and running them."""

from operator import attrgetter
from typing import Any

from fastapi import Request, Response
from pydantic import Field

from basecamp.routes import record
from basecamp.routes.access import ByCaller, InSite
from basecamp.routes.answer import documented
from basecamp.routes.query import Strict
from basecamp.routes.registry import registry_router

router = registry_router("dataset", attrgetter("datasets"), record.DatasetPage, is_published=True)


class DatasetRunBody(Strict):
    parameters: dict[str, Any] = Field(default_factory=dict)
    dry_run: bool = False
    skip_pre: bool = Field(default=False, description="Leave the pre statements out.")
    skip_post: bool = Field(default=False, description="Leave the post statements out.")


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
