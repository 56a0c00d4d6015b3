"""Rows of the store as the JSON records of the HTTP API."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from basecamp.store.backfill import BackfillRow
    from basecamp.store.registration import RegistrationRow
    from basecamp.store.run import RunRow
    from basecamp.store.workflow import WorkflowRow


def wire_time(instant: datetime | None) -> str | None:
    """RFC 3339 in UTC with `Z`."""
    if instant is None:
        return None
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")


def workflow_record(row: WorkflowRow, hold: str | None = None) -> dict[str, Any]:
    """A workflow as `http.md` names it; `hold` is why its engine starts no run of it."""
    if row.status == "overridden":
        hold = None
    return {
        "dataset_name": row.dataset_name,
        "source_type": row.source_type,
        "status": row.status,
        "enabled": row.status == "active",
        "cron": row.cron,
        "timezone": row.timezone,
        "next_run": wire_time(row.next_fire_at),
        "overridden_by": "code" if row.status == "overridden" else None,
        "owner": row.owner,
        "team": row.team,
        "description": row.description,
        "tags": row.tags,
        "retry_max_attempts": row.retry_max_attempts,
        "retry_delay_seconds": row.retry_delay_seconds,
        "last_run_at": wire_time(row.last_run_at),
        "last_run_status": row.last_run_status,
        "pause_reason": row.pause_reason,
        "paused_by": row.paused_by,
        "pause_until": wire_time(row.pause_until),
        "error": "; ".join(text for text in (row.error, hold) if text) or None,
        "created_at": wire_time(row.created_at),
        "updated_at": wire_time(row.updated_at),
    }


def run_record(row: RunRow) -> dict[str, Any]:
    """A run as `http.md` names it."""
    return {
        "run_id": row.run_id,
        "dataset_name": row.dataset_name,
        "source_type": row.source_type,
        "status": row.status,
        "run_type": row.run_type,
        "parameters": row.parameters,
        "logical_date": wire_time(row.interval_start),
        "data_interval_start": wire_time(row.interval_start),
        "data_interval_end": wire_time(row.interval_end),
        "created_at": wire_time(row.created_at),
        "started_at": wire_time(row.started_at),
        "finished_at": wire_time(row.finished_at),
        "duration_seconds": _duration(row),
        "attempt": row.attempt,
        "max_attempts": row.max_attempts,
        "triggered_by": row.triggered_by,
        "backfill_id": row.backfill_id,
        "rows_affected": row.rows_affected,
        "stop_reason": row.stop_reason,
        "stopped_by": row.stopped_by,
        "error_message": row.error_message,
    }


def attempt_record(row: dict[str, Any]) -> dict[str, Any]:
    """One finished attempt of a run."""
    return {
        "attempt": row["attempt"],
        "started_at": wire_time(row["started_at"]),
        "finished_at": wire_time(row["finished_at"]),
        "status": row["outcome"],
        "error_message": row["error_message"],
    }


def backfill_record(row: BackfillRow, runs: list[dict[str, Any]]) -> dict[str, Any]:
    """A backfill as `http.md` names it; `runs` are `{run_id, date, status}`."""
    return {
        "run_id": row.backfill_id,
        "dataset_name": row.dataset_name,
        "source_type": row.source_type,
        "status": row.status,
        "run_type": "backfill",
        "parameters": row.parameters,
        "start_date": row.start_date.isoformat(),
        "end_date": row.end_date.isoformat(),
        "total_runs": row.total_runs,
        "completed_runs": row.completed_runs,
        "created_at": wire_time(row.created_at),
        "started_at": wire_time(row.started_at),
        "finished_at": wire_time(row.finished_at),
        "duration_seconds": _duration(row),
        "triggered_by": row.triggered_by,
        "stop_reason": row.stop_reason,
        "error_message": row.error_message,
        "runs": runs,
    }


def _duration(row: RunRow | BackfillRow) -> float | None:
    if row.started_at is None or row.finished_at is None:
        return None
    return float((row.finished_at - row.started_at).total_seconds())


def version_records(rows: Sequence[RegistrationRow]) -> list[dict[str, Any]]:
    """Versions of a registered spec."""
    return [
        {
            "version": row.version,
            "spec_hash": row.spec_hash,
            "registered_by": row.author,
            "created_at": wire_time(row.created_at),
        }
        for row in rows
    ]
