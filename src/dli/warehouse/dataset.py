"""Running a dataset: pre, main and post statements as one transaction."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from dli.exceptions import ExecutionError
from dli.models.execution import DatasetExecutionResult, ExecutionResult
from dli.span import span
from dli.warehouse.base import REFUSALS, StatementEvent
from dli.warehouse.gate import GateKeeper
from dli.warehouse.limit import Limits, prepare, time_limit
from dli.warehouse.plan import plan_statements

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dli.specs.dataset import Statement
    from dli.specs.gate import Gate
    from dli.warehouse.base import EventKind, Outcome, Session
    from dli.warehouse.planned import PlannedStatement
    from dli.warehouse.verdict import Verdicts

__all__ = ["check_statements", "run_statements"]

_SAMPLE_ROWS = 100


def run_statements(
    session: Session,
    statements: Sequence[Statement],
    *,
    dialect: str,
    dataset_name: str = "",
    on_event: Callable[[StatementEvent], None] | None = None,
    limits: Limits | None = None,
    gate: Gate | None = None,
    verdicts: Verdicts | None = None,
) -> DatasetExecutionResult:
    """Run pre, main and post in order; all take effect together or not at all.

    The tests of the `gate` see what was written; they run last before the commit, those that only
    warn after it. Among `verdicts` is kept what they found of data that stays.

    Statements with `continue_on_error` never end the run. A pre statement of that kind is part of
    the transaction: DuckDB has no savepoints, so when it fails the transaction is begun again and
    the pre statements before it are repeated. A post statement of that kind runs after the commit,
    in a transaction of its own, for it must not undo what is done.

    The row count of a main statement that only selects is the number of its rows, of which the
    first 100 are kept.

    SQL that the engine refuses gives a result without success. Raises
    `StatementInterruptedError` after `session.interrupt`, `ExecutionError` DLI-402 after the time
    limit, 403 when the data cannot be had, 604 when the gate does not let the run through,
    and `DLIValidationError` DLI-202 for SQL that cannot be read. After each of these the data is as
    before. A stop or a timeout after the commit is no failure of the run.
    """
    plan = plan_statements(statements, dialect=dialect, engine_dialect=session.dialect)
    tell = on_event or _ignore
    keeper = None if gate is None else GateKeeper(gate, session, tell, verdicts)
    run = _Run(session, plan, dataset_name, tell, keeper)
    limits = limits or Limits()
    with time_limit(session, limits.timeout_s):
        try:
            whole = [*plan, *(() if keeper is None else keeper.plan())]
            prepare(session, whole, limits, run.wait)
            return run.all()
        finally:
            session.rollback()


def check_statements(
    session: Session, statements: Sequence[Statement], *, dialect: str
) -> list[str]:
    """Bind every statement on the engine without any effect.

    Gives problems of statements with `continue_on_error`. Raises `ExecutionError` (DLI-405, or 202
    for syntax) for the first other one.
    """
    plan = plan_statements(statements, dialect=dialect, engine_dialect=session.dialect)
    return session.check(plan)


class _Run:
    """The state of one run between its statements."""

    def __init__(
        self,
        session: Session,
        plan: Sequence[PlannedStatement],
        dataset_name: str,
        on_event: Callable[[StatementEvent], None],
        keeper: GateKeeper | None,
    ) -> None:
        self._keeper = keeper
        self._session = session
        self._plan = plan
        self._dataset_name = dataset_name
        self._on_event = on_event
        self._results: dict[int, ExecutionResult] = {}
        self._started = time.perf_counter()

    def wait(self, error: ExecutionError) -> None:
        """Tell that nothing begins until the data can be had."""
        self._tell("waiting", 0, error=error)

    def all(self) -> DatasetExecutionResult:
        inside = [index for index in range(len(self._plan)) if not self._is_outside(index)]
        self._session.begin()
        for index in inside:
            failure = self._one(index)
            if failure is None:
                continue
            if not self._may_fail(index):
                self._session.rollback()
                return self._summary(failure)
            repeated = self._repeat(index, inside)
            if repeated is not None:
                return self._summary(repeated)
        if self._keeper is not None:
            self._keeper.hold()
        try:
            self._session.commit()
        except ExecutionError as error:
            if error.code not in REFUSALS:
                raise
            return self._summary(error)
        self._after_commit()
        return self._summary(None)

    def _after_commit(self) -> None:
        for index in range(len(self._plan)):
            if not self._is_outside(index):
                continue
            try:
                self._one(index)
            except ExecutionError as error:
                self._record(index, error, 0)
                self._tell("skipped", index, error=error)
        if self._keeper is not None:
            self._keeper.warn()

    def _one(self, index: int, kind: EventKind = "finished") -> ExecutionError | None:
        """Run one statement and record it; gives what the engine refused it with."""
        self._tell("started", index)
        start = time.perf_counter()
        try:
            outcome = self._measured(index)
        except ExecutionError as error:
            if error.code not in REFUSALS:
                raise
            duration_ms = _ms_since(start)
            self._record(index, error, duration_ms)
            failed: EventKind = "ignored" if self._may_fail(index) else "failed"
            self._tell(failed, index, duration_ms=duration_ms, error=error)
            return error
        duration_ms = _ms_since(start)
        self._record(index, outcome, duration_ms)
        self._tell(kind, index, duration_ms=duration_ms, outcome=outcome)
        return None

    def _measured(self, index: int) -> Outcome:
        statement = self._plan[index].statement
        with span("statement", dli__phase=statement.phase, dli__position=index + 1) as here:
            outcome = self._session.execute(self._plan[index].sql, max_rows=_SAMPLE_ROWS)
            here.note(dli__rows_affected=outcome.rows_affected)
            return outcome

    def _repeat(self, failed: int, inside: Sequence[int]) -> ExecutionError | None:
        """Come back to where the transaction was before the failed statement spoiled it."""
        if not self._session.is_transactional:
            return None
        self._session.rollback()
        self._session.begin()
        for index in inside:
            if index >= failed:
                break
            if not self._results[index].success:
                continue
            failure = self._one(index, "repeated")
            if failure is not None:
                self._session.rollback()
                return failure
        return None

    def _is_outside(self, index: int) -> bool:
        statement = self._plan[index].statement
        return statement.phase == "post" and statement.continue_on_error

    def _may_fail(self, index: int) -> bool:
        return self._plan[index].statement.continue_on_error

    def _tell(
        self,
        kind: EventKind,
        index: int,
        *,
        duration_ms: int | None = None,
        outcome: Outcome | None = None,
        error: ExecutionError | None = None,
    ) -> None:
        statement = self._plan[index].statement
        is_query = outcome is not None and outcome.rows_affected is None and bool(outcome.columns)
        event = StatementEvent(
            kind=kind,
            phase=statement.phase,
            name=statement.name,
            position=index + 1,
            total=len(self._plan),
            duration_ms=duration_ms,
            rows_affected=outcome.rows_affected if outcome else None,
            rows_read=outcome.row_count if outcome and is_query else None,
            error=error,
        )
        self._on_event(event)

    def _record(self, index: int, outcome: Outcome | ExecutionError, duration_ms: int) -> None:
        statement = self._plan[index].statement
        result = ExecutionResult(
            dataset_name=self._dataset_name,
            phase=statement.phase,
            statement_name=statement.name,
            success=not isinstance(outcome, ExecutionError),
            rendered_sql=statement.sql,
            execution_time_ms=duration_ms,
        )
        if isinstance(outcome, ExecutionError):
            result.error_message = outcome.message
        else:
            is_query = outcome.rows_affected is None
            result.row_count = outcome.row_count if is_query else outcome.rows_affected
            result.rows_affected = outcome.rows_affected
            result.columns = outcome.columns
            result.data = [dict(zip(outcome.columns, row, strict=True)) for row in outcome.rows]
        self._results[index] = result

    def _summary(self, failure: ExecutionError | None) -> DatasetExecutionResult:
        results = [result for _, result in sorted(self._results.items())]
        return DatasetExecutionResult(
            dataset_name=self._dataset_name,
            success=failure is None,
            pre_results=[result for result in results if result.phase == "pre"],
            main_result=next((result for result in results if result.phase == "main"), None),
            post_results=[result for result in results if result.phase == "post"],
            total_execution_time_ms=_ms_since(self._started),
            error_message=None if failure is None else failure.message,
            error_code=None if failure is None else failure.code.value,
        )


def _ms_since(start: float) -> int:
    return round((time.perf_counter() - start) * 1000)


def _ignore(event: StatementEvent) -> None:
    """Nobody listens."""
