"""Ticks of schedules: each becomes a run, or is recorded so that none disappears silently."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, func, insert, select

from basecamp.store import expiry, run, table
from basecamp.store.new_run import run_values
from dli.specs.schedule import interval_of

if TYPE_CHECKING:
    from datetime import datetime

    from basecamp.store.workflow import WorkflowRow

_TICKS = table.skipped_tick


def miss(
    tx: Connection,
    row: WorkflowRow,
    first_at: datetime,
    last_at: datetime,
    *,
    count: int,
    now: datetime,
) -> None:
    """Record `count` ticks of a workflow, first to last, that came while nobody could run them."""
    tx.execute(
        insert(_TICKS).values(
            dataset_name=row.dataset_name,
            source_type=row.source_type,
            first_at=first_at,
            last_at=last_at,
            count=count,
            reason="missed",
            created_at=now,
        )
    )


def fire(tx: Connection, row: WorkflowRow, fire_at: datetime, now: datetime) -> str | None:
    """Queue the scheduled run of a tick; returns its id, `None` when it is there already."""
    interval = interval_of(row.cron, row.timezone, fire_at)
    if expiry.has_fired(tx, row.dataset_name, interval.start):
        return None
    values = run_values(
        row, interval, run_type="scheduled", now=now, triggered_by="scheduler", scheduled=True
    )
    run_id: str = values["run_id"]
    return run_id if run.add_scheduled(tx, values) else None


def newest(tx: Connection, dataset_name: str, limit: int = 20) -> list[dict[str, Any]]:
    """The latest skipped ticks of a dataset, newest first."""
    query = (
        select(_TICKS.c.first_at, _TICKS.c.last_at, _TICKS.c.count, _TICKS.c.reason)
        .where(_TICKS.c.dataset_name == dataset_name)
        .order_by(_TICKS.c.id.desc())
        .limit(limit)
    )
    return [dict(row) for row in tx.execute(query).mappings()]


def totals(tx: Connection) -> dict[str, int]:
    """How many ticks were skipped, by reason."""
    query = select(_TICKS.c.reason, func.sum(_TICKS.c.count)).group_by(_TICKS.c.reason)
    return {reason: int(count) for reason, count in tx.execute(query)}
