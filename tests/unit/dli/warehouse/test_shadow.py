"""Dry runs on the embedded warehouse."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dli.exceptions import ConfigurationError, ExecutionError
from dli.specs.dataset import Statement
from dli.warehouse.dataset import check_statements
from dli.warehouse.duckdb import DuckDBWarehouse

Rows = Callable[..., list[tuple[Any, ...]]]
Check = Callable[..., list[str]]


@pytest.fixture
def check(warehouse: DuckDBWarehouse) -> Check:
    def check(*texts: str, may_fail: bool = False, dialect: str = "duckdb") -> list[str]:
        statements = [
            Statement("pre" if text != texts[-1] else "main", None, text, may_fail)
            for text in texts
        ]
        with warehouse.session() as session:
            return check_statements(session, statements, dialect=dialect)

    return check


def databases(project: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (project / ".dli/warehouse").glob("*.*db*")}


@pytest.mark.parametrize(
    ("texts", "problem"),
    [
        (["SELECT nothing FROM iceberg.raw.clicks"], "nothing"),
        (["SELECT * FROM iceberg.raw.absent"], "absent"),
        (["INSERT INTO iceberg.s.t SELECT 1, 2"], "2 values"),
        (["INSERT INTO iceberg.s.t SELECT format_datetimes(now())"], "format_datetimes"),
        (["DROP TABLE iceberg.s.t", "SELECT * FROM iceberg.s.t"], "does not exist"),
        (["ALTER TABLE iceberg.s.t RENAME COLUMN a TO b", "SELECT a FROM iceberg.s.t"], '"a"'),
        (["CREATE TABLE iceberg.s.t (a INT)"], "already exists"),
        (["CREATE TABLE iceberg.s.n AS SELECT 1 AS b", "SELECT a FROM iceberg.s.n"], '"a"'),
        (["CREATE TABLE other.s.t (a INT)", "INSERT INTO iceberg.s.t SELECT 1"], "one catalog"),
        (["DELETE FROM iceberg.raw.clicks"], "only be read"),
    ],
)
def test_what_a_run_would_stumble_over_is_found(
    check: Check, run: Rows, texts: list[str], problem: str
) -> None:
    run("CREATE TABLE iceberg.s.t AS SELECT 1 AS a")
    with pytest.raises(ExecutionError, match=problem):
        check(*texts)


@pytest.mark.parametrize(
    "texts",
    [
        ["CREATE TABLE iceberg.new.t (a INT)", "INSERT INTO iceberg.new.t SELECT 1"],
        ["CREATE TABLE IF NOT EXISTS iceberg.s.t (a INT)", "DELETE FROM iceberg.s.t WHERE a = 1"],
        ["CREATE TABLE iceberg.s.n AS SELECT page FROM iceberg.raw.clicks", "FROM iceberg.s.n"],
        ["ALTER TABLE iceberg.s.t ADD COLUMN b INT", "UPDATE iceberg.s.t SET b = 1"],
        ["INSERT INTO iceberg.s.k VALUES (1, 'x') ON CONFLICT (id) DO NOTHING"],
        ["CREATE OR REPLACE VIEW iceberg.s.v AS SELECT 3 AS c", "SELECT c FROM iceberg.s.v"],
        ["SELECT b FROM iceberg.s.v"],
        ["CREATE TEMP TABLE stage AS SELECT 1 AS a", "INSERT INTO iceberg.s.t SELECT a FROM stage"],
        ["CREATE SCHEMA IF NOT EXISTS iceberg.more", "CREATE TABLE iceberg.more.t (a INT)"],
        ["ANALYZE iceberg.s.t"],
        ["SELECT 1"],
    ],
)
def test_a_dry_run_of_good_sql_changes_nothing(
    check: Check,
    run: Rows,
    project: Path,
    warehouse: DuckDBWarehouse,
    texts: list[str],
) -> None:
    run("CREATE TABLE iceberg.s.t AS SELECT 1 AS a")
    run("CREATE TABLE iceberg.s.k (id INT PRIMARY KEY, v VARCHAR)")
    run("CREATE VIEW iceberg.s.v AS SELECT a AS b FROM iceberg.s.t")
    warehouse.close()
    before = databases(project)
    assert check(*texts) == []
    warehouse.close()
    assert databases(project) == before


def test_a_dry_run_in_an_empty_project_makes_no_file(check: Check, project: Path) -> None:
    check("CREATE TABLE iceberg.new.t (a INT)", "INSERT INTO iceberg.new.t SELECT 1")
    check("SELECT count(*) FROM iceberg.raw.clicks")
    check("CREATE TABLE short AS SELECT 1 AS a")
    assert databases(project) == {}


def test_a_dry_run_costs_no_rows(check: Check) -> None:
    """Not even for a table that is made from a query."""
    check(
        "CREATE TABLE iceberg.s.big AS SELECT a.range AS n FROM range(1000000000) a, "
        "range(1000000000) b",
        "SELECT count(*) FROM iceberg.s.big, range(1000000000)",
    )


def test_a_statement_that_may_fail_gives_a_warning(check: Check) -> None:
    warnings = check("SELECT nothing", "SELECT 1", may_fail=True)
    assert len(warnings) == 1
    assert "nothing" in warnings[0]


def test_a_problem_is_told_with_its_phase(check: Check) -> None:
    with pytest.raises(ExecutionError, match=r"^\[DLI-405\] pre: .*nothing"):
        check("SELECT nothing", "SELECT 1")


def test_a_dry_run_beside_a_run_disturbs_neither(
    check: Check, run: Rows, warehouse: DuckDBWarehouse
) -> None:
    run("CREATE TABLE iceberg.s.t AS SELECT 1 AS a")
    with warehouse.session() as session:
        session.begin()
        session.execute("CREATE TABLE iceberg.s.n AS SELECT 1 AS a")
        session.execute("INSERT INTO iceberg.s.t SELECT 2")
        check("CREATE TABLE IF NOT EXISTS iceberg.s.n (a INT)", "INSERT INTO iceberg.s.n SELECT 2")
        check("ALTER TABLE iceberg.s.t ADD COLUMN b INT", "UPDATE iceberg.s.t SET b = 1")
        session.commit()
    assert run("SELECT a FROM iceberg.s.t ORDER BY a") == [(1,), (2,)]


def test_a_source_without_a_file_is_found(check: Check, project: Path) -> None:
    (project / "data" / "clicks.csv").unlink()
    with pytest.raises(ConfigurationError, match="no file"):
        check("SELECT * FROM iceberg.raw.clicks")
