"""Route of publishing: the whole CODE set at once."""

from typing import Annotated, Any

from fastapi import APIRouter, Response
from pydantic import Field

from basecamp.routes import record
from basecamp.routes.access import ByCaller, InSite
from basecamp.routes.answer import documented, of_reply
from basecamp.routes.body import PUBLISH_LIMIT_BYTES
from basecamp.routes.query import Strict
from basecamp.routes.route import ApiRoute

router = APIRouter(prefix="/api/v1/workflows", route_class=ApiRoute, tags=["workflows"])


class PublishBody(Strict):
    specs: Annotated[list[dict[str, Any]], Field(max_length=20_000)]
    version: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    dry_run: bool = False


@router.post(
    "/publish",
    responses=documented(409, 422, ok_200=record.PublicationRecord),
    openapi_extra={"x-body-limit-bytes": PUBLISH_LIMIT_BYTES},
)
def publish(site: InSite, caller: ByCaller, body: PublishBody) -> Response:
    """Bring a set of specs in force as one version; names that are not in it are removed."""
    reply = site.publishing.publish(caller, **body.model_dump())
    return of_reply(reply)
