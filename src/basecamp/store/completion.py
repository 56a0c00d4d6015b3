"""State SQL of the runs of a dataset that have completed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from basecamp.store import table, tally

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from basecamp.store.run import RunRow

__all__ = ["count", "newest"]

_RUN = table.run
_TALLY = table.tally
_COMPLETED = "COMPLETED"


def count(tx: Connection, dataset_name: str) -> int:
    """How many there are."""
    is_one = [_TALLY.c.dataset_name == dataset_name, _TALLY.c.status == _COMPLETED]
    return tally.total(tx, is_one)


def newest(tx: Connection, dataset_name: str, limit: int) -> list[RunRow]:
    """The newest of them, newest first."""
    wanted = min(limit, count(tx, dataset_name))
    if not wanted:  # a search for what is not there would read every run
        return []
    query = select(_RUN).where(_RUN.c.dataset_name == dataset_name, _RUN.c.status == _COMPLETED)
    return list(tx.execute(query.order_by(_RUN.c.seq.desc()).limit(wanted)))
