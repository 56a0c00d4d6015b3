"""Quality gates: what a run has written is tested before it takes effect."""

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from dli.exceptions import ErrorCode, ExecutionError
from dli.models.execution import DatasetExecutionResult, ExecutionResult
from dli.specs.dataset import Statement
from dli.specs.gate import render_gate
from dli.specs.parser import dataset_from_mapping
from dli.specs.template import RenderContext
from dli.warehouse.base import StatementEvent
from dli.warehouse.dataset import check_statements, run_statements
from dli.warehouse.duckdb import DuckDBWarehouse
from dli.warehouse.executor import BaseExecutor
from dli.warehouse.injected import ExecutorSession
from dli.warehouse.verdict import Verdicts

Rows = Callable[..., list[tuple[Any, ...]]]
Test = dict[str, Any]

TABLE = "iceberg.daily.pages"
STATEMENTS = [
    Statement("pre", "create", f"CREATE TABLE IF NOT EXISTS {TABLE} (dt DATE, n BIGINT)"),
    Statement("pre", "clean", f"DELETE FROM {TABLE} WHERE dt = DATE '2026-01-01'"),
    Statement(
        "main",
        None,
        f"INSERT INTO {TABLE} SELECT dt, count(*) FROM iceberg.raw.clicks "
        "WHERE dt = DATE '2026-01-01' GROUP BY dt",
    ),
]
MANY: Test = {"name": "many", "type": "range_check", "column": "n", "min": 3}
FILLED: Test = {"name": "filled", "type": "not_null", "columns": ["dt", "n"]}
WRONG_TYPE: Test = {"name": "typed", "type": "accepted_values", "column": "n", "values": ["a"]}


def gate_of(*tests: Test, dialect: str = "trino") -> Any:
    body = {
        "name": TABLE,
        "owner": "ann",
        "team": "data",
        "query_statement": "SELECT 1",
        "execution": {"dialect": dialect},
        "quality": {"gate": True, "tests": list(tests)},
    }
    spec, _ = dataset_from_mapping(body)
    return render_gate(spec, RenderContext(date(2026, 1, 1)))


@pytest.fixture
def events() -> list[StatementEvent]:
    return []


@pytest.fixture
def execute(
    warehouse: DuckDBWarehouse, events: list[StatementEvent], tmp_path: Path
) -> Callable[..., DatasetExecutionResult]:
    def run(*tests: Test, statements: list[Statement] = STATEMENTS) -> Any:
        with warehouse.session() as session:
            return run_statements(
                session,
                statements,
                dialect="trino",
                gate=gate_of(*tests),
                on_event=events.append,
                verdicts=Verdicts(tmp_path),
            )

    return run


Execute = Callable[..., DatasetExecutionResult]


def told(events: list[StatementEvent]) -> list[tuple[str, str | None, int | None]]:
    return [
        (event.kind, event.name, event.rows_affected)
        for event in events
        if event.phase == "quality"
    ]


def refused(execute: Execute, *tests: Test, **options: Any) -> str:
    with pytest.raises(ExecutionError) as caught:
        execute(*tests, **options)
    assert caught.value.code is ErrorCode.QUALITY_TEST_EXECUTION
    return caught.value.message


def test_a_run_that_passes_takes_effect(
    execute: Execute, run: Rows, events: list[StatementEvent]
) -> None:
    assert execute(FILLED, {**MANY, "min": 2}).success
    assert run(f"SELECT n FROM {TABLE}") == [(2,)]
    assert told(events) == [("finished", "filled", None), ("finished", "many", None)]


def test_a_failing_test_undoes_the_run(
    execute: Execute, run: Rows, events: list[StatementEvent]
) -> None:
    execute(FILLED)
    run(f"UPDATE {TABLE} SET n = 7")
    events.clear()
    message = refused(execute, MANY, FILLED)
    assert message == "Quality gate: 1 of 2 tests did not pass: many (1 rows)"
    assert run(f"SELECT n FROM {TABLE}") == [(7,)]
    assert told(events) == [("failed", "many", 1), ("finished", "filled", None)]


def test_a_table_that_the_refused_run_would_have_made_is_not_there(
    execute: Execute, run: Rows
) -> None:
    refused(execute, MANY)
    assert run("SELECT count(*) FROM duckdb_tables() WHERE table_name = 'pages'") == [(0,)]


def test_a_test_of_severity_warn_is_told_and_undoes_nothing(
    execute: Execute, run: Rows, events: list[StatementEvent]
) -> None:
    assert execute({**MANY, "severity": "warn"}, FILLED).success
    assert run(f"SELECT n FROM {TABLE}") == [(2,)]
    assert told(events) == [("finished", "filled", None), ("ignored", "many", 1)]


def test_a_warning_that_cannot_run_undoes_nothing(
    execute: Execute, run: Rows, events: list[StatementEvent]
) -> None:
    assert execute({**WRONG_TYPE, "severity": "warn"}, {**MANY, "severity": "warn"}).success
    assert run(f"SELECT n FROM {TABLE}") == [(2,)]
    assert told(events) == [("ignored", "typed", None), ("ignored", "many", 1)]


