"""Counts of runs per dataset, source, kind and state, so that a history need not count rows."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, func, select
from sqlalchemy.dialects import postgresql, sqlite

from basecamp.store import table

_TALLY = table.tally


def _count(insert: sqlite.Insert | postgresql.Insert) -> sqlite.Insert | postgresql.Insert:
    return insert.on_conflict_do_update(
        index_elements=list(_TALLY.primary_key.columns),
        set_={"count": _TALLY.c.count + insert.excluded.count},
    )


_COUNT = {
    "sqlite": _count(sqlite.insert(_TALLY)),
    "postgresql": _count(postgresql.insert(_TALLY)),
}


class TallyKey(NamedTuple):
    """What one counter counts."""

    dataset_name: str
    source_type: str
    run_type: str
    status: str


class Duration(NamedTuple):
    """How long a run took from its first attempt to its end."""

    run_type: str
    status: str
    seconds: float


class Tally:
    """Changes to the counters, collected in a transaction and written at its end.

    Along with them goes what only the metrics of this server want to know of it.
    """

    def __init__(self) -> None:
        self._changes: Counter[TallyKey] = Counter()
        self.delays_s: list[float] = []
        """By how much scheduled runs began after their fire."""
        self.durations: list[Duration] = []
        """How long runs took that have ended."""

    def add(self, key: TallyKey, count: int = 1) -> None:
        """Count `count` more runs under `key`."""
        self._changes[key] += count

    def move(self, key: TallyKey, status: str) -> None:
        """Count one run under `status` instead of under `key`."""
        self._changes[key] -= 1
        self._changes[key._replace(status=status)] += 1

    def write(self, tx: Connection) -> None:
        """Apply the collected changes."""
        rows = [
            {**key._asdict(), "count": change}
            for key, change in sorted(self._changes.items())
            if change
        ]
        self._changes.clear()
        if not rows:
            return
        tx.execute(_COUNT[tx.dialect.name], rows)


def total(tx: Connection, conditions: list[ColumnElement[bool]]) -> int:
    """The number of runs whose counters meet all `conditions`."""
    query = select(func.coalesce(func.sum(_TALLY.c.count), 0)).where(*conditions)
    return int(tx.execute(query).scalar_one())


def by_status(tx: Connection) -> dict[tuple[str, str], int]:
    """The number of runs for each status and kind."""
    query = select(_TALLY.c.status, _TALLY.c.run_type, func.sum(_TALLY.c.count)).group_by(
        _TALLY.c.status, _TALLY.c.run_type
    )
    return {(status, run_type): int(count) for status, run_type, count in tx.execute(query)}
