"""The route of statements of their own."""

from functools import partial
from typing import Any, Literal

from fastapi import APIRouter, Request, Response
from pydantic import Field

from basecamp.routes import record
from basecamp.routes.access import ByCaller, InSite
from basecamp.routes.answer import documented
from basecamp.routes.query import Strict
from basecamp.routes.route import ApiRoute

router = APIRouter(prefix="/api/v1/sql", route_class=ApiRoute, tags=["datasets"])


class SqlBody(Strict):
    sql: str = Field(min_length=1)
    parameters: dict[str, Any] = Field(default_factory=dict)
    dialect: Literal["trino", "bigquery", "snowflake", "duckdb", "spark"] | None = Field(
        None, description="Default: that of the server's project."
    )
    transpile: bool = Field(
        default=True, description="Apply the transpile rules of the server's project."
    )
    strict: bool = Field(default=False, description="A warning of the rules is an error.")
    dry_run: bool = False


@router.post("/run", responses=documented(409, 422, ok_200=record.SqlRunRecord))
async def run(site: InSite, caller: ByCaller, request: Request, body: SqlBody) -> Response:
    """Run one statement now; of a query the first rows come along."""
    work = partial(site.execution.run_sql, caller, **body.model_dump())
    return await site.vigil.answer(request, lambda withdrawn: work(withdrawn=withdrawn))
