"""State SQL of backfills."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Row, insert, select, update

from basecamp.store import table

if TYPE_CHECKING:
    from datetime import datetime

_BACKFILL = table.backfill
BackfillRow = Row[Any]
_OPEN = _BACKFILL.c.status.in_(("PENDING", "RUNNING"))


def add(tx: Connection, values: dict[str, Any]) -> None:
    """Insert a backfill; its runs are added apart."""
    tx.execute(insert(_BACKFILL).values(**values))


def find(tx: Connection, backfill_id: str) -> BackfillRow | None:
    """The backfill with this id."""
    return tx.execute(select(_BACKFILL).where(_BACKFILL.c.backfill_id == backfill_id)).first()


def start(tx: Connection, backfill_id: str, now: datetime) -> None:
    """The first run of the backfill begins."""
    tx.execute(
        update(_BACKFILL)
        .where(_BACKFILL.c.backfill_id == backfill_id, _BACKFILL.c.status == "PENDING")
        .values(status="RUNNING", started_at=now)
    )


def complete_one(tx: Connection, backfill_id: str, now: datetime) -> None:
    """One more run is COMPLETED; the last one completes the backfill."""
    this = _BACKFILL.c.backfill_id == backfill_id
    tx.execute(update(_BACKFILL).where(this).values(completed_runs=_BACKFILL.c.completed_runs + 1))
    tx.execute(
        update(_BACKFILL)
        .where(this, _OPEN, _BACKFILL.c.completed_runs == _BACKFILL.c.total_runs)
        .values(status="COMPLETED", finished_at=now)
    )


def end(
    tx: Connection,
    backfill_id: str,
    status: str,
    now: datetime,
    *,
    error_message: str | None = None,
    stop_reason: str | None = None,
) -> None:
    """End an open backfill as FAILED or KILLED."""
    tx.execute(
        update(_BACKFILL)
        .where(_BACKFILL.c.backfill_id == backfill_id, _OPEN)
        .values(
            status=status, finished_at=now, error_message=error_message, stop_reason=stop_reason
        )
    )


def end_queued(
    tx: Connection, dataset_name: str, source_type: str, now: datetime, stop_reason: str | None
) -> None:
    """End as KILLED the open backfills of a workflow that goes away."""
    tx.execute(
        update(_BACKFILL)
        .where(
            _BACKFILL.c.dataset_name == dataset_name, _BACKFILL.c.source_type == source_type, _OPEN
        )
        .values(status="KILLED", finished_at=now, stop_reason=stop_reason)
    )
