"""Runs: start, stop, show, history and logs."""

from __future__ import annotations

import logging
import re
from datetime import date
from typing import TYPE_CHECKING, Any

from basecamp.engines.base import CheckResult, Engine, RunSpec
from basecamp.engines.observer import UNOBSERVED, Observer
from basecamp.failpoint import failpoint
from basecamp.services.command import Caller, Change, Commands, Permit, Reply, first_reply
from basecamp.services.pace import UNLIMITED, check_pace
from basecamp.services.permission import Actor, Effect, Resource, authorize, teams_within
from basecamp.services.record import attempt_record, backfill_record, run_record
from basecamp.services.workflow import addressed, permit_on
from basecamp.store import backfill, holding, origin, run, spec
from basecamp.store.new_run import run_values
from basecamp.store.run import Outcome, RunFilter, RunRow
from basecamp.store.tally import Tally
from dli.exceptions import (
    DLIValidationError,
    ErrorCode,
    ExecutionError,
    WorkflowExecutionError,
    WorkflowNotFoundError,
    WorkflowPermissionError,
)
from dli.models.dataset import DatasetSpec
from dli.specs.parameter import bind, requested_date
from dli.specs.schedule import Interval, interval_for_date, latest_interval, local_date

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from basecamp.clock import Clock
    from basecamp.rate import Allowances
    from basecamp.store.database import Database
    from basecamp.store.workflow import WorkflowRow
    from dli.models.spec import QueryParameter

_log = logging.getLogger(__name__)
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_SHOWN_DAYS = 1_000
_DECLARED_MAX = 10_000


def runnable(tx: Connection, name: str, source_type: str | None) -> WorkflowRow:
    """The workflow a run is asked of.

    Raises:
        WorkflowNotFoundError: there is none (800).
        WorkflowPermissionError: the MANUAL workflow addressed is overridden (806).
    """
    row = addressed(tx, name, source_type)
    if row.status == "overridden":
        raise WorkflowPermissionError(
            "The MANUAL workflow is overridden by a CODE workflow.",
            code=ErrorCode.WORKFLOW_OVERRIDDEN,
            details={"conflict": True},
        )
    return row


def declared_in(content: dict[str, Any]) -> list[QueryParameter]:
    """The parameters that a spec takes."""
    return DatasetSpec.model_validate(content).parameters


def raise_refusal(found: CheckResult) -> None:
    """Raise what a check found wrong; nothing when it found nothing."""
    if found.ok:
        return
    code = ErrorCode(found.code or ErrorCode.EXECUTION_FAILED)
    message = found.message or "The run would fail."
    raise (ExecutionError if code.value.startswith("DLI-4") else DLIValidationError)(
        message, code=code
    )


def parse_date(text: object) -> date:
    """A day in the form `YYYY-MM-DD`; anything else is DLI-204."""
    try:
        if not isinstance(text, str) or _DAY.fullmatch(text) is None:
            raise ValueError  # fromisoformat takes week dates, too
        return date.fromisoformat(text)
    except ValueError as exc:
        raise DLIValidationError(
            "A date must have the form YYYY-MM-DD.", code=ErrorCode.PARAMETER_INVALID
        ) from exc