def test_what_tests_found_of_data_that_stays_is_kept(execute: Execute, tmp_path: Path) -> None:
    execute({**MANY, "severity": "warn"}, {**WRONG_TYPE, "severity": "warn"}, FILLED)
    refused(execute, {**FILLED, "name": "new"}, MANY)
    latest = Verdicts(tmp_path).latest(f"dataset:{TABLE}")
    assert [(one["test_name"], one["status"], one["failed_rows"]) for one in latest] == [
        ("filled", "pass", 0),
        ("many", "warn", 1),
        ("typed", "error", 0),
    ]


def test_a_disabled_test_is_not_run(execute: Execute, events: list[StatementEvent]) -> None:
    assert execute({**MANY, "enabled": False}).success
    assert told(events) == []


@pytest.mark.parametrize(
    ("test", "reason"),
    [
        ({"name": "t", "type": "not_null", "column": "nope"}, 'column named "nope"'),
        ({"name": "t", "type": "singular", "sql": "SELECT ("}, "sql"),
        ({"name": "t", "type": "singular", "sql": "SELECT * FROM a.b.c"}, "does not exist"),
        ({"name": "t", "type": "singular", "sql": "SELECT '{{ nothing }}'"}, "nothing"),
    ],
)
def test_a_test_that_cannot_run_lets_nothing_through(
    execute: Execute, run: Rows, test: Test, reason: str
) -> None:
    message = refused(execute, test, FILLED)
    assert message.startswith("Quality gate: 1 of 2 tests did not pass: t (")
    assert reason in message
    assert run("SELECT count(*) FROM duckdb_tables() WHERE table_name = 'pages'") == [(0,)]


def test_an_error_that_spoils_the_transaction_is_told_once(
    execute: Execute, run: Rows, events: list[StatementEvent]
) -> None:
    message = refused(execute, FILLED, WRONG_TYPE, MANY)
    assert "one of the tests that share a scan: Conversion Error" in message
    assert "transaction" not in message
    assert [event.name for event in events if event.phase == "quality"] == ["filled"]
    assert run("SELECT count(*) FROM duckdb_tables() WHERE table_name = 'pages'") == [(0,)]


def test_tests_see_the_day_of_the_run_and_tables_that_no_statement_names(execute: Execute) -> None:
    known = "SELECT 1 FROM iceberg.raw.clicks HAVING COUNT(*) = 3 AND '{{ ds }}' = '2026-01-01'"
    message = refused(execute, {"name": "known", "type": "singular", "sql": known})
    assert message.endswith("known (1 rows)")


def test_tests_may_read_tables_by_short_names_and_in_other_catalogs(
    execute: Execute, run: Rows
) -> None:
    run("CREATE TABLE other.main.days AS SELECT DATE '2026-01-01' AS dt")
    run("CREATE TABLE short (n INT)")
    near = {"name": "near", "type": "singular", "sql": "SELECT * FROM short"}
    far = {"name": "far", "type": "relationships", "column": "dt", "to": "other.main.days"}
    assert execute(near, {**far, "to_column": "dt"}).success
    run("INSERT INTO short VALUES (1)")
    run("DELETE FROM other.main.days")
    message = refused(execute, near, {**far, "to_column": "dt"})
    assert message.endswith("2 of 2 tests did not pass: near (1 rows), far (1 rows)")


def test_a_stop_during_the_tests_undoes_the_run(
    warehouse: DuckDBWarehouse, run: Rows, events: list[StatementEvent]
) -> None:
    with warehouse.session() as session:

        def stop(event: StatementEvent) -> None:
            if event.phase == "quality":
                session.interrupt()

        with pytest.raises(ExecutionError) as caught:
            run_statements(
                session, STATEMENTS, dialect="trino", gate=gate_of(FILLED), on_event=stop
            )
    assert caught.value.code is not ErrorCode.QUALITY_TEST_EXECUTION
    assert run("SELECT count(*) FROM duckdb_tables() WHERE table_name = 'pages'") == [(0,)]


def test_an_executor_cannot_undo_and_still_fails() -> None:
    class Executor(BaseExecutor):
        def execute_sql(self, sql: str, *, timeout_seconds: int | None = None) -> ExecutionResult:
            rows = [{"n": 1}] if sql.startswith("SELECT") else []
            return ExecutionResult(
                dataset_name=TABLE, phase="main", success=True, columns=["n"], data=rows
            )

        def test_connection(self) -> bool:
            return True

        def close(self) -> None: ...

    with ExecutorSession(Executor()) as session, pytest.raises(ExecutionError) as caught:
        run_statements(session, STATEMENTS, dialect="trino", gate=gate_of(MANY))
    assert caught.value.message.endswith("many (1 rows)")


def test_a_dry_run_binds_the_tests_too(warehouse: DuckDBWarehouse) -> None:
    good, wrong = gate_of(FILLED), gate_of({**FILLED, "columns": ["nope"]})
    soft = gate_of({**FILLED, "columns": ["nope"], "severity": "warn"})
    with warehouse.session() as session:
        statements = [*STATEMENTS, *good.checked_statements()]
        assert check_statements(session, statements, dialect="trino") == []
        with pytest.raises(ExecutionError, match="quality filled"):
            check_statements(session, [*STATEMENTS, *wrong.checked_statements()], dialect="trino")
        statements = [*STATEMENTS, *soft.checked_statements()]
        assert "quality filled" in check_statements(session, statements, dialect="trino")[0]
