"""One attempt of a run: rendered and executed on the project's warehouse, stoppable at any time."""

from __future__ import annotations

import logging
import os
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dli.exceptions import ErrorCode, ExecutionError
from dli.models.dataset import DatasetSpec
from dli.span import flush, set_up, span
from dli.specs.dataset import render_dataset
from dli.specs.gate import render_gate
from dli.specs.project import Project
from dli.specs.schedule import local_date
from dli.specs.template import RenderContext
from dli.warehouse.base import StatementInterruptedError
from dli.warehouse.connection import warehouse_of
from dli.warehouse.dataset import run_statements
from dli.warehouse.emitter import emitter_of
from dli.warehouse.limit import Limits, time_is_up
from dli.warehouse.report import Attempt
from dli.warehouse.trace import traced
from dli.warehouse.verdict import Verdicts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from dli.models.execution import DatasetExecutionResult
    from dli.specs.schedule import Interval
    from dli.warehouse.base import Session, StatementEvent
    from dli.warehouse.trace import Trace

__all__ = ["Job", "Order"]

log = logging.getLogger("dli_airflow.run")
_LEVELS = {"failed": logging.ERROR, "ignored": logging.WARNING, "skipped": logging.WARNING}
_POLL_S = 0.1
_FLUSH_S = 3.0
_SPANS_S = 1.0
_END_S = 4.0  # Airflow kills a task 5 s after it has asked it to end


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be run: a stored spec with its values, in the project at `root`.

    Templates may read the environment variables `allowed_env`.
    """

    root: Path
    content: dict[str, Any]
    parameters: Mapping[str, Any]
    interval: Interval
    timezone: str
    run_id: str
    allowed_env: Mapping[str, str]
    attempt: int = 1
    traceparent: str | None = None


class Job:
    """Runs an order in a thread of its own, for signals reach only a main thread that is awake."""

    def __init__(self, order: Order) -> None:
        self._order = order
        self._spec = DatasetSpec.model_validate(order.content)
        self._is_stopped = threading.Event()
        self._is_late = threading.Event()
        self._has_ended = threading.Event()
        self._session: Session | None = None
        self._outcome: DatasetExecutionResult | None = None
        self._failure: BaseException | None = None

    def stop(self) -> None:
        """End the job; may be called from a signal handler."""
        self._is_stopped.set()

    def run(self) -> int | None:
        """The rows that the main statement changed, as the engine counts them.

        Raises: StatementInterruptedError; DLIError, among them ExecutionError DLI-402 after the
        time limit.
        """
        deadline = time.monotonic() + self._spec.execution.timeout_seconds
        threading.Thread(target=self._work, name="dli-run", daemon=True).start()
        try:
            while not self._has_ended.wait(_POLL_S):
                if time.monotonic() >= deadline:
                    self._is_late.set()
                if self._is_stopped.is_set() or self._is_late.is_set():
                    break
        finally:
            self._end()
        if self._is_stopped.is_set() and self._outcome is None:
            raise StatementInterruptedError("The run was stopped; nothing was changed.")
        if self._is_late.is_set() and self._outcome is None:
            raise time_is_up(self._spec.execution.timeout_seconds) from self._failure
        if self._failure is not None:
            raise self._failure
        return _rows(self._outcome)

    def _end(self) -> None:
        """Interrupt the SQL, when there is some, and wait until it is undone."""
        deadline = time.monotonic() + _END_S
        while not self._has_ended.is_set() and time.monotonic() < deadline:
            if self._session is not None:
                self._session.interrupt()
            self._has_ended.wait(_POLL_S)

    def _work(self) -> None:
        try:
            self._outcome = self._execute()
        except BaseException as error:  # noqa: BLE001 - raised again in the main thread
            self._failure = error
        finally:
            self._has_ended.set()

    def _execute(self) -> DatasetExecutionResult:
        order = self._order
        if (why_not := set_up("dli-airflow", os.environ)) is not None:
            log.warning("No spans are made: %s.", why_not)
        facts = {"dli__run_id": order.run_id, "dli__dataset": self._spec.name}
        try:
            with span("run", parent=order.traceparent, kind="consumer", **facts) as here:
                here.note(dli__attempt=order.attempt)
                return self._told()
        finally:
            flush(_SPANS_S)

    def _told(self) -> DatasetExecutionResult:
        order = self._order
        project = Project.open(order.root)
        emitter = emitter_of(project)
        attempt = Attempt(order.run_id, order.attempt, order.interval)
        try:
            with traced(emitter, self._spec, attempt) as trace, self._time_limit():
                return self._run_in(project, trace)
        finally:
            if emitter is not None:
                emitter.flush(_FLUSH_S)

    @contextmanager
    def _time_limit(self) -> Iterator[None]:
        """The main thread watches the time; an interruption for it is a failure and no stop."""
        try:
            yield
        except StatementInterruptedError as error:
            if self._is_stopped.is_set() or not self._is_late.is_set():
                raise
            raise time_is_up(self._spec.execution.timeout_seconds) from error

    def _run_in(self, project: Project, trace: Trace) -> DatasetExecutionResult:
        order, spec = self._order, self._spec
        context = RenderContext(
            logical_date=local_date(order.interval.start, order.timezone),
            timezone=order.timezone,
            interval=order.interval,
            run_id=order.run_id,
            variables=project.variables,
            allowed_env=order.allowed_env,
        )
        statements = render_dataset(spec, context, order.parameters)
        gate = render_gate(spec, context, order.parameters)
        timeout_s = float(spec.execution.timeout_seconds)
        warehouse = warehouse_of(project, lock_timeout_s=timeout_s, hides_values=True)
        with warehouse, warehouse.session() as session:
            self._session = session
            trace.began(statements)
            result = run_statements(
                session,
                statements,
                dialect=spec.execution.dialect,
                dataset_name=spec.name,
                on_event=_tell,
                limits=Limits.of(spec.execution, is_timed=False),
                gate=gate,
                verdicts=Verdicts(order.root),
            )
            trace.ended(session, result)
            return result


def _rows(outcome: DatasetExecutionResult | None) -> int | None:
    assert outcome is not None  # a job without a failure has one
    if not outcome.success:
        message = outcome.error_message or "The SQL was refused."
        raise ExecutionError(message, code=ErrorCode.EXECUTION_QUERY)
    return outcome.main_result.rows_affected if outcome.main_result else None


def _tell(event: StatementEvent) -> None:
    log.log(_LEVELS.get(event.kind, logging.INFO), "%s", event)