class RunService:
    """Starts, stops and shows runs."""

    def __init__(
        self,
        database: Database,
        engine: Engine,
        clock: Clock,
        *,
        starts: Allowances = UNLIMITED,
        observer: Observer = UNOBSERVED,
    ) -> None:
        self._starts = starts
        self._database = database
        self._engine = engine
        self._clock = clock
        self._observer = observer
        self._commands = Commands(database, clock)
        self._declared: dict[str, list[QueryParameter]] = {}

    def start(
        self,
        caller: Caller,
        name: str,
        *,
        parameters: dict[str, Any],
        dry_run: bool = False,
        source_type: str | None = None,
    ) -> Reply:
        """Queue one run for the latest complete interval, or the one that a date parameter names.

        Raises:
            DLIValidationError: parameters refused (204), template (203) or SQL (202) wrong.
            ExecutionError: in a dry run, the warehouse refuses the SQL (405).
            WorkflowExecutionError: the engine would let it wait for ever (807).
            RequestRefusedError: the dataset was started a moment ago (429).
        """
        permit = permit_on(caller, Effect.RUN_START, name)
        if dry_run:
            return self._dry_run(caller, permit, name, parameters, source_type)
        if self._engine.can_hold:
            if (first := self._commands.replay(caller, permit)) is not None:
                return first
            self._engine.admit(name)

        def queue(change: Change) -> Reply:
            row, interval = self._asked(change.tx, name, parameters, source_type)
            check_pace(self._starts, caller, name)
            values = run_values(
                row,
                interval,
                run_type="adhoc",
                now=change.now,
                triggered_by=caller.name,
                parameters=parameters,
            )
            queued = run.add_one(change.tx, values)
            origin.add(change.tx, [queued.run_id], caller.origin)
            change.audit("run.start", name, detail={"run_id": queued.run_id})
            return Reply(202, {**run_record(queued), "message": "The run is queued."})

        reply = self._commands.execute(caller, permit, queue)
        if not reply.replayed:
            _log.info("run.queued", extra={"run_id": reply.body["run_id"]})
        self._engine.wake()
        return reply

    def stop(self, caller: Caller, run_id: str, reason: str | None = None) -> Reply:
        """End a run or a whole backfill; KILLED is final, its SQL is interrupted right after.

        Raises:
            WorkflowNotFoundError: no such run (800).
            WorkflowExecutionError: it has finished already (807).
            ServerError: the engine could not be told (504); nothing was changed.
        """
        interrupted: list[str] = []
        counts = Tally()

        permit = _permit_on_run(caller, Effect.RUN_STOP, run_id)
        if (first := self._commands.replay(caller, permit)) is not None:
            return first
        if self._is_with_engine(run_id):
            self._engine.prepare_stop()

        def kill(change: Change) -> Reply:
            interrupted.clear()
            outcome = Outcome("KILLED", stop_reason=reason, stopped_by=caller.name)
            for row in self._to_stop(change.tx, run_id):
                current = run.find(change.tx, row.run_id)
                if current is None or current.status not in run.UNFINISHED:
                    continue  # an earlier one of the backfill took it along
                interrupted.append(current.run_id)
                run.finish(change.tx, current, outcome, change.now, counts)
                failpoint("run.stopping")
            counts.write(change.tx)
            change.audit("run.stop", run_id, reason)
            return Reply(200, {**self._record(change.tx, run_id), "message": "The run is stopped."})

        reply = self._commands.insist(caller, permit, kill)
        failpoint("run.stopped")
        self._observer.progressed(counts)
        self._engine.interrupt(interrupted)
        self._engine.wake()
        return reply

    def get(self, actor: Actor, run_id: str) -> dict[str, Any]:
        """A run with its attempts, or a backfill with its days.

        Raises:
            WorkflowNotFoundError: no such run (800).
        """
        with self._database.read() as tx:
            _authorize_run(tx, actor, Effect.RUN_READ, run_id)
            return self._record(tx, run_id)

    def history(
        self,
        actor: Actor,
        *,
        dataset: str | None = None,
        source_type: str | None = None,
        status: str | None = None,
        run_type: str | None = None,
        start_date: date | None = None,
        end_date: date | None = None,
        limit: int = 20,
        offset: int = 0,
    ) -> tuple[list[dict[str, Any]], int]:
        """One page of run records, newest first, and the number of all matches."""
        teams = teams_within(actor, Effect.RUN_READ)
        wanted = RunFilter(
            dataset, source_type, status, run_type, start_date, end_date, teams=teams
        )
        with self._database.read() as tx:
            rows, count = run.history(tx, wanted, limit, offset)
        return [run_record(row) for row in rows], count

    def logs(
        self, actor: Actor, run_id: str, *, after: int = 0, limit: int = 1_000
    ) -> dict[str, Any]:
        """Log lines after the `after`-th, where to go on, and whether no more can come.

        Raises:
            WorkflowNotFoundError: no such run (800).
        """
        with self._database.read() as tx:
            _authorize_run(tx, actor, Effect.RUN_READ, run_id)
            row = _found(tx, run_id)
        lines = self._engine.log(row, after=after, limit=limit)
        is_done = row.status not in run.UNFINISHED and len(lines) < limit
        return {"lines": lines, "next": lines[-1]["seq"] if lines else after, "done": is_done}

    def _interval(self, row: WorkflowRow, parameters: dict[str, Any]) -> Interval:
        day = requested_date(parameters)
        if day is not None:
            return interval_for_date(row.cron, row.timezone, day)
        return latest_interval(row.cron, row.timezone, self._clock.now())

    def _asked(
        self, tx: Connection, name: str, parameters: dict[str, Any], source_type: str | None
    ) -> tuple[WorkflowRow, Interval]:
        """The workflow and the interval of a run that may be asked for so."""
        row = runnable(tx, name, source_type)
        bind(self._parameters_of(tx, row.spec_hash), parameters)
        return row, self._interval(row, parameters)

    def _parameters_of(self, tx: Connection, spec_hash: str) -> list[QueryParameter]:
        """Those that a spec declares, remembered: under its hash it never changes."""
        known = self._declared.get(spec_hash)
        if known is None:
            if len(self._declared) >= _DECLARED_MAX:
                self._declared.clear()
            known = self._declared[spec_hash] = declared_in(spec.load(tx, spec_hash))
        return known

    def _dry_run(
        self,
        caller: Caller,
        permit: Permit,
        name: str,
        parameters: dict[str, Any],
        source_type: str | None,
    ) -> Reply:
        with self._commands.keeping_refusals(caller), self._database.read() as tx:
            if (first := first_reply(tx, caller, permit)) is not None:
                return first
            row, interval = self._asked(tx, name, parameters, source_type)
            content = spec.load(tx, row.spec_hash)
        asked = RunSpec(content, parameters, interval.start, interval.end, row.timezone)
        found = self._engine.check(asked, bind=True)
        if not found.ok:
            message, code = (
                found.message or "The run would fail.",
                ErrorCode(found.code or "DLI-401"),
            )
            if code in (
                ErrorCode.PARAMETER_INVALID,
                ErrorCode.SPEC_INVALID,
                ErrorCode.SQL_SYNTAX_ERROR,
            ):
                raise DLIValidationError(message, code=code)
            raise ExecutionError(message, code=code)
        body = {
            "dataset_name": row.dataset_name,
            "dry_run": True,
            "parameters": parameters,
            "logical_date": local_date(interval.start, row.timezone).isoformat(),
            "statements": found.statements,
            "message": "Dry run: every check passed, nothing was started.",
        }
        return Reply(200, body)

    def _is_with_engine(self, run_id: str) -> bool:
        """Whether a run of what is to be stopped was handed over; others end in the store alone."""
        with self._database.read() as tx:
            single = run.find(tx, run_id)
            found = run.of_backfill(tx, run_id, _SHOWN_DAYS) if single is None else [single]
        return any(row.claim and row.status in run.UNFINISHED for row in found)

    def _to_stop(self, tx: Connection, run_id: str) -> list[RunRow]:
        row = run.find(tx, run_id)
        if row is not None:
            _refuse_finished(row.status)
            return [row]
        whole = backfill.find(tx, run_id)
        if whole is None:
            raise _no_such_run()
        _refuse_finished(whole.status)
        return [
            row for row in run.of_backfill(tx, run_id, _SHOWN_DAYS) if row.status in run.UNFINISHED
        ]

    def _record(self, tx: Connection, run_id: str) -> dict[str, Any]:
        row = run.find(tx, run_id)
        if row is not None:
            tries = [attempt_record(past) for past in run.attempts(tx, run_id)]
            return {**run_record(row), "attempts": tries}
        return stored_backfill(tx, run_id)


