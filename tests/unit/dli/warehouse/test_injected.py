"""Datasets on an executor that the caller brought along."""

import pytest

from dli.exceptions import ExecutionError
from dli.models.execution import ExecutionResult
from dli.specs.dataset import Statement
from dli.warehouse.base import StatementInterruptedError
from dli.warehouse.dataset import check_statements, run_statements
from dli.warehouse.executor import MockExecutor
from dli.warehouse.injected import ExecutorSession

STATEMENTS = [
    Statement("pre", "clean", "DELETE FROM a.b.c", True),
    Statement("main", None, "INSERT INTO a.b.c SELECT format_datetime(now(), 'y')", False),
    Statement("post", "note", "INSERT INTO a.b.log SELECT 1", False),
]


class Refusing(MockExecutor):
    def __init__(self, word: str, error: Exception | None = None) -> None:
        super().__init__()
        self.word = word
        self.error = error

    def execute_sql(self, sql: str, *, timeout_seconds: int | None = None) -> ExecutionResult:
        result = super().execute_sql(sql, timeout_seconds=timeout_seconds)
        if self.word not in sql:
            return result
        if self.error is not None:
            raise self.error
        return result.model_copy(update={"success": False, "error_message": "not today"})


def test_every_statement_goes_there_as_written() -> None:
    executor = MockExecutor()
    result = run_statements(ExecutorSession(executor), STATEMENTS, dialect="trino")
    assert result.success
    assert executor.statements == [statement.sql for statement in STATEMENTS]


def test_rows_come_back() -> None:
    executor = MockExecutor([{"n": 1}, {"n": 2}])
    statement = Statement("main", None, "SELECT n FROM a.b.c", False)
    result = run_statements(ExecutorSession(executor), [statement], dialect="trino")
    assert result.main_result is not None
    assert result.main_result.data == [{"n": 1}, {"n": 2}]
    assert result.main_result.row_count == 2


def test_a_refusal_fails_the_run_and_what_may_fail_does_not() -> None:
    executor = Refusing("DELETE")
    assert run_statements(ExecutorSession(executor), STATEMENTS, dialect="trino").success
    assert len(executor.statements) == 3

    executor = Refusing("format_datetime")
    result = run_statements(ExecutorSession(executor), STATEMENTS, dialect="trino")
    assert result.error_message == "not today"
    assert len(executor.statements) == 2


def test_an_exception_of_the_executor_is_an_execution_error() -> None:
    executor = Refusing("DELETE", OSError("network is gone"))
    session = ExecutorSession(executor)
    with pytest.raises(ExecutionError, match="network is gone") as caught:
        session.execute("DELETE FROM a.b.c")
    assert caught.value.code == "DLI-401"
    assert isinstance(caught.value.cause, OSError)


def test_the_time_limit_is_handed_on() -> None:
    given: list[int | None] = []

    class Asking(MockExecutor):
        def execute_sql(self, sql: str, *, timeout_seconds: int | None = None) -> ExecutionResult:
            given.append(timeout_seconds)
            return super().execute_sql(sql, timeout_seconds=timeout_seconds)

    ExecutorSession(Asking(), timeout_s=1.5).execute("SELECT 1")
    assert given == [2]


def test_an_interrupt_takes_effect_before_the_next_statement() -> None:
    executor = MockExecutor()
    session = ExecutorSession(executor)
    with pytest.raises(StatementInterruptedError):
        run_statements(
            session, STATEMENTS, dialect="trino", on_event=lambda event: session.interrupt()
        )
    assert executor.statements == []


def test_a_dry_run_says_that_nothing_was_bound() -> None:
    executor = MockExecutor()
    (warning,) = check_statements(ExecutorSession(executor), STATEMENTS, dialect="trino")
    assert "not checked" in warning
    assert executor.statements == []
