"""Enters, inside a transaction, what Airflow shows of runs into the state store."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from basecamp.engines.airflow.fault import Reason
from basecamp.engines.airflow.run_id import repeated_id, stored_id
from basecamp.store import run, tick, workflow
from basecamp.store.new_run import repeated_values, run_values
from basecamp.store.run import Outcome
from dli.exceptions import ErrorCode
from dli.specs.schedule import Interval, fires_between, latest_interval, next_fire

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from basecamp.engines.airflow.change import ChangeSet
    from basecamp.engines.airflow.state import SeenResult, SeenRun, SeenTry
    from basecamp.store.run import RunRow
    from basecamp.store.workflow import WorkflowRow

_COUNTED_TICKS = 10_000
_CLEARED_AFTER = timedelta(seconds=2)
_FAILED = ErrorCode.EXECUTION_FAILED.value


@dataclass
class Findings:
    """What is to be asked of Airflow, or told to it, after a look at some of its runs."""

    ended: list[SeenRun] = field(default_factory=list)
    """Runs whose end is not entered yet: it takes their attempts and their result."""
    orphans: list[SeenRun] = field(default_factory=list)
    """Runs that go on there although they were stopped here."""


@dataclass(frozen=True)
class End:
    """All that Airflow knows of how a run ended."""

    seen: SeenRun
    tries: list[SeenTry]
    result: SeenResult | None


@dataclass(frozen=True)
class Progress:
    """The attempts that a run has begun, and what the last of them left if it has ended."""

    tries: list[SeenTry]
    result: SeenResult | None


def enter(tx: Connection, seen: SeenRun, now: datetime, changes: ChangeSet) -> Findings:
    """Take over the state of a run; one that Airflow made itself becomes a run of ours."""
    findings = Findings()
    row = find(tx, seen)
    if row is None:
        row = _import(tx, seen, now, changes)
    elif _was_repeated(seen, row):
        row = _import_repetition(tx, seen, row, changes)
    if row is None:
        return findings
    if row.status not in run.UNFINISHED:
        if row.status == "KILLED" and not seen.has_ended:
            findings.orphans.append(seen)
        elif row.status == "KILLED" and row.attempt and not run.attempts(tx, row.run_id):
            findings.ended.append(seen)
        return findings
    if seen.has_ended:
        findings.ended.append(seen)
    elif seen.status == "RUNNING" and row.status == "PENDING":
        run.claim(tx, row, seen.started_at or now, attempt=1, counts=changes.counts)
        changes.note(row)
    elif seen.status is None:
        text = f"{Reason.PROTOCOL}: Airflow names a state unknown here: {seen.state[:40]}."
        explain(tx, row, text, changes)
    elif seen.status == "RUNNING" and row.error_message is not None:
        explain(tx, row, None, changes)
    elif seen.status == "PENDING" and row.claim == 0:
        run.change(tx, row, {"claim": 1, "error_message": None})
        changes.note(row)
    return findings


def find(tx: Connection, seen: SeenRun) -> RunRow | None:
    """The stored run of a run in Airflow: of one that was done again, the newest repetition."""
    for run_id in (seen.run_id, stored_id(seen.dag_id, seen.run_id)):
        row = run.find(tx, run_id)
        if row is not None and row.dataset_name == seen.dag_id:
            if not _was_repeated(seen, row):
                return row
            assert seen.queued_at is not None
            return run.find(tx, repeated_id(row.run_id, seen.queued_at)) or row
    return None


def _was_repeated(seen: SeenRun, row: RunRow) -> bool:
    """Whether somebody had Airflow do a run again after it had ended here."""
    if seen.queued_at is None or row.finished_at is None or seen.queued_at <= row.finished_at:
        return False
    return seen.queued_at - seen.run_after > _CLEARED_AFTER


def finish(tx: Connection, end: End, now: datetime, changes: ChangeSet) -> None:
    """Enter the end of a run with its attempts. One that was stopped here stays as it is."""
    row = find(tx, end.seen)
    if row is None:
        return
    ended_at = end.seen.ended_at or now
    if row.status not in run.UNFINISHED:
        if row.status == "KILLED":
            _keep_attempts(tx, row, end, Outcome("KILLED", error_message=row.stop_reason), ended_at)
        return
    outcome = _outcome(end)
    _keep_attempts(tx, row, end, outcome, ended_at)
    if row.status == "PENDING":
        started_at = end.seen.started_at or ended_at
        run.claim(tx, row, started_at, attempt=1, counts=changes.counts)
        row = run.find(tx, row.run_id)
        assert row is not None
    attempt = max((one.number for one in end.tries), default=row.attempt)
    run.change(tx, row, {"attempt": attempt})
    run.finish(tx, row, outcome, ended_at, changes.counts)
    changes.note(row)


def _keep_attempts(
    tx: Connection, row: RunRow, end: End, outcome: Outcome, ended_at: datetime
) -> None:
    for one in end.tries:
        if one.started_at is None or not one.has_ended:
            continue
        own = outcome if one is end.tries[-1] else _earlier_outcome(one)
        run.keep_attempt(
            tx,
            row,
            one.number,
            started_at=one.started_at,
            finished_at=one.ended_at or ended_at,
            end=own,
        )


def enter_attempts(
    tx: Connection, run_id: str, progress: Progress | None, changes: ChangeSet
) -> None:
    """Enter how far a run is that goes on."""
    row = run.find(tx, run_id)
    if row is None or row.status != "RUNNING" or progress is None:
        return
    known = {one["attempt"] for one in run.attempts(tx, run_id)}
    last = progress.tries[-1]
    is_new = last.number != row.attempt
    for one in progress.tries:
        if one.started_at is None or not one.has_ended or one.number in known:
            continue
        end = _earlier_outcome(one)
        if one is last and progress.result is not None and progress.result.error_message:
            end = Outcome("FAILED", error_message=progress.result.error_message)
        finished_at = one.ended_at or one.started_at
        run.keep_attempt(
            tx, row, one.number, started_at=one.started_at, finished_at=finished_at, end=end
        )
        is_new = True
    if is_new:
        run.change(tx, row, {"attempt": last.number})
        changes.note(row)


def lose(tx: Connection, run_id: str, why: str, now: datetime, changes: ChangeSet) -> None:
    """Airflow has forgotten a run: what became of it cannot be known any more."""
    row = run.find(tx, run_id)
    if row is not None and row.status in run.UNFINISHED:
        run.finish(tx, row, Outcome("FAILED", _FAILED, f"lost: {why}"), now, changes.counts)
        changes.note(row)


def explain(tx: Connection, row: RunRow, text: str | None, changes: ChangeSet) -> None:
    """Show with a run that has not ended why it does not go on, or that it does."""
    if row.error_message != text and run.change(tx, row, {"error_message": text}):
        changes.note(row)


def _outcome(end: End) -> Outcome:
    result = end.result
    if end.seen.status == "COMPLETED":
        return Outcome("COMPLETED", rows_affected=None if result is None else result.rows_affected)
    if result is not None and result.error_message is not None:
        return Outcome("FAILED", result.error_code or _FAILED, result.error_message)
    if not any(one.started_at for one in end.tries):
        return Outcome("FAILED", _FAILED, "Airflow marked the run as failed before it began.")
    return Outcome("FAILED", _FAILED, "The run failed in Airflow; its log has the details.")


def _earlier_outcome(one: SeenTry) -> Outcome:
    if one.state == "success":
        return Outcome("COMPLETED")
    return Outcome("FAILED", error_message="The attempt failed; the run's log has the details.")


def _import(tx: Connection, seen: SeenRun, now: datetime, changes: ChangeSet) -> RunRow | None:
    """Make a run of ours of one that Airflow's scheduler, or a person in its UI, has made."""
    source = workflow.effective(tx, seen.dag_id)
    if source is None:
        return None
    is_scheduled = seen.run_type == "scheduled"
    interval = _interval(seen, source)
    values = run_values(
        source,
        interval,
        run_type="scheduled" if is_scheduled else "adhoc",
        now=seen.run_after if is_scheduled else seen.queued_at or now,
        triggered_by="scheduler" if is_scheduled else "airflow",
        scheduled=is_scheduled,
    )
    values |= {"run_id": stored_id(seen.dag_id, seen.run_id), "claim": 1}
    if is_scheduled:
        if not run.add_scheduled(tx, values):
            return None
        _advance(tx, source, interval.end, now)
    else:
        run.add(tx, [values])
    row = run.find(tx, values["run_id"])
    assert row is not None
    changes.note(row)
    return row


