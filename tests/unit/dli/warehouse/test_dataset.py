"""Runs of pre, main and post statements: all or nothing."""

from collections.abc import Callable
from typing import Any

import pytest

from dli.exceptions import DLIValidationError, ExecutionError
from dli.models.execution import DatasetExecutionResult
from dli.specs.dataset import Statement
from dli.warehouse.base import StatementEvent, StatementInterruptedError
from dli.warehouse.dataset import check_statements, run_statements
from dli.warehouse.duckdb import DuckDBWarehouse
from dli.warehouse.instance import EngineLimits
from dli.warehouse.limit import Limits

Rows = Callable[..., list[tuple[Any, ...]]]

TABLE = "iceberg.daily.pages"
CREATE = Statement(
    "pre", "create", f"CREATE TABLE IF NOT EXISTS {TABLE} (dt DATE, n BIGINT)", False
)
SLOW = "SELECT count(*) FROM range(1000000000) a CROSS JOIN range(1000000000) b"


def delete(day: str) -> Statement:
    return Statement("pre", "clean", f"DELETE FROM {TABLE} WHERE dt = DATE '{day}'", False)


def insert(day: str) -> Statement:
    return Statement(
        "main",
        None,
        f"INSERT INTO {TABLE} SELECT dt, count(*) FROM iceberg.raw.clicks "
        f"WHERE dt = DATE '{day}' GROUP BY dt",
        False,
    )


def post(sql: str, name: str = "after", *, may_fail: bool = False) -> Statement:
    return Statement("post", name, sql, may_fail)


@pytest.fixture
def execute(warehouse: DuckDBWarehouse) -> Callable[..., DatasetExecutionResult]:
    def run(*statements: Statement, dialect: str = "trino", **options: Any) -> Any:
        with warehouse.session() as session:
            return run_statements(
                session, statements, dialect=dialect, dataset_name=TABLE, **options
            )

    return run


@pytest.fixture
def events() -> list[StatementEvent]:
    return []


Execute = Callable[..., DatasetExecutionResult]


def test_a_day_is_replaced_and_never_doubled(execute: Execute, run: Rows) -> None:
    for _ in range(3):
        result = execute(CREATE, delete("2026-01-01"), insert("2026-01-01"))
        assert result.success
        assert result.main_result is not None
        assert result.main_result.row_count == 1
    assert run(f"SELECT dt::VARCHAR, n FROM {TABLE}") == [("2026-01-01", 2)]


def test_the_engine_counts_the_rows_of_every_statement(execute: Execute) -> None:
    execute(CREATE, insert("2026-01-01"), post(f"INSERT INTO {TABLE} SELECT * FROM {TABLE}"))
    result = execute(CREATE, delete("2026-01-01"), insert("2026-01-02"))
    assert [one.row_count for one in result.pre_results] == [None, 2]
    assert result.main_result is not None
    assert result.main_result.row_count == 1
    assert result.dataset_name == TABLE


@pytest.mark.parametrize(
    "bad",
    [
        Statement("main", None, f"INSERT INTO {TABLE} SELECT 'x', 1", False),
        Statement("main", None, f"INSERT INTO {TABLE} SELECT nothing FROM {TABLE}", False),
        Statement("main", None, "SELECT 1 FROM iceberg.daily.absent", False),
    ],
)
def test_a_failure_leaves_the_table_as_it_was(execute: Execute, run: Rows, bad: Statement) -> None:
    execute(CREATE, insert("2026-01-01"))
    result = execute(CREATE, delete("2026-01-01"), bad)
    assert not result.success
    assert result.error_message
    assert run(f"SELECT n FROM {TABLE}") == [(2,)]


def test_a_failing_post_statement_undoes_the_run(execute: Execute, run: Rows) -> None:
    result = execute(CREATE, insert("2026-01-01"), post("SELECT error('counts differ')"))
    assert not result.success
    assert "counts differ" in str(result.error_message)
    assert run("SELECT table_name FROM duckdb_tables() WHERE NOT internal") == []


