"""State SQL of runs: the `run` table is the queue and the history at once."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Connection, Row, bindparam, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from basecamp.store import backfill as backfill_store
from basecamp.store import table, tally, workflow
from basecamp.store.holding import is_held_by
from basecamp.store.name import name_contains
from basecamp.store.tally import Duration, Tally, TallyKey

if TYPE_CHECKING:
    from collections.abc import Iterable

_RUN = table.run
_ATTEMPT = table.attempt
_ADD = insert(_RUN)
_ADD_ONE = _ADD.returning(_RUN)
_ONCE = ("dataset_name", "scheduled_for")
_ADD_ONCE = {
    dialect: statement.on_conflict_do_nothing(index_elements=_ONCE).returning(_RUN.c.seq)
    for dialect, statement in (
        ("sqlite", sqlite.insert(_RUN)),
        ("postgresql", postgresql.insert(_RUN)),
    )
}
_ADD_ATTEMPT = insert(_ATTEMPT)
_NAME = table.tally.c.dataset_name
_BY_ID = select(_RUN).where(_RUN.c.run_id == bindparam("run_id"))
_RUNNING = select(_RUN).where(_RUN.c.status == "RUNNING").order_by(_RUN.c.seq)
_AS_READ = update(_RUN).where(
    _RUN.c.seq == bindparam("read_seq"),
    _RUN.c.claim == bindparam("read_claim"),
    _RUN.c.status == bindparam("read_status"),
)
_HEADS = (
    select(func.min(_RUN.c.seq).label("seq"))
    .where(
        _RUN.c.status == "PENDING",
        _RUN.c.dataset_name.not_in(bindparam("busy", expanding=True)),
    )
    .group_by(_RUN.c.dataset_name)
    .order_by("seq")
    .limit(bindparam("limit"))
    .subquery()
)
_QUEUE_HEADS = select(_RUN).join(_HEADS, _RUN.c.seq == _HEADS.c.seq).order_by(_RUN.c.seq)
RunRow = Row[Any]
UNFINISHED = ("PENDING", "RUNNING")


@dataclass(frozen=True)
class RunFilter:
    """What a history is narrowed to; `None` does not narrow."""

    dataset: str | None = None
    source_type: str | None = None
    status: str | None = None
    run_type: str | None = None
    start_date: date | None = None
    end_date: date | None = None
    exact_dataset: str | None = None
    teams: frozenset[str] | None = None


@dataclass(frozen=True)
class Outcome:
    """How a run ended."""

    status: str
    error_code: str | None = None
    error_message: str | None = None
    rows_affected: int | None = None
    stop_reason: str | None = None
    stopped_by: str | None = None


def key(row: RunRow) -> TallyKey:
    """The counter that counts this run now."""
    return TallyKey(row.dataset_name, row.source_type, row.run_type, row.status)


def add(tx: Connection, rows: list[dict[str, Any]]) -> None:
    """Queue runs in the given order."""
    tx.execute(_ADD, rows)
    counts = Tally()
    for row in rows:
        counts.add(TallyKey(row["dataset_name"], row["source_type"], row["run_type"], "PENDING"))
    counts.write(tx)


def add_one(tx: Connection, values: dict[str, Any]) -> RunRow:
    """Queue one run and return it as stored."""
    row = tx.execute(_ADD_ONE, values).one()
    counts = Tally()
    counts.add(key(row))
    counts.write(tx)
    return row


def add_scheduled(tx: Connection, row: dict[str, Any]) -> bool:
    """Queue a scheduled run unless its logical instant had one already; tells whether it did."""
    if tx.execute(_ADD_ONCE[tx.dialect.name], row).first() is None:
        return False
    counts = Tally()
    counts.add(TallyKey(row["dataset_name"], row["source_type"], row["run_type"], "PENDING"))
    counts.write(tx)
    return True


def find(tx: Connection, run_id: str) -> RunRow | None:
    """The run with this id."""
    return tx.execute(_BY_ID, {"run_id": run_id}).first()


def attempts(tx: Connection, run_id: str) -> list[dict[str, Any]]:
    """Finished attempts of a run, in order."""
    query = select(_ATTEMPT).where(_ATTEMPT.c.run_id == run_id).order_by(_ATTEMPT.c.claim)
    return [dict(row) for row in tx.execute(query).mappings()]


def history(tx: Connection, wanted: RunFilter, limit: int, offset: int) -> tuple[list[RunRow], int]:
    """Runs, newest first, and how many there are."""
    if wanted.dataset is not None:
        names = _names_containing(tx, wanted.dataset)
        if not names:
            return [], 0
        if len(names) == 1:
            wanted = replace(wanted, dataset=None, exact_dataset=names[0])
    conditions = _conditions(_RUN.c, wanted)
    if wanted.start_date is None and wanted.end_date is None:
        count = tally.total(tx, _conditions(table.tally.c, wanted))
    else:
        conditions += _day_conditions(wanted)
        count = tx.execute(select(func.count()).select_from(_RUN).where(*conditions)).scalar_one()
    wanted_count = min(limit, int(count) - offset)
    if wanted_count <= 0:  # a search for what is not there would read every run
        return [], int(count)
    query = select(_RUN).where(*conditions).order_by(_RUN.c.seq.desc())
    return list(tx.execute(query.limit(wanted_count).offset(offset))), int(count)


def _conditions(columns: Any, wanted: RunFilter) -> list[ColumnElement[bool]]:
    found = [
        columns[name] == value
        for name in ("source_type", "status", "run_type")
        if (value := getattr(wanted, name)) is not None
    ]
    if wanted.teams is not None:
        found.append(is_held_by(columns.dataset_name, wanted.teams))
    if wanted.exact_dataset is not None:
        found.append(columns.dataset_name == wanted.exact_dataset)
    if wanted.dataset is not None:
        names = select(_NAME).where(name_contains(_NAME, wanted.dataset))
        found.append(columns.dataset_name.in_(names))
    return found


def _names_containing(tx: Connection, text: str) -> list[str]:
    """Up to two names of datasets with runs; one name alone lets the history walk its index."""
    query = select(_NAME).distinct().where(name_contains(_NAME, text)).limit(2)
    return list(tx.execute(query).scalars())


def _day_conditions(wanted: RunFilter) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wanted.start_date is not None:
        found.append(_RUN.c.created_at >= datetime.combine(wanted.start_date, time(), UTC))
    if wanted.end_date is not None:
        day_after = wanted.end_date + timedelta(days=1)
        found.append(_RUN.c.created_at < datetime.combine(day_after, time(), UTC))
    return found


def queue_heads(tx: Connection, busy: set[str], limit: int) -> list[RunRow]:
    """The oldest PENDING run of each dataset that is not busy, oldest first."""
    return list(tx.execute(_QUEUE_HEADS, {"busy": sorted(busy), "limit": limit}))


def running(tx: Connection) -> list[RunRow]:
    """Every RUNNING run, oldest first."""
    return list(tx.execute(_RUNNING))


def handed_over(tx: Connection) -> list[RunRow]:
    """Every unfinished run that the engine has been given, oldest first."""
    query = select(_RUN).where(_RUN.c.status.in_(UNFINISHED), _RUN.c.claim > 0)
    return list(tx.execute(query.order_by(_RUN.c.seq)))


def change(tx: Connection, row: RunRow, values: dict[str, Any]) -> bool:
    """Set columns; false, and nothing set, if the run has changed since `row` was read."""
    read = {"read_seq": row.seq, "read_claim": row.claim, "read_status": row.status}
    return bool(tx.execute(_AS_READ, read | values).rowcount)


def ended_among(tx: Connection, run_ids: Iterable[str]) -> set[str]:
    """Those of the runs that are not RUNNING any more."""
    query = select(_RUN.c.run_id).where(_RUN.c.run_id.in_(run_ids), _RUN.c.status != "RUNNING")
    return set(tx.execute(query).scalars())


def claim(tx: Connection, row: RunRow, now: datetime, *, attempt: int, counts: Tally) -> bool:
    """Hand a run to a worker under the next fencing number; false if it changed meanwhile."""
    values = {
        "status": "RUNNING",
        "claim": row.claim + 1,
        "attempt": attempt,
        "started_at": row.started_at or now,
        "retry_at": None,
        "error_message": None,
    }
    changed = change(tx, row, values)
    if changed and row.started_at is None and row.scheduled_for is not None:
        counts.delays_s.append((now - row.interval_end).total_seconds())
    if changed and row.status != "RUNNING":
        counts.move(key(row), "RUNNING")
    if changed and row.backfill_id is not None and row.started_at is None:
        backfill_store.start(tx, row.backfill_id, now)
    return changed


def close_attempt(
    tx: Connection, row: RunRow, started_at: datetime, now: datetime, end: Outcome
) -> None:
    """Keep how the attempt under the run's present fencing number ended."""
    values = {
        "run_id": row.run_id,
        "claim": row.claim,
        "attempt": row.attempt,
        "started_at": started_at,
        "finished_at": now,
        "outcome": end.status,
        "error_message": end.error_message,
    }
    tx.execute(_ADD_ATTEMPT, values)


