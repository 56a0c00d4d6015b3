"""Who may do what: roles, scopes, and the one function that decides on an effect.

A right follows from the effect and never from the route: whatever starts a run of a dataset asks
for the same one.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from basecamp.store import holding
from dli.exceptions import DLIError, WorkflowPermissionError

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection

ALL_TEAMS = "*"
"""Stands for every team, those to come included, and for what no team holds."""


class Role(StrEnum):
    """What somebody is on the server."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    OWNER = "owner"
    ADMIN = "admin"
    AUDITOR = "auditor"


class Effect(StrEnum):
    """What a request brings about; the words of the audit trail."""

    DATASET_READ = "dataset.read"
    METRIC_READ = "metric.read"
    TABLE_READ = "table.read"
    PROJECT_READ = "project.read"
    RUN_READ = "run.read"
    TABLE_SAMPLE = "table.sample"
    METRIC_RUN = "metric.run"
    RUN_START = "run.start"
    DATASET_RUN = "dataset.run"
    RUN_STOP = "run.stop"
    BACKFILL_START = "backfill.start"
    WORKFLOW_PAUSE = "workflow.pause"
    WORKFLOW_UNPAUSE = "workflow.unpause"
    WORKFLOW_REGISTER = "workflow.register"
    WORKFLOW_UNREGISTER = "workflow.unregister"
    DATASET_REGISTER = "dataset.register"
    METRIC_REGISTER = "metric.register"
    CODE_PUBLISH = "code.publish"
    SQL_RUN = "sql.run"
    QUALITY_READ = "quality.read"
    QUALITY_RUN = "quality.run"
    QUALITY_SEND = "quality.send"
    QUALITY_REGISTER = "quality.register"
    TOKEN_READ = "token.read"  # noqa: S105 - the name of an effect
    TOKEN_CREATE = "token.create"  # noqa: S105
    TOKEN_ROTATE = "token.rotate"  # noqa: S105
    TOKEN_REVOKE = "token.revoke"  # noqa: S105
    AUDIT_READ = "audit.read"
    SESSION_OPEN = "session.open"
    SESSION_CLOSE = "session.close"
    SESSION_LOGIN = "session.login"
    SESSION_EXCHANGE = "session.exchange"


SCOPE_OF: dict[Effect, str] = {
    Effect.DATASET_READ: "dataset:read",
    Effect.METRIC_READ: "dataset:read",
    Effect.TABLE_READ: "dataset:read",
    Effect.PROJECT_READ: "dataset:read",
    Effect.RUN_READ: "run:read",
    Effect.TABLE_SAMPLE: "data:read",
    Effect.METRIC_RUN: "data:read",
    Effect.RUN_START: "run:create",
    Effect.DATASET_RUN: "run:create",
    Effect.RUN_STOP: "run:stop",
    Effect.BACKFILL_START: "backfill:create",
    Effect.WORKFLOW_PAUSE: "schedule:pause",
    Effect.WORKFLOW_UNPAUSE: "schedule:pause",
    Effect.WORKFLOW_REGISTER: "dataset:write",
    Effect.WORKFLOW_UNREGISTER: "dataset:write",
    Effect.DATASET_REGISTER: "dataset:write",
    Effect.METRIC_REGISTER: "dataset:write",
    Effect.QUALITY_READ: "dataset:read",
    Effect.QUALITY_RUN: "run:create",
    Effect.QUALITY_SEND: "dataset:write",  # its tests may hold any SQL, as a registered spec may
    Effect.QUALITY_REGISTER: "dataset:write",
    Effect.CODE_PUBLISH: "code:publish",
    Effect.SQL_RUN: "sql:run",
    Effect.TOKEN_READ: "token:admin",
    Effect.TOKEN_CREATE: "token:admin",
    Effect.TOKEN_ROTATE: "token:admin",
    Effect.TOKEN_REVOKE: "token:admin",
    Effect.AUDIT_READ: "audit:read",
}

_VIEWER = frozenset({"dataset:read", "run:read", "data:read"})
_OPERATOR = _VIEWER | {"run:create", "run:stop", "backfill:create", "schedule:pause"}
_OWNER = _OPERATOR | {"dataset:write"}