def test_f4_an_engine_without_memory_and_space_ends_the_run_with_an_exception(
    make_warehouse: Callable[..., DuckDBWarehouse],
) -> None:
    """Out of memory and out of space alike: nothing is wrong with the statement."""
    tight = make_warehouse(limits=EngineLimits(memory="10MB", threads=1, spill="1MB"))
    big = "SELECT count(DISTINCT r) FROM (SELECT hash(range)::VARCHAR AS r FROM range(1000000))"
    with tight.session() as session, pytest.raises(ExecutionError) as caught:
        run_statements(session, [Statement("main", None, big, True)], dialect="duckdb")
    assert caught.value.code == "DLI-401"
    assert "storage_full" in caught.value.message or "memory" in caught.value.message.lower()


def test_statements_after_a_failure_do_not_run(
    execute: Execute, events: list[StatementEvent]
) -> None:
    bad = Statement("pre", "bad", "SELECT 1 / nothing", False)
    result = execute(bad, insert("2026-01-01"), post("SELECT 1"), on_event=events.append)
    assert [(event.kind, event.phase) for event in events] == [
        ("started", "pre"),
        ("failed", "pre"),
    ]
    assert result.main_result is None
    assert result.post_results == []


def test_an_error_does_not_quote_the_sql(execute: Execute) -> None:
    result = execute(
        Statement("main", None, "SELECT nothing, 'geheim' FROM (SELECT 1 AS a)", False)
    )
    assert "nothing" in str(result.error_message)
    assert "geheim" not in str(result.error_message)
    assert "\n" not in str(result.error_message)


def test_a_pre_statement_that_may_fail_keeps_the_transaction_of_those_before(
    execute: Execute, run: Rows, events: list[StatementEvent]
) -> None:
    execute(CREATE, insert("2026-01-01"))
    optional = Statement("pre", "optional", f"ALTER TABLE {TABLE} ADD COLUMN n BIGINT", True)
    result = execute(
        CREATE,
        delete("2026-01-01"),
        optional,
        delete("2026-01-02"),
        insert("2026-01-02"),
        on_event=events.append,
    )
    assert result.success
    assert [one.success for one in result.pre_results] == [True, True, False, True]
    assert "already exists" in str(result.pre_results[2].error_message)
    assert run(f"SELECT dt::VARCHAR FROM {TABLE}") == [("2026-01-02",)]
    assert [event.name for event in events if event.kind == "ignored"] == ["optional"]
    assert [event.name for event in events if event.kind == "repeated"] == ["create", "clean"]


def test_a_pre_statement_that_may_fail_is_undone_with_the_run(execute: Execute, run: Rows) -> None:
    optional = Statement("pre", "optional", "CREATE TABLE iceberg.daily.extra (a INT)", True)
    result = execute(optional, Statement("main", None, "SELECT error('no')", False))
    assert not result.success
    assert run("SELECT table_name FROM duckdb_tables() WHERE NOT internal") == []


def test_a_post_statement_that_may_fail_cannot_undo_the_run(
    execute: Execute, run: Rows, events: list[StatementEvent]
) -> None:
    result = execute(
        CREATE,
        insert("2026-01-01"),
        post("SELECT error('log is full')", "log", may_fail=True),
        post(f"INSERT INTO {TABLE} VALUES (DATE '2026-02-01', 7)", "mark", may_fail=True),
        on_event=events.append,
    )
    assert result.success
    assert result.error_message is None
    assert [one.success for one in result.post_results] == [False, True]
    assert run(f"SELECT sum(n) FROM {TABLE}") == [(9,)]
    ignored = [event for event in events if event.kind == "ignored"]
    assert [event.name for event in ignored] == ["log"]
    assert "log is full" in str(ignored[0])


def test_a_post_statement_that_may_fail_runs_after_the_commit(execute: Execute) -> None:
    result = execute(
        CREATE,
        insert("2026-01-01"),
        post("SELECT 1", "optional", may_fail=True),
        post("SELECT error('strict')", "strict"),
    )
    assert not result.success
    assert [one.statement_name for one in result.post_results] == ["strict"]


def test_trino_sql_runs_after_translation(execute: Execute, run: Rows) -> None:
    result = execute(
        Statement(
            "pre",
            "create",
            "CREATE TABLE IF NOT EXISTS iceberg.daily.t (d VARCHAR, u BIGINT)",
            False,
        ),
        Statement(
            "main",
            None,
            "INSERT INTO iceberg.daily.t SELECT date_format(dt, '%Y%m%d'), "
            "approx_distinct(page) FROM iceberg.raw.clicks "
            "WHERE dt = date_add('day', -1, DATE '2026-01-02') GROUP BY 1",
            False,
        ),
    )
    assert result.error_message is None
    assert run("SELECT * FROM iceberg.daily.t") == [("20260101", 2)]


