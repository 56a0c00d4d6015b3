"""State SQL of the schedules of quality specs: when each fires next, and which fire is not done."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from basecamp.store import table

if TYPE_CHECKING:
    from datetime import datetime

__all__ = ["ScheduleRow", "all_rows", "begin", "due", "end", "forget", "next_at", "put", "take"]

_SCHEDULE = table.quality_schedule

ScheduleRow = Row[Any]


def all_rows(tx: Connection) -> list[ScheduleRow]:
    """The schedules of all registered specs, also of those that do not run by themselves."""
    return list(tx.execute(select(_SCHEDULE)))


def put(tx: Connection, name: str, **values: Any) -> None:
    """Make or change the schedule of a spec."""
    changed = tx.execute(update(_SCHEDULE).where(_SCHEDULE.c.name == name).values(values))
    if not changed.rowcount:
        tx.execute(insert(_SCHEDULE).values(name=name, attempt=0, **values))


def forget(tx: Connection, name: str) -> None:
    """The spec of this name is gone."""
    tx.execute(delete(_SCHEDULE).where(_SCHEDULE.c.name == name))


def due(tx: Connection, now: datetime) -> list[ScheduleRow]:
    """Schedules whose next fire has come."""
    return list(tx.execute(select(_SCHEDULE).where(_SCHEDULE.c.next_fire_at <= now)))


def begin(tx: Connection, name: str, fire: datetime, following: datetime | None) -> None:
    """A fire is to be done; one that was not done yet gives way to it."""
    values = {"pending_at": fire, "try_at": fire, "attempt": 0, "next_fire_at": following}
    tx.execute(update(_SCHEDULE).where(_SCHEDULE.c.name == name).values(values))


def take(tx: Connection, now: datetime, until: datetime) -> list[ScheduleRow]:
    """Fires that are to be done now; nobody else takes them before `until`."""
    is_ready = (_SCHEDULE.c.pending_at.is_not(None), _SCHEDULE.c.try_at <= now)
    rows = list(tx.execute(select(_SCHEDULE).where(*is_ready).order_by(_SCHEDULE.c.try_at)))
    tx.execute(update(_SCHEDULE).where(*is_ready).values(try_at=until))
    return rows


def end(tx: Connection, row: ScheduleRow, try_again_at: datetime | None = None) -> None:
    """The fire of this row is done, or is tried again; a newer fire is left alone."""
    values: dict[str, Any] = {"pending_at": None, "try_at": None}
    if try_again_at is not None:
        values = {"try_at": try_again_at, "attempt": row.attempt + 1}
    is_same = (_SCHEDULE.c.name == row.name, _SCHEDULE.c.pending_at == row.pending_at)
    tx.execute(update(_SCHEDULE).where(*is_same).values(values))


def next_at(tx: Connection) -> datetime | None:
    """When there is something to do next; None without schedules."""
    columns = (_SCHEDULE.c.next_fire_at, _SCHEDULE.c.try_at)
    found = tx.execute(select(*map(func.min, columns))).one()
    return min((at for at in found if at is not None), default=None)
