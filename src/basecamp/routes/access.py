"""What a route may reach, and who is asking."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends, Header, Request

from basecamp.auth import GuessLimit, given_token, refusal
from basecamp.errors import RequestRefusedError
from basecamp.rate import RequestRates
from basecamp.routes.vigil import Vigil
from basecamp.routes.waiting_room import WaitingRoom
from basecamp.routes.watch import RunWatch
from basecamp.services.audit import AuditService
from basecamp.services.backfill import BackfillService
from basecamp.services.catalog import CatalogService
from basecamp.services.command import Caller, Idempotency
from basecamp.services.execution import ExecutionService
from basecamp.services.health import HealthService
from basecamp.services.identity import Identities
from basecamp.services.lineage import LineageService
from basecamp.services.login import LoginService
from basecamp.services.permission import Actor
from basecamp.services.publish import PublishService
from basecamp.services.quality import QualityService
from basecamp.services.registry import RegistryService
from basecamp.services.run import RunService
from basecamp.services.token import TokenService
from basecamp.services.transpile import TranspileService
from basecamp.services.workflow import WorkflowService
from basecamp.specstore.name import is_name
from basecamp.telemetry import Metrics
from dli.exceptions import WorkflowNotFoundError

_RUN_ID = re.compile(r"[A-Za-z0-9._~-]{1,255}", re.ASCII)
_IDEMPOTENCY_KEY = re.compile(r"[\x20-\x7e]{1,255}")


@dataclass(frozen=True)
class Site:
    """The parts that `basecamp.app` has put together."""

    identities: Identities
    guesses: GuessLimit
    rates: RequestRates
    tokens: TokenService
    logins: LoginService
    metrics: Metrics
    health: HealthService
    watch: RunWatch
    vigil: Vigil
    audit: AuditService
    workflows: WorkflowService
    runs: RunService
    backfills: BackfillService
    publishing: PublishService
    datasets: RegistryService
    metric_specs: RegistryService
    execution: ExecutionService
    quality: QualityService
    transpile: TranspileService
    lineage: LineageService
    catalog: CatalogService
    waiting_room: WaitingRoom = field(default_factory=WaitingRoom)


def site_of(request: Request) -> Site:
    """The parts behind the application that answers."""
    site: Site = request.app.state.site
    return site


async def _site(request: Request) -> Site:
    return site_of(request)


async def _caller(
    request: Request,
    idempotency_key: Annotated[
        str | None,
        Header(
            description="1-255 printable ASCII characters; a repetition gets the first answer.",
            json_schema_extra={"pattern": f"^(?:{_IDEMPOTENCY_KEY.pattern})$"},
        ),
    ] = None,
) -> Caller:
    given = request.headers.getlist("idempotency-key")
    if len(given) > 1 or (idempotency_key is not None and not _is_key(idempotency_key)):
        raise RequestRefusedError("Idempotency-Key must be 1 to 255 printable ASCII characters.")
    key = None
    if idempotency_key is not None:
        key = Idempotency(
            idempotency_key, request.method, request.scope["path"], request.state.body_sha256
        )
    state = request.state
    return Caller(state.actor, state.request_id, key, state.traceparent)


async def _reader(request: Request) -> Caller:
    return Caller(request.state.actor, request.state.request_id)


def _is_key(text: str) -> bool:
    return _IDEMPOTENCY_KEY.fullmatch(text) is not None


async def _actor(request: Request) -> Actor:
    actor: Actor = request.state.actor
    return actor


async def _still(request: Request) -> Callable[[], Actor]:
    """Who asks, as their token tells now: for requests that wait while it may be revoked."""
    site, secret = site_of(request), given_token(request.headers)

    def actor() -> Actor:
        found = site.identities.find(secret)
        if found.actor is None:
            raise refusal(found.reason)
        return found.actor

    return actor


InSite = Annotated[Site, Depends(_site)]
ByActor = Annotated[Actor, Depends(_actor)]
StillActor = Annotated[Callable[[], Actor], Depends(_still)]
ByCaller = Annotated[Caller, Depends(_caller)]
ByReader = Annotated[Caller, Depends(_reader)]
"""Who only reads; where the reading itself is noted."""


async def _dataset_name(dataset_name: str) -> str:
    if not is_name(dataset_name):
        raise WorkflowNotFoundError("There is no such workflow.")
    return dataset_name


async def _run_id(run_id: str) -> str:
    if _RUN_ID.fullmatch(run_id) is None:
        raise WorkflowNotFoundError("There is no such run.")
    return run_id


OfDataset = Annotated[str, Depends(_dataset_name)]
OfRun = Annotated[str, Depends(_run_id)]
