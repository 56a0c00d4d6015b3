"""What Airflow tells of runs, tasks and DAGs, in our words; what is unknown is never a success."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from basecamp.engines.airflow.fault import protocol_broken

T = TypeVar("T")

_STATUS = {
    "queued": "PENDING",
    "running": "RUNNING",
    "success": "COMPLETED",
    "failed": "FAILED",
}
_ENDED_TASK = frozenset(
    {"success", "failed", "up_for_retry", "upstream_failed", "skipped", "removed"}
)


@dataclass(frozen=True)
class SeenRun:
    """A DAG run as Airflow shows it; `status` is None when its state is unknown to us."""

    dag_id: str
    run_id: str
    state: str
    run_type: str
    run_after: datetime
    queued_at: datetime | None
    started_at: datetime | None
    ended_at: datetime | None
    interval_start: datetime | None
    interval_end: datetime | None

    @property
    def status(self) -> str | None:
        return _STATUS.get(self.state)

    @property
    def has_ended(self) -> bool:
        return self.status in ("COMPLETED", "FAILED")


@dataclass(frozen=True)
class SeenTry:
    """One attempt of a run's task."""

    number: int
    state: str | None
    started_at: datetime | None
    ended_at: datetime | None

    @property
    def has_ended(self) -> bool:
        return self.state in _ENDED_TASK


@dataclass(frozen=True)
class SeenDag:
    """A DAG as Airflow shows it."""

    dag_id: str
    is_paused: bool
    is_stale: bool
    parsed_at: datetime | None
    file_token: str
    tags: tuple[str, ...]
    next_run_at: datetime | None = None


@dataclass(frozen=True)
class SeenResult:
    """What the operator left about the end of its last attempt."""

    rows_affected: int | None = None
    error_code: str | None = None
    error_message: str | None = None


def run_of(data: Any) -> SeenRun:
    """A DAG run from its JSON.

    Raises:
        AirflowError: it is none (`engine_protocol`).
    """
    return SeenRun(
        dag_id=_field(data, "dag_id", str),
        run_id=_field(data, "dag_run_id", str),
        state=_field(data, "state", str),
        run_type=_field(data, "run_type", str),
        run_after=_instant(_field(data, "run_after", str)),
        queued_at=_instant_field(data, "queued_at"),
        started_at=_instant_field(data, "start_date"),
        ended_at=_instant_field(data, "end_date"),
        interval_start=_instant_field(data, "data_interval_start"),
        interval_end=_instant_field(data, "data_interval_end"),
    )


def try_of(data: Any) -> SeenTry:
    """An attempt from the JSON of a task instance."""
    return SeenTry(
        number=_field(data, "try_number", int),
        state=_optional(data, "state", str),
        started_at=_instant_field(data, "start_date"),
        ended_at=_instant_field(data, "end_date"),
    )


def dag_of(data: Any) -> SeenDag:
    """A DAG from its JSON."""
    return SeenDag(
        dag_id=_field(data, "dag_id", str),
        is_paused=_field(data, "is_paused", bool),
        is_stale=_field(data, "is_stale", bool),
        parsed_at=_instant_field(data, "last_parsed_time"),
        file_token=_field(data, "file_token", str),
        tags=tuple(_field(tag, "name", str) for tag in items_of(data, "tags")),
        next_run_at=_instant_field(data, "next_dagrun_run_after"),
    )


def result_of(data: Any) -> SeenResult:
    """The operator's result from the JSON of its XCom."""
    value = data.get("value") if isinstance(data, dict) else None
    rows = _optional(value, "rows_affected", int)
    return SeenResult(
        rows_affected=None if rows is None or rows < 0 else rows,
        error_code=_optional(value, "error_code", str),
        error_message=_optional(value, "error_message", str),
    )


def items_of(data: Any, name: str) -> list[Any]:
    """The list under `name`."""
    found: list[Any] = _field(data, name, list)
    return found


def text_of(data: Any, name: str) -> str | None:
    """The text under `name`, which may be missing."""
    return _optional(data, name, str)


def _field(data: Any, name: str, kind: type[T]) -> T:
    found = _optional(data, name, kind)
    if found is None:
        raise protocol_broken(f"Airflow's answer has no usable `{name}`.")
    return found


def _optional(data: Any, name: str, kind: type[T]) -> T | None:
    if not isinstance(data, dict):
        raise protocol_broken("Airflow's answer has another form than expected.")
    found = data.get(name)
    if found is None:
        return None
    if not isinstance(found, kind) or (kind is int and isinstance(found, bool)):
        raise protocol_broken(f"Airflow's answer has no usable `{name}`.")
    return found


def _instant_field(data: Any, name: str) -> datetime | None:
    text = _optional(data, name, str)
    return None if text is None else _instant(text)


def _instant(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError as exc:
        raise protocol_broken("Airflow's answer has an unreadable time.") from exc
    if found.tzinfo is None:
        raise protocol_broken("Airflow's answer has a time without zone.")
    return found
