"""Telling the lineage target of one attempt of a run, from its start to its end."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from dli.exceptions import DLIError
from dli.specs.dependency import tables_of
from dli.warehouse.base import StatementInterruptedError
from dli.warehouse.inventory import columns_of
from dli.warehouse.report import Report

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dli.models.dataset import DatasetSpec
    from dli.models.execution import DatasetExecutionResult
    from dli.specs.statement import Statement
    from dli.warehouse.base import Session
    from dli.warehouse.emitter import Emitter
    from dli.warehouse.inventory import StoredColumn
    from dli.warehouse.report import Attempt, State

__all__ = ["Trace", "traced"]


@contextmanager
def traced(emitter: Emitter | None, spec: DatasetSpec, attempt: Attempt) -> Iterator[Trace]:
    """Around an attempt: an error that leaves it is its end, an interruption an abort."""
    trace = Trace(emitter, spec, attempt)
    try:
        yield trace
    except StatementInterruptedError as error:
        trace.tell("ABORT", error=error.message)
        raise
    except BaseException as error:
        message = error.message if isinstance(error, DLIError) else type(error).__name__
        trace.tell("FAIL", error=message)
        raise


class Trace:
    """Without an emitter all of this does nothing."""

    def __init__(self, emitter: Emitter | None, spec: DatasetSpec, attempt: Attempt) -> None:
        self._emitter = emitter
        self._spec = spec
        self._attempt = attempt
        self._statements: Sequence[Statement] = ()
        self._columns: dict[str, list[StoredColumn]] = {}

    def began(self, statements: Sequence[Statement]) -> None:
        """The statements are about to run."""
        self._statements = list(statements)
        self.tell("START")

    def ended(self, session: Session, result: DatasetExecutionResult) -> None:
        """The statements have run, and their transaction is over."""
        if self._emitter is None:
            return
        if not result.success:
            self.tell("FAIL", error=result.error_message)
            return
        with suppress(DLIError):  # the event then has no columns
            rendered = [(statement, statement.sql) for statement in self._statements]
            reads, writes = tables_of(self._spec, rendered)
            self._columns = columns_of(session, [*reads, *writes])
        main = result.main_result
        self.tell("COMPLETE", row_count=None if main is None else main.rows_affected)

    def tell(self, state: State, *, row_count: int | None = None, error: str | None = None) -> None:
        if self._emitter is None:
            return
        report = Report(
            state=state,
            at=datetime.now(UTC),
            spec=self._spec,
            attempt=self._attempt,
            statements=self._statements,
            columns=self._columns,
            row_count=row_count,
            error=error,
        )
        self._emitter.tell(report)
