"""The row of a run that is about to be queued."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import datetime

    from basecamp.store.run import RunRow
    from basecamp.store.workflow import WorkflowRow
    from dli.specs.schedule import Interval


def new_run_id(now: datetime, kind: str = "run") -> str:
    """An id that sorts by time and is unique for ever."""
    return f"{kind}-{now:%Y%m%dT%H%M%S}-{secrets.token_hex(6)}"


def run_values(
    source: WorkflowRow,
    interval: Interval,
    *,
    run_type: str,
    now: datetime,
    triggered_by: str,
    parameters: dict[str, Any] | None = None,
    backfill_id: str | None = None,
    scheduled: bool = False,
) -> dict[str, Any]:
    """The row of a new PENDING run of a workflow for one data interval."""
    return {
        "run_id": new_run_id(now),
        "dataset_name": source.dataset_name,
        "source_type": source.source_type,
        "status": "PENDING",
        "run_type": run_type,
        "parameters": parameters or {},
        "interval_start": interval.start,
        "interval_end": interval.end,
        "scheduled_for": interval.start if scheduled else None,
        "timezone": source.timezone,
        "spec_hash": source.spec_hash,
        "backfill_id": backfill_id,
        "triggered_by": triggered_by,
        "created_at": now,
        "attempt": 0,
        "max_attempts": source.retry_max_attempts,
        "retry_delay_seconds": source.retry_delay_seconds,
        "timeout_seconds": source.timeout_seconds,
        "claim": 0,
        "crashes": 0,
    }


_REPEATED = (
    "dataset_name",
    "source_type",
    "parameters",
    "interval_start",
    "interval_end",
    "timezone",
    "spec_hash",
    "max_attempts",
    "retry_delay_seconds",
    "timeout_seconds",
)


def repeated_values(
    first: RunRow, run_id: str, *, triggered_by: str, now: datetime
) -> dict[str, Any]:
    """The row of a PENDING run that does an earlier one once more."""
    return {name: getattr(first, name) for name in _REPEATED} | {
        "run_id": run_id,
        "status": "PENDING",
        "run_type": "adhoc",
        "triggered_by": triggered_by,
        "created_at": now,
        "attempt": 0,
        "claim": 0,
        "crashes": 0,
    }