def keep_attempt(
    tx: Connection,
    row: RunRow,
    number: int,
    *,
    started_at: datetime,
    finished_at: datetime,
    end: Outcome,
) -> None:
    """Keep how the `number`-th attempt ended, once, for an engine that counts attempts itself."""
    dialect = sqlite if tx.dialect.name == "sqlite" else postgresql
    tx.execute(
        dialect.insert(_ATTEMPT)
        .values(
            run_id=row.run_id,
            claim=number,
            attempt=number,
            started_at=started_at,
            finished_at=finished_at,
            outcome=end.status,
            error_message=end.error_message,
        )
        .on_conflict_do_nothing()
    )


def wait_for_retry(
    tx: Connection, row: RunRow, retry_at: datetime, *, attempts: int = 0, crashes: int = 0
) -> None:
    """Keep a RUNNING run for `retry_at`; an attempt that was cut short is not counted."""
    tx.execute(
        update(_RUN)
        .where(_RUN.c.seq == row.seq, _RUN.c.claim == row.claim, _RUN.c.status == "RUNNING")
        .values(
            retry_at=retry_at,
            attempt=_RUN.c.attempt + attempts,
            crashes=_RUN.c.crashes + crashes,
        )
    )


def finish(tx: Connection, row: RunRow, outcome: Outcome, now: datetime, counts: Tally) -> bool:
    """End an unfinished run, once; its backfill and workflow learn of it in the same transaction.

    Returns False, and changes nothing, when the run has changed since `row` was read.
    """
    end = asdict(outcome) | {"finished_at": now, "retry_at": None}
    if not change(tx, row, end):
        return False
    counts.move(key(row), outcome.status)
    if row.started_at is not None:
        took_s = (now - row.started_at).total_seconds()
        counts.durations.append(Duration(row.run_type, outcome.status, took_s))
    workflow.set_last_run(
        tx, row.dataset_name, row.source_type, row.started_at or now, outcome.status
    )
    if row.backfill_id is not None:
        _finish_in_backfill(tx, row, outcome, now, counts)
    return True


