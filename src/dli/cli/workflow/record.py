"""How workflow and run records read as text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from dli.client.response import Record

__all__ = [
    "day_rows",
    "duration_text",
    "run_fields",
    "run_line",
    "schedule_text",
    "time_text",
    "workflow_fields",
]

_WORKFLOW_FIELDS = (
    "dataset_name",
    "source_type",
    "status",
    "overridden_by",
    "pause_reason",
    "paused_by",
    "pause_until",
    "schedule",
    "next_run",
    "last_run_at",
    "last_run_status",
    "owner",
    "team",
    "description",
    "tags",
    "retry_max_attempts",
    "retry_delay_seconds",
    "error",
    "created_at",
    "updated_at",
)

_RUN_FIELDS = (
    "run_id",
    "dataset_name",
    "status",
    "run_type",
    "source_type",
    "logical_date",
    "start_date",
    "end_date",
    "total_runs",
    "completed_runs",
    "parameters",
    "triggered_by",
    "created_at",
    "started_at",
    "finished_at",
    "duration_seconds",
    "rows_affected",
    "attempt",
    "max_attempts",
    "backfill_id",
    "stop_reason",
    "stopped_by",
    "error_message",
)

_FRACTION = re.compile(r"^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\.\d+(?=Z$)")
_EMPTY: tuple[object, ...] = (None, "", {}, [])
_UNITS = ((86_400, "d", 3_600, "h"), (3_600, "h", 60, "min"), (60, "min", 1, "s"))


def schedule_text(workflow: Record) -> str:
    """Cron and zone; what has no cron runs on demand."""
    cron, timezone = workflow.get("cron"), workflow.get("timezone") or "UTC"
    return f"{cron} ({timezone})" if cron else "on demand"


def workflow_fields(workflow: Record) -> dict[str, object]:
    """What is known about a workflow, under the names of the records."""
    return _known({**workflow, "schedule": schedule_text(workflow)}, _WORKFLOW_FIELDS)


def run_fields(run: Record) -> dict[str, object]:
    """What is known about a run, under the names of the records."""
    return _known(run, _RUN_FIELDS)


def run_line(run: Record) -> str:
    """One sentence about a run, ended or not."""
    parts = [f"Run {run['run_id']} of {run['dataset_name']}: {run['status']}"]
    if run.get("duration_seconds") is not None:
        parts.append(f"after {duration_text(run['duration_seconds'])}")
    if (run.get("attempt") or 1) > 1:
        parts.append(f"in attempt {run['attempt']} of {run['max_attempts']}")
    return " ".join(parts)


def duration_text(seconds: float) -> str:
    """Two units at most: `0.4 s`, `15 min 2 s`, `3 h 7 min`, `12 d 1 h`."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    for size, name, part_size, part_name in _UNITS:
        if whole >= size:
            count, rest = divmod(whole, size)
            part = rest // part_size
            return f"{count} {name}" + (f" {part} {part_name}" if part else "")
    raise AssertionError(seconds)


def day_rows(backfill: Record) -> Iterator[tuple[object, ...]]:
    return ((day["date"], day["status"], day["run_id"]) for day in backfill["runs"])


def _known(record: Record, names: Iterable[str]) -> dict[str, object]:
    return {name: _text(record[name]) for name in names if record.get(name) not in _EMPTY}


def time_text(value: str | None) -> str | None:
    """A time of the wire without parts of a second."""
    return value and _FRACTION.sub(r"\1", value)


def _text(value: object) -> object:
    if isinstance(value, str):
        return time_text(value)
    if isinstance(value, dict):
        return ", ".join(f"{key}={item}" for key, item in value.items())
    return ", ".join(map(str, value)) if isinstance(value, list) else value