def _import_repetition(
    tx: Connection, seen: SeenRun, first: RunRow, changes: ChangeSet
) -> RunRow | None:
    """A run that has ended stays as it is: what is done again by hand becomes a run of its own."""
    assert seen.queued_at is not None
    run_id = repeated_id(first.run_id, seen.queued_at)
    values = repeated_values(first, run_id, triggered_by="airflow", now=seen.queued_at)
    run.add(tx, [values | {"claim": 1}])
    row = run.find(tx, run_id)
    assert row is not None
    changes.note(row)
    return row


def _interval(seen: SeenRun, source: WorkflowRow) -> Interval:
    if seen.interval_start is not None and seen.interval_end is not None:
        return Interval(seen.interval_start, seen.interval_end)
    return latest_interval(source.cron, source.timezone, seen.run_after)


def _advance(tx: Connection, source: WorkflowRow, fire: datetime, now: datetime) -> None:
    """Move the next fire on past this one; fires in between that gave no run are recorded."""
    expected = source.next_fire_at
    if expected is None or fire < expected or not source.cron:
        return
    if fire > expected:
        _skip(tx, source, expected, fire, now)
    values: dict[str, Any] = {"next_fire_at": next_fire(source.cron, source.timezone, fire)}
    workflow.change(tx, source.id, values)


def _skip(
    tx: Connection, source: WorkflowRow, first: datetime, fire: datetime, now: datetime
) -> None:
    between = fires_between(source.cron, source.timezone, first, fire, limit=_COUNTED_TICKS)
    missed = [first, *(at for at in between if at < fire)]
    tick.miss(tx, source, missed[0], missed[-1], count=len(missed), now=now)
