"""Backfills: one run for each data interval of a range of days, in order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from basecamp.engines.base import Engine, RunSpec
from basecamp.failpoint import failpoint
from basecamp.services.command import Caller, Change, Commands, Reply
from basecamp.services.permission import Effect
from basecamp.services.run import (
    declared_in,
    parse_date,
    raise_refusal,
    runnable,
    stored_backfill,
)
from basecamp.services.workflow import permit_on
from basecamp.store import backfill, origin, run, spec
from basecamp.store.new_run import new_run_id, run_values
from dli.exceptions import DLIValidationError, ErrorCode
from dli.specs.parameter import bind
from dli.specs.schedule import Interval, intervals_between

if TYPE_CHECKING:
    from datetime import date, datetime

    from sqlalchemy import Connection

    from basecamp.clock import Clock
    from basecamp.store.database import Database
    from basecamp.store.workflow import WorkflowRow


class BackfillService:
    """Plans backfills; the engine carries them out."""

    def __init__(self, database: Database, engine: Engine, clock: Clock) -> None:
        self._database = database
        self._engine = engine
        self._commands = Commands(database, clock)

    def start(
        self,
        caller: Caller,
        name: str,
        *,
        start_date: str,
        end_date: str,
        parameters: dict[str, Any],
        dry_run: bool = False,
        source_type: str | None = None,
        skip_completed: bool = False,
    ) -> Reply:
        """Queue a run for every interval that starts on one of these days, both ends included.

        Raises:
            DLIValidationError: dates, range over 1,000 runs or parameters refused (204).
        """
        permit = permit_on(caller, Effect.BACKFILL_START, name)
        first, last = _range(start_date, end_date, parameters)
        if (earlier := self._commands.replay(caller, permit)) is not None:
            return earlier
        with self._commands.keeping_refusals(caller), self._database.read() as tx:
            row = runnable(tx, name, source_type)
            content = spec.load(tx, row.spec_hash)
        bind(declared_in(content), parameters)
        intervals = intervals_between(row.cron, row.timezone, first, last)
        if not intervals:
            raise _refused("No data interval of the schedule starts in this range.")
        if dry_run:
            with self._database.read() as tx:
                wanted = _wanted(tx, name, intervals, skip_completed=skip_completed)
            self._check(row, content, parameters, wanted)
            return _dry_reply(
                name, (first, last), _message(len(wanted), len(intervals)), len(wanted)
            )

        self._engine.admit(name)

        def plan(change: Change) -> Reply:
            current = runnable(change.tx, name, source_type)
            wanted = _wanted(change.tx, name, intervals, skip_completed=skip_completed)
            backfill_id = _store(change, current, wanted, parameters, (first, last))
            change.audit(
                "backfill.start", name, detail={"run_id": backfill_id, "runs": len(wanted)}
            )
            record = stored_backfill(change.tx, backfill_id)
            return Reply(202, {**record, "message": _message(len(wanted), len(intervals))})

        reply = self._commands.execute(caller, permit, plan)
        self._engine.wake()
        return reply

    def _check(
        self,
        row: WorkflowRow,
        content: dict[str, Any],
        parameters: dict[str, Any],
        intervals: list[Interval],
    ) -> None:
        if not intervals:
            return
        first = intervals[0]
        asked = RunSpec(content, parameters, first.start, first.end, row.timezone)
        raise_refusal(self._engine.check(asked, bind=True))


def _dry_reply(name: str, days: tuple[date, date], plan: str, total_runs: int) -> Reply:
    body = {
        "dataset_name": name,
        "dry_run": True,
        "start_date": days[0].isoformat(),
        "end_date": days[1].isoformat(),
        "total_runs": total_runs,
        "message": f"Dry run: {plan} Nothing was started.",
    }
    return Reply(200, body)


def _range(start_date: str, end_date: str, parameters: dict[str, Any]) -> tuple[date, date]:
    first, last = parse_date(start_date), parse_date(end_date)
    if last < first:
        raise _refused("The end date lies before the start date.")
    if "ds" in parameters or "execution_date" in parameters:
        raise _refused("A backfill sets ds and execution_date itself.")
    return first, last


def _wanted(
    tx: Connection, name: str, intervals: list[Interval], *, skip_completed: bool
) -> list[Interval]:
    if not skip_completed:
        return intervals
    done = run.completed_starts(tx, name, [interval.start for interval in intervals])
    return [interval for interval in intervals if interval.start not in done]


def _store(
    change: Change,
    row: WorkflowRow,
    intervals: list[Interval],
    parameters: dict[str, Any],
    days: tuple[date, date],
) -> str:
    now: datetime = change.now
    backfill_id = new_run_id(now, kind="backfill")
    values = {
        "backfill_id": backfill_id,
        "dataset_name": row.dataset_name,
        "source_type": row.source_type,
        "status": "PENDING" if intervals else "COMPLETED",
        "parameters": parameters,
        "start_date": days[0],
        "end_date": days[1],
        "total_runs": len(intervals),
        "completed_runs": 0,
        "triggered_by": change.caller.name,
        "created_at": now,
        "started_at": None if intervals else now,
        "finished_at": None if intervals else now,
    }
    backfill.add(change.tx, values)
    failpoint("backfill.without_runs")
    queued = [
        run_values(
            row,
            interval,
            run_type="backfill",
            now=now,
            triggered_by="backfill",
            parameters=parameters,
            backfill_id=backfill_id,
        )
        for interval in intervals
    ]
    if queued:
        run.add(change.tx, queued)
        origin.add(change.tx, [values["run_id"] for values in queued], change.caller.origin)
    return backfill_id


def _message(wanted: int, total: int) -> str:
    if wanted == total:
        return f"{total} runs are planned, one after the other."
    if wanted == 0:
        return f"All {total} runs are COMPLETED already; nothing is to do."
    return f"{wanted} of {total} runs are planned; the others are COMPLETED already."


def _refused(message: str) -> DLIValidationError:
    return DLIValidationError(message, code=ErrorCode.PARAMETER_INVALID)