SCOPES_OF: dict[Role, frozenset[str]] = {
    Role.VIEWER: _VIEWER,
    Role.OPERATOR: _OPERATOR,
    Role.OWNER: _OWNER,
    Role.ADMIN: _OWNER | {"token:admin", "audit:read"},
    Role.AUDITOR: frozenset({"audit:read"}),
}
OWN_SCOPES = frozenset({"code:publish", "sql:run"})
"""No role has them: they reach over every team's data, and are given by name or not at all."""

_FOR_EVERYBODY = frozenset(
    {Effect.SESSION_OPEN, Effect.SESSION_CLOSE, Effect.SESSION_LOGIN, Effect.SESSION_EXCHANGE}
)
"""Effects on who asks alone, for everybody who is known."""

_ON_THE_SERVER = _FOR_EVERYBODY | frozenset(
    {
        Effect.PROJECT_READ,
        Effect.SQL_RUN,
        Effect.TOKEN_READ,
        Effect.TOKEN_CREATE,
        Effect.TOKEN_ROTATE,
        Effect.TOKEN_REVOKE,
        Effect.AUDIT_READ,
    }
)
"""Effects that are on nothing a team could hold."""


@dataclass(frozen=True)
class Actor:
    """Who asks. `teams` holds `ALL_TEAMS` for somebody who is in each."""

    name: str
    role: Role
    teams: frozenset[str]
    scopes: frozenset[str]
    token_id: str | None = None

    @property
    def is_everywhere(self) -> bool:
        return ALL_TEAMS in self.teams


@dataclass(frozen=True)
class Resource:
    """What an effect is on; `hidden` is the answer to those who may not know that it is there.

    Without a team it is nobody's, and only for who is in every team.
    """

    team: str | None = None
    hidden: Callable[[], DLIError] | None = None


SERVER = Resource()


def local_actor(name: str) -> Actor:
    """Who has the token that this machine generated: the user of the embedded mode."""
    scopes = SCOPES_OF[Role.ADMIN] | OWN_SCOPES
    return Actor(name, Role.ADMIN, frozenset({ALL_TEAMS}), scopes)


def authorize(actor: Actor, effect: Effect, resource: Resource) -> None:
    """Let the effect happen, or refuse it; what no rule allows is refused.

    The scope is looked at first, so that who lacks it learns nothing of what there is.

    Raises:
        WorkflowPermissionError: not allowed (803).
        DLIError: `resource.hidden`, where it is given and the resource is another team's.
    """
    _check_scope(actor, effect)
    if effect in _ON_THE_SERVER or actor.is_everywhere or resource.team in actor.teams:
        return
    if resource.hidden is not None:
        raise resource.hidden()
    raise WorkflowPermissionError("This is for another team than the caller's.")


def authorize_named(
    tx: Connection,
    actor: Actor,
    effect: Effect,
    name: str,
    *,
    kind: str = holding.DATASET,
    hidden: Callable[[], DLIError] | None = None,
) -> None:
    """`authorize` on a dataset or metric, which is the team's that holds its name."""
    team = None if actor.is_everywhere else holding.team(tx, kind, name)
    authorize(actor, effect, Resource(team, hidden))


def authorize_writing(
    tx: Connection,
    actor: Actor,
    effect: Effect,
    name: str,
    content: dict[str, Any] | None,
    *,
    kind: str = holding.DATASET,
) -> None:
    """`authorize` on a name that gets a new spec: on the team that has it and the one that will.

    So nobody takes a name from another team or gives one away. What has no team yet cannot be
    made either.
    """
    _check_scope(actor, effect)
    if actor.is_everywhere:
        return
    for team in (holding.team(tx, kind, name), (content or {}).get("team")):
        if isinstance(team, str):
            authorize(actor, effect, Resource(team))


def teams_within(actor: Actor, effect: Effect) -> frozenset[str] | None:
    """The teams whose things a list, search or count may show; `None` for all, held or not.

    Raises:
        WorkflowPermissionError: the caller may see none at all (803).
    """
    _check_scope(actor, effect)
    return None if actor.is_everywhere else actor.teams


def _check_scope(actor: Actor, effect: Effect) -> None:
    if effect in _FOR_EVERYBODY:
        return
    scope = SCOPE_OF[effect]
    if scope not in actor.scopes:
        raise WorkflowPermissionError(f"This needs the scope {scope}, which the caller has not.")