def _finish_in_backfill(
    tx: Connection, row: RunRow, outcome: Outcome, now: datetime, counts: Tally
) -> None:
    if outcome.status == "COMPLETED":
        backfill_store.complete_one(tx, row.backfill_id, now)
        return
    message = outcome.error_message if outcome.status == "FAILED" else None
    backfill_store.end(
        tx,
        row.backfill_id,
        outcome.status,
        now,
        error_message=message,
        stop_reason=outcome.stop_reason,
    )
    rest = Outcome(status="KILLED", stop_reason="An earlier day of the backfill did not complete.")
    if outcome.status == "KILLED":
        rest = Outcome(
            status="KILLED", stop_reason=outcome.stop_reason, stopped_by=outcome.stopped_by
        )
    kill_pending(tx, _RUN.c.backfill_id == row.backfill_id, rest, now, counts)


def kill_pending(
    tx: Connection, condition: ColumnElement[bool], outcome: Outcome, now: datetime, counts: Tally
) -> int:
    """End every PENDING run that meets `condition`; returns how many."""
    rows = list(tx.execute(select(_RUN).where(condition, _RUN.c.status == "PENDING")))
    if not rows:
        return 0
    tx.execute(
        update(_RUN)
        .where(condition, _RUN.c.status == "PENDING")
        .values(
            status=outcome.status,
            finished_at=now,
            stop_reason=outcome.stop_reason,
            stopped_by=outcome.stopped_by,
        )
    )
    for row in rows:
        counts.move(key(row), outcome.status)
    return len(rows)


def kill_pending_of_workflow(
    tx: Connection, dataset_name: str, source_type: str, outcome: Outcome, now: datetime
) -> int:
    """End the queued runs of a workflow that goes away, and the backfills they belong to."""
    counts = Tally()
    condition = (_RUN.c.dataset_name == dataset_name) & (_RUN.c.source_type == source_type)
    backfill_store.end_queued(tx, dataset_name, source_type, now, outcome.stop_reason)
    killed = kill_pending(tx, condition, outcome, now, counts)
    counts.write(tx)
    return killed


def of_backfill(tx: Connection, backfill_id: str, limit: int) -> list[RunRow]:
    """The runs of a backfill in their order."""
    query = select(_RUN).where(_RUN.c.backfill_id == backfill_id).order_by(_RUN.c.seq).limit(limit)
    return list(tx.execute(query))


def completed_starts(tx: Connection, dataset_name: str, starts: list[datetime]) -> set[datetime]:
    """Those of the interval starts whose newest run is COMPLETED."""
    newest = (
        select(_RUN.c.interval_start, func.max(_RUN.c.seq).label("seq"))
        .where(
            _RUN.c.dataset_name == dataset_name,
            _RUN.c.interval_start.between(starts[0], starts[-1]),
        )
        .group_by(_RUN.c.interval_start)
        .subquery()
    )
    query = (
        select(_RUN.c.interval_start)
        .join(newest, _RUN.c.seq == newest.c.seq)
        .where(_RUN.c.status == "COMPLETED")
    )
    return set(tx.execute(query).scalars()) & set(starts)


def depth(tx: Connection) -> dict[str, int]:
    """How many runs are PENDING and RUNNING."""
    query = (
        select(table.tally.c.status, func.sum(table.tally.c.count))
        .where(table.tally.c.status.in_(UNFINISHED))
        .group_by(table.tally.c.status)
    )
    found = {status: int(count) for status, count in tx.execute(query)}
    return {status: found.get(status, 0) for status in UNFINISHED}
