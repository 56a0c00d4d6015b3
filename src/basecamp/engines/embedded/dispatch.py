"""Decides, inside a transaction, how attempts end and which runs go to the worker next."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from basecamp.engines.embedded.announcement import announce, wishes_in
from basecamp.store import origin, run, spec
from basecamp.store.origin import Origin
from basecamp.store.run import Outcome, RunRow
from basecamp.store.tally import Tally
from dli.exceptions import ErrorCode

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from basecamp.engines.embedded.announcement import Wishes

_CRASHES_ALLOWED = 2
FALSE_STARTS_ALLOWED = 60
_FALSE_START_PAUSE = timedelta(seconds=1)
_FINAL_CODES = frozenset(
    {
        ErrorCode.PARAMETER_INVALID,
        ErrorCode.SPEC_INVALID,
        ErrorCode.SQL_SYNTAX_ERROR,
        ErrorCode.VALIDATION_FAILED,
    }
)
"""Failures that another attempt cannot mend."""


@dataclass
class Execution:
    """One attempt that a worker has been given and has not yet reported."""

    run_id: str
    dataset_name: str
    backfill_id: str | None
    claim: int
    started_at: datetime
    timeout_seconds: int
    origin: Origin = field(default_factory=Origin)
    wishes: Wishes = field(default_factory=dict)
    deadline: float = 0.0
    interrupted_at: float | None = None
    is_timed_out: bool = False


@dataclass(frozen=True)
class Report:
    """How an attempt ended, as the worker or its death tells."""

    run_id: str
    claim: int
    ok: bool = False
    code: str | None = None
    message: str | None = None
    rows_affected: int | None = None
    is_crash: bool = False
    is_collateral: bool = False
    is_false_start: bool = False


@dataclass
class Plan:
    """What is to happen in memory and in the worker once the transaction is stored."""

    ended: list[Execution] = field(default_factory=list)
    started: list[tuple[Execution, dict[str, Any]]] = field(default_factory=list)
    changed: set[str] = field(default_factory=set)
    retry_at: datetime | None = None
    has_messages: bool = False
    events: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    """What the log is told once the transaction is stored."""
    counts: Tally = field(default_factory=Tally)

    def note(self, row: RunRow) -> None:
        """The state of this run, and so of its backfill, changes."""
        self.changed.add(row.run_id)
        if row.backfill_id is not None:
            self.changed.add(row.backfill_id)

    def tell(self, event: str, execution: Execution, **more: Any) -> None:
        """Have a line of the log about an attempt."""
        ids = {"run_id": execution.run_id, "request_id": execution.origin.request_id}
        known = {name: value for name, value in (ids | more).items() if value is not None}
        self.events.append((event, {"dataset_name": execution.dataset_name, **known}))


def settle(tx: Connection, execution: Execution, report: Report, now: datetime, plan: Plan) -> None:
    """Store how an attempt ended. A run that was stopped meanwhile stays as it is."""
    plan.ended.append(execution)
    row = run.find(tx, execution.run_id)
    if row is None or row.claim != report.claim:
        return
    plan.note(row)
    end = _end(execution, report, row)
    run.close_attempt(tx, row, execution.started_at, now, end)
    took_ms = round((now - execution.started_at).total_seconds() * 1000)
    plan.tell(
        "run.attempt_ended",
        execution,
        attempt=row.attempt,
        outcome=end.status,
        code=end.error_code,
        duration_ms=took_ms,
    )
    if row.status != "RUNNING":
        return
    retry = _retry(row, report, end, now)
    if retry is not None:
        run.wait_for_retry(tx, row, **retry)
        return
    run.finish(tx, row, end, now, plan.counts)
    if announce(tx, execution.wishes, row, end, now):
        plan.has_messages = True


def _end(execution: Execution, report: Report, row: RunRow) -> Outcome:
    """How the attempt ended, in the words that its run would end with."""
    if row.status != "RUNNING":
        return Outcome("KILLED", error_message=row.stop_reason)
    if report.ok:
        return Outcome("COMPLETED", rows_affected=report.rows_affected)
    code = ErrorCode.EXECUTION_FAILED.value
    if execution.is_timed_out:
        message = f"The time limit of {execution.timeout_seconds} s was reached."
    elif report.is_crash:
        times = "" if row.crashes < _CRASHES_ALLOWED else f" {row.crashes + 1} times (crash_loop)"
        message = f"The worker process crashed{times} during this run."
    elif report.is_false_start:
        message = "The worker process ended before it began this run."
    elif report.is_collateral:
        message = "The worker process had to be ended because of another run."
    else:
        code, message = report.code or code, report.message or "The run failed."
    return Outcome("FAILED", error_code=code, error_message=message)


def _retry(row: RunRow, report: Report, end: Outcome, now: datetime) -> dict[str, Any] | None:
    """When and how the run is tried again, or None when this was its end."""
    if report.ok:
        return None
    if report.is_collateral:
        return {"retry_at": now}
    if report.is_false_start:
        is_hopeless = row.claim - row.attempt >= FALSE_STARTS_ALLOWED
        return None if is_hopeless else {"retry_at": now + _FALSE_START_PAUSE}
    if report.is_crash:
        return {"retry_at": now, "crashes": 1} if row.crashes < _CRASHES_ALLOWED else None
    if row.attempt < row.max_attempts and end.error_code not in _FINAL_CODES:
        delay = timedelta(seconds=row.retry_delay_seconds)
        return {"retry_at": now + delay, "attempts": 1}
    return None


def adopt(tx: Connection, now: datetime) -> None:
    """Make runs that an earlier server left RUNNING due again; their SQL died with its worker."""
    for row in run.running(tx):
        if row.retry_at is None:
            run.wait_for_retry(tx, row, now)


def claim(tx: Connection, now: datetime, executing: set[str], slots: int, plan: Plan) -> None:
    """Take retries that are due and the oldest queued runs of idle datasets, up to `slots`."""
    waiting = [row for row in run.running(tx) if row.retry_at is not None]
    due = [row for row in waiting if row.retry_at <= now and row.dataset_name not in executing]
    # Those that find no slot now are looked at again when an execution ends.
    plan.retry_at = min((row.retry_at for row in waiting if row.retry_at > now), default=None)
    for row in due[:slots]:
        _start(tx, row, now, plan)
    free = slots - len(due[:slots])
    if free <= 0:
        return
    busy = executing | {row.dataset_name for row in waiting}
    for row in run.queue_heads(tx, busy, free):
        _start(tx, row, now, plan)


def _start(tx: Connection, row: RunRow, now: datetime, plan: Plan) -> None:
    attempt = max(1, row.attempt)
    if not run.claim(tx, row, now, attempt=attempt, counts=plan.counts):
        return
    plan.note(row)
    content = spec.load(tx, row.spec_hash)
    came_from = origin.find(tx, row.run_id)
    execution = Execution(
        run_id=row.run_id,
        dataset_name=row.dataset_name,
        backfill_id=row.backfill_id,
        claim=row.claim + 1,
        started_at=now,
        timeout_seconds=row.timeout_seconds,
        origin=came_from,
        wishes=wishes_in(content),
    )
    plan.tell("run.attempt_started", execution, attempt=attempt)
    message = {
        "op": "run",
        "run_id": row.run_id,
        "claim": row.claim + 1,
        "attempt": attempt,
        "max_attempts": row.max_attempts,
        "spec_hash": row.spec_hash,
        "spec": content,
        "parameters": row.parameters,
        "interval_start": row.interval_start.isoformat(),
        "interval_end": row.interval_end.isoformat(),
        "timezone": row.timezone,
        **came_from._asdict(),
    }
    plan.started.append((execution, message))