def test_a_main_statement_may_only_select(execute: Execute) -> None:
    result = execute(Statement("main", None, "SELECT range AS n FROM range(5000)", False))
    assert result.main_result is not None
    assert result.main_result.row_count == 5000
    assert result.main_result.columns == ["n"]
    assert len(result.main_result.data) == 100


def test_sql_that_cannot_be_read_is_refused_before_anything_runs(
    execute: Execute, run: Rows
) -> None:
    with pytest.raises(DLIValidationError) as caught:
        execute(CREATE, Statement("main", None, "SELECT FROM WHERE (", False))
    assert caught.value.code == "DLI-202"
    assert run("SELECT table_name FROM duckdb_tables() WHERE NOT internal") == []


def test_a_listener_that_fails_undoes_the_run(execute: Execute, run: Rows) -> None:
    def listen(event: StatementEvent) -> None:
        if event.phase == "main":
            raise OSError("pipe is gone")

    with pytest.raises(OSError, match="pipe is gone"):
        execute(CREATE, insert("2026-01-01"), on_event=listen)
    assert run("SELECT table_name FROM duckdb_tables() WHERE NOT internal") == []


def test_a_run_over_its_time_limit_is_undone(execute: Execute, run: Rows) -> None:
    execute(CREATE, insert("2026-01-01"))
    with pytest.raises(ExecutionError) as caught:
        execute(
            delete("2026-01-01"),
            Statement("main", None, SLOW, False),
            dialect="duckdb",
            limits=Limits(timeout_s=0.2),
        )
    assert caught.value.code == "DLI-402"
    assert not isinstance(caught.value, StatementInterruptedError)
    assert run(f"SELECT n FROM {TABLE}") == [(2,)]


def test_a_time_limit_that_is_not_reached_stops_nothing(execute: Execute) -> None:
    assert execute(CREATE, insert("2026-01-01"), limits=Limits(timeout_s=60)).success


def test_a_stop_undoes_the_run(warehouse: DuckDBWarehouse, execute: Execute, run: Rows) -> None:
    execute(CREATE, insert("2026-01-01"))
    with warehouse.session() as session:

        def stop(event: StatementEvent) -> None:
            if event.phase == "main":
                session.interrupt()

        with pytest.raises(StatementInterruptedError):
            run_statements(
                session,
                [delete("2026-01-01"), insert("2026-01-01")],
                dialect="trino",
                on_event=stop,
            )
        assert session.interrupted
    assert run(f"SELECT n FROM {TABLE}") == [(2,)]


def test_a_stop_after_the_commit_does_not_make_the_run_fail(
    warehouse: DuckDBWarehouse, run: Rows, events: list[StatementEvent]
) -> None:
    with warehouse.session() as session:

        def stop(event: StatementEvent) -> None:
            events.append(event)
            if event.phase == "post":
                session.interrupt()

        result = run_statements(
            session,
            [CREATE, insert("2026-01-01"), post("SELECT 1", may_fail=True)],
            dialect="trino",
            on_event=stop,
        )
    assert result.success
    assert [one.success for one in result.post_results] == [False]
    assert [event.kind for event in events if event.phase == "post"] == ["started", "skipped"]
    assert run(f"SELECT n FROM {TABLE}") == [(2,)]


def test_an_event_reads_as_one_line(execute: Execute, events: list[StatementEvent]) -> None:
    execute(CREATE, insert("2026-01-01"), on_event=events.append)
    assert str(events[0]) == "pre create (1/2) started"
    assert str(events[-1]).startswith("main (2/2) finished, 1 rows, ")


def test_a_dry_run_binds_without_effect(warehouse: DuckDBWarehouse, run: Rows) -> None:
    with warehouse.session() as session:
        statements = [CREATE, delete("2026-01-01"), insert("2026-01-01")]
        assert check_statements(session, statements, dialect="trino") == []
    assert run("SELECT table_name FROM duckdb_tables() WHERE NOT internal") == []
