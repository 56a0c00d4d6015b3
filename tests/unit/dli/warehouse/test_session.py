"""Statements on the embedded engine: counts, transactions, stops."""

import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from dli.exceptions import ExecutionError
from dli.warehouse.base import StatementInterruptedError
from dli.warehouse.duckdb import DuckDBWarehouse
from dli.warehouse.session import DuckDBSession

Rows = Callable[..., list[tuple[Any, ...]]]

SLOW = "SELECT count(*) FROM range(1000000000) a CROSS JOIN range(1000000000) b"

MERGE = (
    "MERGE INTO iceberg.s.t USING (SELECT 9 AS a) n ON t.a = n.a "
    "WHEN NOT MATCHED THEN INSERT VALUES (n.a)"
)


def in_thread(work: Callable[[], object]) -> tuple[threading.Thread, list[BaseException]]:
    """Runs `work` beside the test, as the worker does; the list receives what it raised."""
    raised: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 (the test looks at it)
            raised.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread, raised


@pytest.mark.parametrize(
    ("sql", "rows_affected", "rows"),
    [
        ("INSERT INTO iceberg.s.t SELECT 4", 1, []),
        ("UPDATE iceberg.s.t SET a = a + 10 WHERE a > 1", 2, []),
        ("DELETE FROM iceberg.s.t", 3, []),
        ("TRUNCATE iceberg.s.t", 3, []),
        (MERGE, 1, []),
        ("CREATE TABLE iceberg.s.copied AS SELECT * FROM iceberg.s.t", 3, []),
        ("CREATE TABLE iceberg.s.empty (b INT)", None, []),
        ("ALTER TABLE iceberg.s.t ADD COLUMN b INT", None, []),
        ("DROP TABLE iceberg.s.t", None, []),
        ("ANALYZE iceberg.s.t", None, []),
        ("INSERT INTO iceberg.s.t VALUES (7), (8) RETURNING a", 2, [(7,), (8,)]),
        ("SELECT max(a) AS Count FROM iceberg.s.t", None, [(3,)]),
    ],
)
def test_rows_are_counted_by_the_engine(
    warehouse: DuckDBWarehouse,
    run: Rows,
    sql: str,
    rows_affected: int | None,
    rows: list[tuple[int, ...]],
) -> None:
    run("CREATE TABLE iceberg.s.t (a INT)", "INSERT INTO iceberg.s.t VALUES (1), (2), (3)")
    with warehouse.session() as session:
        outcome = session.execute(sql)
    assert outcome.rows_affected == rows_affected
    assert outcome.rows == rows


def test_rows_beyond_the_limit_are_counted_and_not_kept(warehouse: DuckDBWarehouse) -> None:
    with warehouse.session() as session:
        outcome = session.execute("SELECT range FROM range(100000)", max_rows=3)
    assert outcome.rows == [(0,), (1,), (2,)]
    assert outcome.row_count == 100_000


def test_instants_are_utc_and_come_to_python(warehouse: DuckDBWarehouse) -> None:
    with warehouse.session() as session:
        outcome = session.execute("SELECT TIMESTAMPTZ '2026-07-01 12:00:00' AS at")
    assert outcome.rows == [(datetime(2026, 7, 1, 12, tzinfo=UTC),)]


def test_an_uncommitted_change_is_gone_with_the_session(
    warehouse: DuckDBWarehouse, run: Rows
) -> None:
    run("CREATE TABLE iceberg.s.t (a INT)")
    with warehouse.session() as session:
        session.begin()
        session.execute("INSERT INTO iceberg.s.t VALUES (1)")
    assert run("SELECT * FROM iceberg.s.t") == []


def test_two_sessions_write_to_two_tables_at_the_same_time(
    warehouse: DuckDBWarehouse, run: Rows
) -> None:
    run("CREATE TABLE iceberg.s.a (v INT)", "CREATE TABLE iceberg.s.b (v INT)")
    with warehouse.session() as first, warehouse.session() as second:
        first.begin()
        second.begin()
        first.execute("INSERT INTO iceberg.s.a VALUES (1)")
        second.execute("INSERT INTO iceberg.s.b VALUES (2)")
        second.commit()
        first.commit()
    assert run("SELECT * FROM iceberg.s.a UNION ALL SELECT * FROM iceberg.s.b") == [(1,), (2,)]


