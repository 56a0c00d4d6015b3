"""State SQL of origins: the request that a run was asked by, and its place in a trace."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import Connection, bindparam, insert, select

from basecamp.store import table

if TYPE_CHECKING:
    from collections.abc import Iterable

_ORIGIN = table.origin
_ADD = insert(_ORIGIN)
_FIND = select(_ORIGIN.c.request_id, _ORIGIN.c.traceparent).where(
    _ORIGIN.c.run_id == bindparam("run_id")
)


class Origin(NamedTuple):
    """Both are None for a run that a schedule asked for."""

    request_id: str | None = None
    traceparent: str | None = None


def add(tx: Connection, run_ids: Iterable[str], origin: Origin) -> None:
    """Remember what these runs come from, if there is anything to remember."""
    rows = [{"run_id": run_id, **origin._asdict()} for run_id in run_ids]
    if rows and any(origin):
        tx.execute(_ADD, rows)


def find(tx: Connection, run_id: str) -> Origin:
    """What a run comes from."""
    row = tx.execute(_FIND, {"run_id": run_id}).first()
    return Origin() if row is None else Origin(*row)