def _permit_on_run(caller: Caller, effect: Effect, run_id: str) -> Permit:
    return lambda tx: _authorize_run(tx, caller.actor, effect, run_id)


def _authorize_run(tx: Connection, actor: Actor, effect: Effect, run_id: str) -> None:
    """`authorize` on a run or backfill, which is the team's that holds its dataset."""
    team = None
    if not actor.is_everywhere:
        row = run.find(tx, run_id) or backfill.find(tx, run_id)
        if row is not None:
            team = holding.team(tx, holding.DATASET, row.dataset_name)
    authorize(actor, effect, Resource(team, _no_such_run))


def stored_backfill(tx: Connection, backfill_id: str) -> dict[str, Any]:
    """The record of a backfill with the state of each of its days."""
    whole = backfill.find(tx, backfill_id)
    if whole is None:
        raise _no_such_run()
    days = [
        {
            "run_id": row.run_id,
            "date": local_date(row.interval_start, row.timezone).isoformat(),
            "status": row.status,
        }
        for row in run.of_backfill(tx, backfill_id, _SHOWN_DAYS)
    ]
    return backfill_record(whole, days)


def _found(tx: Connection, run_id: str) -> RunRow:
    row = run.find(tx, run_id)
    if row is None:
        raise _no_such_run()
    return row


def _no_such_run() -> WorkflowNotFoundError:
    return WorkflowNotFoundError("There is no such run.")


def _refuse_finished(status: str) -> None:
    if status not in run.UNFINISHED:
        raise WorkflowExecutionError(
            f"The run has finished already: {status}.", code=ErrorCode.WORKFLOW_INVALID_STATE
        )
