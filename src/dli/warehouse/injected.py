"""A session on an executor that the caller brought along."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Self

from dli.exceptions import DLIError, ErrorCode, ExecutionError
from dli.warehouse.base import Outcome, StatementInterruptedError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    from dli.warehouse.executor import QueryExecutor
    from dli.warehouse.inventory import StoredTable
    from dli.warehouse.planned import PlannedStatement

__all__ = ["ExecutorSession"]


class ExecutorSession:
    """See `Session`. The text goes to the executor as the spec has it, statement by statement.

    An executor knows neither transactions nor a stop: a failure leaves what was done before it, and
    `interrupt` takes effect between statements. The caller closes the executor.
    """

    dialect = None
    is_transactional = False

    def __init__(self, executor: QueryExecutor, *, timeout_s: float | None = None) -> None:
        self._executor = executor
        self._timeout_seconds = None if timeout_s is None else math.ceil(timeout_s)
        self._is_stopped = False

    @property
    def interrupted(self) -> bool:
        return self._is_stopped

    def prepare(self, plan: Sequence[PlannedStatement]) -> None:
        """The executor's engine finds its tables itself."""

    def begin(self) -> None:
        """There is no transaction."""

    def commit(self) -> None:
        """There is no transaction."""

    def rollback(self) -> None:
        """There is no transaction."""

    def execute(self, sql: str, *, max_rows: int | None = None) -> Outcome:
        if self._is_stopped:
            raise StatementInterruptedError("The statement was stopped before it started")
        try:
            result = self._executor.execute_sql(sql, timeout_seconds=self._timeout_seconds)
        except DLIError:
            raise
        except Exception as error:
            raise ExecutionError(f"The executor failed: {error}", cause=error) from error
        if not result.success:
            message = result.error_message or "The executor gave no reason"
            raise ExecutionError(message, code=ErrorCode.EXECUTION_QUERY)
        if not result.columns:
            return Outcome(result.row_count, [], [])
        rows = [tuple(row.get(name) for name in result.columns) for row in result.data]
        count = len(rows) if result.row_count is None else result.row_count
        return Outcome(None, list(result.columns), rows[:max_rows], count)

    def check(self, plan: Sequence[PlannedStatement]) -> list[str]:  # noqa: ARG002 (see text)
        return ["The statements were not checked by the engine: an executor can only run them"]

    def tables(self) -> list[StoredTable]:
        raise ExecutionError("An executor cannot tell which tables there are")

    def interrupt(self) -> None:
        self._is_stopped = True

    def close(self) -> None:
        """The executor is not ours."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
