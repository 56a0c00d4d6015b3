"""One run of a dataset inside the worker: render, then pre, main and post on the warehouse."""

from __future__ import annotations

import logging
import threading
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any

from basecamp.failpoint import failpoint
from dli.exceptions import DLIError, ErrorCode
from dli.models.dataset import DatasetSpec
from dli.span import span
from dli.specs.dataset import render_dataset
from dli.specs.gate import render_gate
from dli.specs.schedule import Interval, local_date
from dli.specs.template import RenderContext
from dli.warehouse.base import StatementInterruptedError
from dli.warehouse.dataset import check_statements, run_statements
from dli.warehouse.limit import Limits, time_is_up
from dli.warehouse.report import Attempt
from dli.warehouse.trace import traced
from dli.warehouse.verdict import Verdicts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from contextlib import AbstractContextManager

    from basecamp.engines.embedded.desk import Desk
    from basecamp.engines.embedded.log import RunLog
    from basecamp.engines.embedded.workshop import Workshop
    from dli.models.execution import DatasetExecutionResult
    from dli.span import Span
    from dli.specs.dataset import Statement
    from dli.specs.gate import Gate
    from dli.warehouse.base import Session, StatementEvent
    from dli.warehouse.trace import Trace

_log = logging.getLogger(__name__)
_LEVELS = {"failed": "error", "ignored": "warning", "skipped": "warning"}


class JobFailed(Exception):  # noqa: N818 - an end of a job, not an error of ours
    """The job did not complete; `code` is a DLI code or None."""

    def __init__(self, message: str, code: str | None) -> None:
        super().__init__(message)
        self.message = message
        self.code = code


class Job:
    """A run, or the check of one, from its message."""

    def __init__(
        self,
        workshop: Workshop | Desk,
        message: Mapping[str, Any],
        log: RunLog | None,
        rendering: AbstractContextManager[None],
    ) -> None:
        self._workshop = workshop
        self._message = message
        self._log = log
        self._rendering = rendering
        self._lock = threading.Lock()
        self._is_interrupted = False
        self._is_late = False
        self._session: Session | None = None

    def run(self) -> int | None:
        """Run the dataset; returns the rows that its main statement changed, as the engine counts.

        Raises:
            JobFailed: nothing was changed.
        """
        self._write("info", self._headline())
        try:
            spec = self._spec()
            with (
                traced(self._workshop.emitter(), spec, self._attempt()) as trace,
                self._time_limit(spec),
            ):
                result = self._execute(spec, trace)
        except DLIError as exc:
            raise self._failed(exc.message, exc.code.value) from exc
        if not result.success:
            message = result.error_message or "The SQL was refused."
            raise self._failed(message, ErrorCode.EXECUTION_QUERY.value)
        rows = result.main_result.rows_affected if result.main_result else None
        self._write("info", f"Completed, {rows} rows." if rows is not None else "Completed.")
        return rows

    def measured(self) -> AbstractContextManager[Span]:
        """A span for this attempt, below the request that asked for the run."""
        message = self._message
        return span(
            "run",
            parent=message.get("traceparent"),
            kind="consumer",
            dli__run_id=message["run_id"],
            dli__attempt=message["attempt"],
            dli__dataset=message["spec"].get("name"),
            dli__request_id=message.get("request_id"),
        )

    def check(self, *, bind: bool) -> list[str]:
        """Render and parse; with `bind` bind each statement on the warehouse. Returns the SQL.

        Raises:
            DLIError: the run would fail.
        """
        spec = self._spec()
        statements, gate = self._render(spec)
        tests = [] if gate is None else gate.checked_statements()
        if bind:
            with self._workshop.session() as session:
                check_statements(session, [*statements, *tests], dialect=spec.execution.dialect)
        return [statement.sql for statement in statements]

    def interrupt(self, *, is_late: bool = False) -> None:
        """End the job's SQL, also when it is only just about to start; late: its time is up."""
        with self._lock:
            self._is_late = is_late
            self._is_interrupted = True
            if self._session is not None:
                self._session.interrupt()

    def close(self) -> None:
        """Write nothing to the log any more."""
        if self._log is not None:
            self._log.close()

    def _take(self, session: Session) -> None:
        with self._lock:
            self._session = session
            if self._is_interrupted:
                session.interrupt()

    def _execute(self, spec: DatasetSpec, trace: Trace) -> DatasetExecutionResult:
        statements, gate = self._render(spec)
        with self._workshop.session() as session:
            self._take(session)
            trace.began(statements)
            result = run_statements(
                session,
                statements,
                dialect=spec.execution.dialect,
                on_event=self._on_event,
                limits=Limits.of(spec.execution, is_timed=False),
                gate=gate,
                verdicts=Verdicts(self._workshop.project().root),
            )
            trace.ended(session, result)
        return result

    @contextmanager
    def _time_limit(self, spec: DatasetSpec) -> Iterator[None]:
        """The engine watches the time; an interruption for it is a failure and no stop."""
        try:
            yield
        except StatementInterruptedError as exc:
            if not self._is_late:
                raise
            raise time_is_up(spec.execution.timeout_seconds) from exc

    def _spec(self) -> DatasetSpec:
        return DatasetSpec.model_validate(self._message["spec"])

    def _attempt(self) -> Attempt:
        message = self._message
        return Attempt(message["run_id"], message["attempt"], self._interval())

    def _interval(self) -> Interval:
        message = self._message
        return Interval(
            datetime.fromisoformat(message["interval_start"]),
            datetime.fromisoformat(message["interval_end"]),
        )

    def _render(self, spec: DatasetSpec) -> tuple[list[Statement], Gate | None]:
        message, interval = self._message, self._interval()
        context = RenderContext(
            logical_date=local_date(interval.start, message["timezone"]),
            timezone=message["timezone"],
            interval=interval,
            run_id=message["run_id"],
            variables=self._workshop.project().variables,
            allowed_env=self._workshop.allowed_env,
            known_names=(),
        )
        with self._rendering:
            statements = render_dataset(spec, context, message["parameters"])
            return statements, render_gate(spec, context, message["parameters"])

    def _on_event(self, event: StatementEvent) -> None:
        failpoint("worker.amid")
        level = _LEVELS.get(event.kind, "info")
        self._write(level, str(event))
        if event.duration_ms is not None:
            words = {"phase": event.phase, "position": event.position, "outcome": event.kind}
            _log.info("run.statement", extra={**words, "duration_ms": event.duration_ms})

    def _headline(self) -> str:
        message = self._message
        request_id = message.get("request_id")
        asked = f" Request {request_id}." if request_id else ""
        return (
            f"Attempt {message['attempt']} of {message['max_attempts']}, data interval "
            f"{message['interval_start']} to {message['interval_end']}.{asked}"
        )

    def _failed(self, message: str, code: str) -> JobFailed:
        if self._is_interrupted and not self._is_late:
            self._write("warning", "Interrupted; nothing was changed.")
        else:
            self._write("error", f"{code}: {message}")
        return JobFailed(message, code)

    def _write(self, level: str, text: str) -> None:
        if self._log is not None:
            self._log.write(level, text)