def test_a_running_statement_is_interrupted_within_two_seconds(
    warehouse: DuckDBWarehouse,
) -> None:
    with warehouse.session() as session:
        began = threading.Event()

        def work() -> None:
            began.set()
            session.execute(SLOW)

        thread, raised = in_thread(work)
        assert began.wait(5)
        asked = time.monotonic()
        session.interrupt()
        thread.join(10)
        assert not thread.is_alive()
        assert time.monotonic() - asked < 2
        assert [type(error) for error in raised] == [StatementInterruptedError]


def test_an_interrupt_around_the_start_of_a_statement_is_never_lost(
    warehouse: DuckDBWarehouse,
) -> None:
    """The engine forgets an interrupt that comes just before it begins."""
    for _ in range(40):
        with warehouse.session() as session:
            gate = threading.Barrier(2)

            def work(session: DuckDBSession = session, gate: threading.Barrier = gate) -> None:
                gate.wait(5)
                session.execute(SLOW)

            thread, raised = in_thread(work)
            gate.wait(5)
            session.interrupt()
            thread.join(10)
            assert not thread.is_alive()
            assert [type(error) for error in raised] == [StatementInterruptedError]


def test_nothing_starts_after_an_interrupt(warehouse: DuckDBWarehouse) -> None:
    with warehouse.session() as session:
        session.interrupt()
        with pytest.raises(StatementInterruptedError):
            session.execute("SELECT 1")
        with pytest.raises(StatementInterruptedError):
            session.begin()
    with warehouse.session() as other:
        assert other.execute("SELECT 1").rows == [(1,)]


def test_an_interrupt_ends_the_fetching_of_rows(warehouse: DuckDBWarehouse) -> None:
    with warehouse.session() as session:
        thread, raised = in_thread(
            lambda: session.execute(
                "SELECT a.range FROM range(1000000000) a CROSS JOIN range(1000000000) b", max_rows=1
            )
        )
        session.interrupt()
        thread.join(10)
        assert not thread.is_alive()
        assert [type(error) for error in raised] == [StatementInterruptedError]


def test_control_c_stops_the_statement_of_the_main_thread(project: Path) -> None:
    program = f"""
import os, pathlib, signal, threading
from dli.warehouse.duckdb import DuckDBWarehouse

def press():
    while not any(thread.name == "dli-statement" for thread in threading.enumerate()):
        pass
    os.kill(os.getpid(), signal.SIGINT)

root = pathlib.Path({str(project)!r})
with DuckDBWarehouse(root / "w", data_root=root) as warehouse, warehouse.session() as session:
    threading.Thread(target=press).start()
    try:
        session.execute({SLOW!r})
    except KeyboardInterrupt:
        print("stopped", session.interrupted)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=20, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "stopped True\n", "")


def test_the_engine_starts_anew_after_it_gave_up(warehouse: DuckDBWarehouse, run: Rows) -> None:
    run("CREATE TABLE iceberg.s.t AS SELECT 1 AS a")
    first, second = warehouse.session(), warehouse.session()
    warehouse.engine_broke()
    first.close()
    second.close()
    assert run("SELECT a FROM iceberg.s.t") == [(1,)]


def test_closing_twice_is_harmless(warehouse: DuckDBWarehouse) -> None:
    session = warehouse.session()
    session.close()
    session.close()
    warehouse.close()
    with warehouse.session() as again:
        assert again.execute("SELECT 1").rows == [(1,)]


def test_a_value_that_cannot_be_converted_is_the_statements_fault(
    warehouse: DuckDBWarehouse,
) -> None:
    with warehouse.session() as session, pytest.raises(ExecutionError) as caught:
        session.execute("SELECT CAST('x' AS INTEGER)")
    assert caught.value.code == "DLI-405"
    assert caught.value.cause is not None


def test_a_text_the_engine_cannot_read_is_a_syntax_error(warehouse: DuckDBWarehouse) -> None:
    with warehouse.session() as session, pytest.raises(ExecutionError) as caught:
        session.execute("SELEC 1")
    assert caught.value.code == "DLI-202"
