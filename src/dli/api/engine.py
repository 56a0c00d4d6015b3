"""Where statements of LOCAL mode run: the executor that was brought along, else the warehouse."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING, TypeVar

from dli.exceptions import DLIError, ExecutionError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from dli.models.execution import DatasetExecutionResult
    from dli.models.spec import ExecutionConfig
    from dli.specs.gate import Gate
    from dli.specs.project import Project
    from dli.specs.statement import Statement
    from dli.warehouse.base import Session, StatementEvent, Warehouse
    from dli.warehouse.executor import QueryExecutor
    from dli.warehouse.reader import Reader
    from dli.warehouse.trace import Trace

__all__ = ["LocalEngine"]

Result = TypeVar("Result")


class LocalEngine:
    """Opens the project's warehouse on first use, and lets go of its files after each run."""

    def __init__(
        self,
        project: Callable[[], Project],
        executor: QueryExecutor | None,
        *,
        lock_timeout_s: float = 2.0,
    ) -> None:
        self._project = project
        self._executor = executor
        self._lock_timeout_s = lock_timeout_s
        self._warehouse: Warehouse | None = None

    def run(
        self,
        statements: Sequence[Statement],
        *,
        execution: ExecutionConfig,
        name: str,
        on_event: Callable[[StatementEvent], None] | None = None,
        gate: Gate | None = None,
        trace: Trace | None = None,
    ) -> DatasetExecutionResult:
        """All statements take effect, or none (an executor knows no transactions).

        Raises: ExecutionError 401, 402 (time limit), 403 (the data cannot be had), 604 (the gate);
        DLIValidationError 202.
        """
        from dli.warehouse.dataset import run_statements
        from dli.warehouse.limit import Limits
        from dli.warehouse.verdict import Verdicts

        def work(session: Session) -> DatasetExecutionResult:
            if trace is not None:
                trace.began(statements)
            result = run_statements(
                session,
                statements,
                dialect=execution.dialect,
                dataset_name=name,
                on_event=on_event,
                limits=Limits.of(execution),
                gate=gate,
                verdicts=None if gate is None else Verdicts(self._project().root),
            )
            if trace is not None:
                trace.ended(session, result)
            return result

        return self._worked(work, execution.timeout_seconds)

    def check(self, statements: Sequence[Statement], *, dialect: str) -> list[str]:
        """Bind the statements without any effect; gives what is wrong with those that may fail.

        Raises: ExecutionError 202, 403, 404, 405 for the first that may not.
        """
        from dli.warehouse.dataset import check_statements

        return self._worked(lambda at: check_statements(at, statements, dialect=dialect), None)

    def read(
        self, work: Callable[[Reader], Result], *, dialect: str, timeout_s: float | None
    ) -> Result:
        """What `work` gives with a reader, whose queries are of this dialect.

        Raises: ExecutionError 202, 401-405; DLIValidationError 202, 203; what `work` raises.
        """
        from dli.warehouse.limit import time_limit
        from dli.warehouse.reader import Reader

        def reading(session: Session) -> Result:
            with time_limit(session, timeout_s):
                return work(Reader(session, dialect))

        return self._worked(reading, timeout_s)

    def _worked(self, work: Callable[[Session], Result], timeout_s: float | None) -> Result:
        def on_session(interruption: _Interruption) -> Result:
            with self._session(timeout_s) as session:
                interruption.applies_to(session)
                return work(session)

        try:
            if self._executor is not None:
                # Many drivers work only in the thread that made them.
                return on_session(_Interruption())
            return _interruptibly(on_session)
        except DLIError:
            raise
        except Exception as error:
            message = f"The run failed unexpectedly: {type(error).__name__}"
            raise ExecutionError(message, cause=error) from error

    def answers(self) -> bool:
        """Whether a trivial statement works; never an exception."""
        try:
            if self._executor is not None:
                return bool(self._executor.test_connection())
            with self._session(None) as session:
                session.execute("SELECT 1")
        except Exception:  # noqa: BLE001 - "no" is the answer, whatever the reason
            return False
        return True

    @contextmanager
    def _session(self, timeout_s: float | None) -> Iterator[Session]:
        if self._executor is not None:
            from dli.warehouse.injected import ExecutorSession

            with ExecutorSession(self._executor, timeout_s=timeout_s) as injected:
                yield injected
            return
        if self._warehouse is None:
            from dli.warehouse.connection import warehouse_of

            project = self._project()
            self._warehouse = warehouse_of(project, lock_timeout_s=self._lock_timeout_s)
        try:
            with self._warehouse.session() as session:
                yield session
        finally:
            self._warehouse.close()


class _Interruption:
    """The wish to end a run, also one that has no session yet."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._session: Session | None = None
        self._is_wanted = False

    def applies_to(self, session: Session) -> None:
        with self._lock:
            self._session = session
            if self._is_wanted:
                session.interrupt()

    def demand(self) -> None:
        with self._lock:
            self._is_wanted = True
            if self._session is not None:
                self._session.interrupt()


def _interruptibly(work: Callable[[_Interruption], Result]) -> Result:
    """Do the work in a thread, so that Ctrl-C cannot hit the warehouse half-way through a step."""
    interruption = _Interruption()
    pool = ThreadPoolExecutor(1, thread_name_prefix="dli-run")
    try:
        return pool.submit(work, interruption).result()
    except BaseException:
        interruption.demand()
        raise
    finally:
        pool.shutdown()  # waits until the rollback is done
