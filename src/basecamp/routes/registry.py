"""The routes that every registry of specs has: list, register, show, versions."""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Response
from pydantic import BeforeValidator, Field

from basecamp.routes import record
from basecamp.routes.access import ByActor, ByCaller, InSite, Site
from basecamp.routes.answer import as_json, documented, of_reply, page
from basecamp.routes.query import Page, Query, Strict, listed
from basecamp.routes.route import ApiRoute
from basecamp.services.registry import RegistryService

__all__ = ["registry_router"]


class SpecQuery(Page):
    tag: Annotated[list[str], BeforeValidator(listed)] = Field(default_factory=list)
    owner: str | None = None
    team: str | None = None
    domain: str | None = None
    search: str | None = None


class SpecBody(Strict):
    spec: dict[str, Any]
    force: bool = False


def registry_router(
    noun: str,
    registry: Callable[[Site], RegistryService],
    pages: type[record.PageRecord],
    *,
    is_published: bool,
) -> APIRouter:
    """`is_published`: specs may come from Git, too, and are not changed here then."""
    plural = f"{noun}s"
    router = APIRouter(prefix=f"/api/v1/{plural}", route_class=ApiRoute, tags=[plural])
    spec = record.RegisteredSpecRecord
    known = ", and those known by their workflow" if is_published else ""
    refusals = (403, 409, 422) if is_published else (409, 422)

    @router.get(
        "",
        responses=documented(422, ok_200=pages),
        openapi_extra={"x-repeatable-query": ["tag"]},
        description=f"Registered {plural} by name{known}; all tags must match.",
    )
    def list_specs(site: InSite, actor: ByActor, query: Query[SpecQuery]) -> Response:
        records, total = registry(site).list(actor, **query.model_dump())
        return page(plural, records, total, query.limit, query.offset)

    @router.post(
        "",
        status_code=201,
        responses=documented(*refusals, ok_200=spec, ok_201=spec),
        description=f"Keep the spec of a {noun} as a new version.",
    )
    def register(site: InSite, caller: ByCaller, body: SpecBody) -> Response:
        return of_reply(registry(site).register(caller, **body.model_dump()))

    @router.get(
        "/{name}",
        responses=documented(404, ok_200=spec),
        description=f"The newest spec of a {noun}.",
    )
    def get(site: InSite, actor: ByActor, name: str) -> Response:
        return as_json(registry(site).get(actor, name))

    @router.get(
        "/{name}/versions",
        responses=documented(404, 422, ok_200=record.VersionPage),
        description=f"Registered versions of a {noun}, newest first.",
    )
    def versions(site: InSite, actor: ByActor, name: str, query: Query[Page]) -> Response:
        records, total = registry(site).versions(actor, name, **query.model_dump())
        return page("versions", records, total, query.limit, query.offset)

    return router
