"""State SQL of workflows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    bindparam,
    case,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)

from basecamp.store import table
from basecamp.store.holding import is_held_by
from basecamp.store.name import name_contains

if TYPE_CHECKING:
    from datetime import datetime

_WORKFLOW = table.workflow
_NEXT_DUE = select(
    select(func.min(_WORKFLOW.c.next_fire_at)).scalar_subquery(),
    select(func.min(_WORKFLOW.c.pause_until)).scalar_subquery(),
)
_EFFECTIVE = (
    select(_WORKFLOW)
    .where(_WORKFLOW.c.dataset_name == bindparam("name"))
    .order_by(_WORKFLOW.c.source_type)
)
_CHANGE = update(_WORKFLOW).where(_WORKFLOW.c.id == bindparam("of_id"))
_SET_LAST_RUN = update(_WORKFLOW).where(
    _WORKFLOW.c.dataset_name == bindparam("of_name"),
    _WORKFLOW.c.source_type == bindparam("of_source"),
    or_(_WORKFLOW.c.last_run_at.is_(None), _WORKFLOW.c.last_run_at <= bindparam("at")),
)
WorkflowRow = Row[Any]


@dataclass(frozen=True)
class WorkflowFilter:
    """What a list of workflows is narrowed to; `None` or `False` does not narrow."""

    source_type: str | None = None
    status: str | None = None
    dataset: str | None = None
    owner: str | None = None
    running: bool = False
    enabled: bool = False
    teams: frozenset[str] | None = None


def find(tx: Connection, dataset_name: str, source_type: str) -> WorkflowRow | None:
    """The workflow of this name and source."""
    query = select(_WORKFLOW).where(
        _WORKFLOW.c.dataset_name == dataset_name, _WORKFLOW.c.source_type == source_type
    )
    return tx.execute(query).first()


def effective(tx: Connection, dataset_name: str) -> WorkflowRow | None:
    """The workflow in force under a name: CODE if there is one, else MANUAL."""
    return tx.execute(_EFFECTIVE, {"name": dataset_name}).first()


def page(
    tx: Connection, wanted: WorkflowFilter, limit: int, offset: int
) -> tuple[list[WorkflowRow], int]:
    """Workflows by name and how many there are; an exact match of `dataset` comes first."""
    conditions = _conditions(wanted)
    order: list[ColumnElement[Any]] = [
        _WORKFLOW.c.dataset_name.asc(),
        _WORKFLOW.c.source_type.asc(),
    ]
    if wanted.dataset is not None:
        exact = func.lower(_WORKFLOW.c.dataset_name) == wanted.dataset.lower()
        order.insert(0, case((exact, 0), else_=1))
    # An index holds all that it takes to find and order them; whole rows are read of the page only.
    shown = select(_WORKFLOW.c.id).where(*conditions).order_by(*order).limit(limit).offset(offset)
    if wanted.dataset is not None:  # every name is looked at: once, for the page and the number
        found = tx.execute(shown.add_columns(func.count().over().label("total"))).all()
        if found:
            query = select(_WORKFLOW).where(_WORKFLOW.c.id.in_([row.id for row in found]))
            return list(tx.execute(query.order_by(*order))), int(found[0].total)
    query = select(_WORKFLOW).where(_WORKFLOW.c.id.in_(shown)).order_by(*order)
    count = tx.execute(select(func.count()).select_from(_WORKFLOW).where(*conditions)).scalar_one()
    return list(tx.execute(query)), int(count)


def _conditions(wanted: WorkflowFilter) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wanted.teams is not None:
        found.append(is_held_by(_WORKFLOW.c.dataset_name, wanted.teams))
    if wanted.source_type is not None:
        found.append(_WORKFLOW.c.source_type == wanted.source_type)
    if wanted.status is not None:
        found.append(_WORKFLOW.c.status == wanted.status)
    if wanted.enabled:
        found.append(_WORKFLOW.c.status == "active")
    if wanted.owner is not None:
        found.append(_WORKFLOW.c.owner == wanted.owner)
    if wanted.dataset is not None:
        found.append(name_contains(_WORKFLOW.c.dataset_name, wanted.dataset))
    if wanted.running:
        active = (
            select(table.run.c.seq)
            .where(
                table.run.c.dataset_name == _WORKFLOW.c.dataset_name,
                table.run.c.source_type == _WORKFLOW.c.source_type,
                table.run.c.status.in_(("PENDING", "RUNNING")),
            )
            .exists()
        )
        found.append(active)
    return found


def add(tx: Connection, values: dict[str, Any]) -> None:
    """Insert a workflow."""
    tx.execute(insert(_WORKFLOW).values(**values))


def change(tx: Connection, workflow_id: int, values: dict[str, Any]) -> None:
    """Set columns of one workflow."""
    tx.execute(_CHANGE, {"of_id": workflow_id, **values})


def remove(tx: Connection, workflow_id: int) -> None:
    """Delete one workflow; its runs stay."""
    tx.execute(delete(_WORKFLOW).where(_WORKFLOW.c.id == workflow_id))


def of_source(tx: Connection, source_type: str) -> list[WorkflowRow]:
    """Every workflow of a source, by name."""
    query = select(_WORKFLOW).where(_WORKFLOW.c.source_type == source_type)
    return list(tx.execute(query.order_by(_WORKFLOW.c.dataset_name)))


def not_stored(tx: Connection) -> list[WorkflowRow]:
    """MANUAL workflows whose file is not yet in the spec store."""
    query = select(_WORKFLOW).where(_WORKFLOW.c.source_type == "manual", ~_WORKFLOW.c.stored)
    return list(tx.execute(query))


def due(tx: Connection, now: datetime, limit: int) -> list[WorkflowRow]:
    """Active workflows whose next fire has come, the longest overdue first."""
    query = select(_WORKFLOW).where(_WORKFLOW.c.next_fire_at <= now)
    return list(tx.execute(query.order_by(_WORKFLOW.c.next_fire_at).limit(limit)))


def pause_ended(tx: Connection, now: datetime) -> list[WorkflowRow]:
    """Paused workflows whose pause was to end by now."""
    return list(tx.execute(select(_WORKFLOW).where(_WORKFLOW.c.pause_until <= now)))


def next_due_at(tx: Connection) -> datetime | None:
    """When `due` or `pause_ended` will next have something."""
    return min((at for at in tx.execute(_NEXT_DUE).one() if at is not None), default=None)


def fingerprint(tx: Connection) -> tuple[Any, ...]:
    """Changes whenever a workflow comes, goes, changes, or gets its file in the spec store.

    Pauses count apart, so that none is overlooked when the clock has been set back.
    """
    paused = func.sum(case((_WORKFLOW.c.paused, _WORKFLOW.c.id), else_=0))
    query = select(
        func.count(),
        func.max(_WORKFLOW.c.updated_at),
        func.count().filter(_WORKFLOW.c.stored),
        paused,
    ).select_from(_WORKFLOW)
    return tuple(tx.execute(query).one())


def in_force(tx: Connection) -> list[WorkflowRow]:
    """The workflow in force under each name."""
    return list(tx.execute(select(_WORKFLOW).where(_WORKFLOW.c.status != "overridden")))


def set_last_run(
    tx: Connection, dataset_name: str, source_type: str, at: datetime, status: str
) -> None:
    """Remember the last finished run of a workflow."""
    of = {"of_name": dataset_name, "of_source": source_type}
    tx.execute(_SET_LAST_RUN, of | {"at": at, "last_run_at": at, "last_run_status": status})
