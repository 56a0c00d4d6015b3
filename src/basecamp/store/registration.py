"""State SQL of the registry: every version of a dataset's or metric's spec, with its author."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, func, insert, or_, select

from basecamp.store import table
from basecamp.store.holding import is_held_by

if TYPE_CHECKING:
    from datetime import datetime

__all__ = ["Entry", "RegistrationFilter", "add", "entries", "entry", "versions"]

_REGISTRATION = table.registration
_WORKFLOW = table.workflow

RegistrationRow = Row[Any]


@dataclass(frozen=True)
class RegistrationFilter:
    """What a list is narrowed to."""

    owner: str | None = None
    team: str | None = None
    search: str | None = None
    teams: frozenset[str] | None = None
    """Those that may hold the name; the spec's own team is `team`."""


class Entry(NamedTuple):
    """What a name stands for: the newest version, or (without a number) a workflow's spec."""

    name: str
    spec_hash: str
    created_at: datetime
    updated_at: datetime
    tags: list[str]
    version: int | None = None
    author: str | None = None


def add(
    tx: Connection, kind: str, content: dict[str, Any], spec_hash: str, *, by: str, at: datetime
) -> int:
    """Keep a spec as the next version of its name and return the number."""
    name = content["name"]
    newest = select(func.max(_REGISTRATION.c.version)).where(_is(kind, name))
    version = (tx.execute(newest).scalar() or 0) + 1
    values = {
        "kind": kind,
        "name": name,
        "version": version,
        "spec_hash": spec_hash,
        "owner": content["owner"],
        "team": content["team"],
        "description": content.get("description", ""),
        "tags": content.get("tags", []),
        "author": by,
        "created_at": at,
    }
    tx.execute(insert(_REGISTRATION).values(values))
    return version


def versions(tx: Connection, kind: str, name: str) -> list[RegistrationRow]:
    """All versions of a name, newest first."""
    query = select(_REGISTRATION).where(_is(kind, name)).order_by(_REGISTRATION.c.version.desc())
    return list(tx.execute(query))


def entry(tx: Connection, kind: str, name: str) -> Entry | None:
    """What the name stands for; a CODE workflow's spec goes before a registered one."""
    query = _newest(kind).where(_REGISTRATION.c.name == name)
    found = _by_name(tx, kind, query, _workflows().where(_WORKFLOW.c.dataset_name == name))
    return found.get(name)


def entries(tx: Connection, kind: str, wanted: RegistrationFilter) -> list[Entry]:
    """Everything registered that the filter leaves, by name."""
    registered = _narrowed(_newest(kind), _REGISTRATION.c, _REGISTRATION.c.name, wanted)
    workflows = _narrowed(_workflows(), _WORKFLOW.c, _WORKFLOW.c.dataset_name, wanted)
    if wanted.teams is not None:
        registered = registered.where(is_held_by(_REGISTRATION.c.name, wanted.teams, kind))
        workflows = workflows.where(is_held_by(_WORKFLOW.c.dataset_name, wanted.teams, kind))
    found = _by_name(tx, kind, registered, workflows)
    return [found[name] for name in sorted(found)]


def _is(kind: str, name: str) -> Any:
    return and_(_REGISTRATION.c.kind == kind, _REGISTRATION.c.name == name)


def _newest(kind: str) -> Select[Any]:
    grouped = (
        select(
            _REGISTRATION.c.name,
            func.max(_REGISTRATION.c.version).label("version"),
            func.min(_REGISTRATION.c.created_at).label("first_at"),
        )
        .where(_REGISTRATION.c.kind == kind)
        .group_by(_REGISTRATION.c.name)
        .subquery()
    )
    is_newest = and_(
        _REGISTRATION.c.kind == kind,
        _REGISTRATION.c.name == grouped.c.name,
        _REGISTRATION.c.version == grouped.c.version,
    )
    # A CODE workflow is in force whatever was registered before it came.
    is_hidden = (
        select(_WORKFLOW.c.id)
        .where(_WORKFLOW.c.dataset_name == _REGISTRATION.c.name, _WORKFLOW.c.source_type == "code")
        .exists()
    )
    columns: list[ColumnElement[Any]] = [
        _REGISTRATION.c.name,
        _REGISTRATION.c.spec_hash,
        grouped.c.first_at,
        _REGISTRATION.c.created_at,
        _REGISTRATION.c.tags,
        _REGISTRATION.c.version,
        _REGISTRATION.c.author,
    ]
    query = select(*columns).join(grouped, is_newest)
    return query.where(~is_hidden) if kind == "dataset" else query


def _workflows() -> Select[Any]:
    """Datasets that are known by their workflows only."""
    is_registered = (
        select(_REGISTRATION.c.name)
        .where(_REGISTRATION.c.kind == "dataset")
        .where(_REGISTRATION.c.name == _WORKFLOW.c.dataset_name)
        .exists()
    )
    columns: list[ColumnElement[Any]] = [
        _WORKFLOW.c.dataset_name,
        _WORKFLOW.c.spec_hash,
        _WORKFLOW.c.created_at,
        _WORKFLOW.c.updated_at,
        _WORKFLOW.c.tags,
    ]
    return (
        select(*columns)
        .where(_WORKFLOW.c.status != "overridden")
        .where(or_(_WORKFLOW.c.source_type == "code", ~is_registered))
    )


def _narrowed(
    query: Select[Any], columns: Any, name: Any, wanted: RegistrationFilter
) -> Select[Any]:
    if wanted.owner is not None:
        query = query.where(columns.owner == wanted.owner)
    if wanted.team is not None:
        query = query.where(columns.team == wanted.team)
    if wanted.search is not None:
        word = wanted.search.lower()
        in_name = func.lower(name).contains(word, autoescape=True)
        in_text = func.lower(columns.description).contains(word, autoescape=True)
        query = query.where(or_(in_name, in_text))
    return query


def _by_name(
    tx: Connection, kind: str, registered: Select[Any], workflows: Select[Any]
) -> dict[str, Entry]:
    found = {row.name: Entry(*row) for row in tx.execute(registered)}
    if kind == "dataset":
        found |= {row.dataset_name: Entry(*row) for row in tx.execute(workflows)}
    return found
