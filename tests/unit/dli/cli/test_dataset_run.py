"""`dli dataset run|show` on the project's warehouse."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from click.testing import Result

    Dli = Callable[..., Result]

TOTALS = "shop.sales.totals"
SPEC = """
name: shop.sales.totals
owner: ana@example.com
team: sales
parameters:
  - {name: least, type: integer, default: 0}
pre_statements:
  - name: table
    sql: CREATE TABLE IF NOT EXISTS shop.sales.totals (day DATE, paid DOUBLE)
  - name: day
    sql: DELETE FROM shop.sales.totals WHERE day = DATE '{{ ds }}'
query_statement: |
  INSERT INTO shop.sales.totals
  SELECT day, SUM(amount) FROM shop.raw.orders
  WHERE day = DATE '{{ ds }}' AND amount >= {{ least }} GROUP BY day
post_statements:
  - {name: look, sql: SELECT COUNT(*) FROM shop.sales.totals}
"""
DLI_YAML = """
sources: [{table: shop.raw.orders, path: orders.csv}]
transpile: {rules: [{id: r, type: table_substitution, source: old.orders, target: shop.raw.orders}]}
"""


@pytest.fixture(autouse=True)
def project(clean_place: Path) -> Path:
    (clean_place / "datasets").mkdir()
    (clean_place / "dli.yaml").write_text(DLI_YAML)
    (clean_place / "orders.csv").write_text("day,amount\n2025-01-01,10.5\n2025-01-02,20\n")
    (clean_place / "datasets" / f"dataset.{TOTALS}.yaml").write_text(SPEC)
    return clean_place


def test_a_run_writes_what_show_shows(dli: Dli) -> None:
    ran = dli("dataset", "run", TOTALS, "-p", "ds=2025-01-01")
    assert (ran.exit_code, ran.stderr) == (0, "")
    assert ran.stdout.startswith(f"{TOTALS}: success, 1 rows, ")
    assert dli("dataset", "run", TOTALS, "-p", "execution_date=2025-01-2").exit_code == 0
    shown = dli("dataset", "show", TOTALS)
    assert shown.stdout.splitlines() == [
        "day         paid",
        "2025-01-01  10.5",
        "2025-01-02  20.0",
    ]
    rows = json.loads(dli("dataset", "show", TOTALS, "--rows", "1", "-f", "json").stdout)
    assert rows == [{"day": "2025-01-01", "paid": 10.5}]


def test_a_result_as_json(dli: Dli, project: Path) -> None:
    ran = json.loads(
        dli("dataset", "run", TOTALS, "-p", "ds=2025-01-01", "--format", "json").stdout
    )
    assert (ran["name"], ran["status"], ran["rows_affected"]) == (TOTALS, "success", 1)
    assert (ran["rows_read"], ran["sql"], ran["is_dry_run"]) == (None, None, False)
    words = ("dataset", "run", "--sql", "SELECT 1 AS one", "--format", "json", "--show-sql")
    asked = json.loads(dli(*words).stdout)
    assert (asked["columns"], asked["rows"], asked["row_count"]) == (["one"], [{"one": 1}], 1)
    assert "SELECT 1" in asked["sql"]
    file = project / "datasets" / f"dataset.{TOTALS}.yaml"
    file.write_text(SPEC.replace("SUM(amount)", "SUM(amout)"))
    failed = dli("dataset", "run", TOTALS, "-p", "ds=2025-01-01", "--format", "json")
    assert (failed.exit_code, json.loads(failed.stdout)["status"]) == (1, "failure")
    assert failed.stderr.startswith("Error [DLI-4")


def test_a_run_that_only_reads_says_that_nothing_was_written(dli: Dli, project: Path) -> None:
    reads = SPEC.replace("INSERT INTO shop.sales.totals\n  SELECT day", "SELECT day")
    (project / "datasets" / f"dataset.{TOTALS}.yaml").write_text(reads)
    ran = dli("dataset", "run", TOTALS, "-p", "ds=2025-01-01")
    assert ran.stdout.startswith(f"{TOTALS}: success, 1 rows read, ")
    assert "nothing was written" in ran.stderr


def test_an_environment_that_is_none_gets_no_data(
    dli: Dli, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DLI_ENV", "prdo")
    assert dli("dataset", "run", TOTALS, "-p", "ds=2025-01-01").exit_code == 0
    (project / "dli.yaml").write_text(DLI_YAML + "environments: {prod: {}}\n")
    refused = dli("dataset", "run", TOTALS, "-p", "ds=2025-01-01")
    assert (refused.exit_code, "has prod" in refused.stderr) == (1, True)
    monkeypatch.setenv("DLI_ENV", "dev")
    assert dli("dataset", "run", TOTALS, "-p", "ds=2025-01-01").exit_code == 0


def test_a_parameter_that_is_not_declared_is_named(dli: Dli) -> None:
    result = dli("dataset", "run", TOTALS, "-p", "excution_date=2025-01-01", "-p", "least=1")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("Error [DLI-204]: ")
    assert "'excution_date' is not declared. Did you mean 'execution_date'?" in result.stderr


def test_show_before_the_first_run_says_what_to_do(dli: Dli) -> None:
    result = dli("dataset", "show", TOTALS)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == (
        f"Error [DLI-103]: Table '{TOTALS}' not found in catalog. "
        f"Fill it with `dli dataset run {TOTALS}`.\n"
    )


def test_an_empty_table_is_no_error(dli: Dli) -> None:
    assert dli("dataset", "run", TOTALS, "-p", "ds=2020-01-01").exit_code == 0
    shown = dli("dataset", "show", TOTALS)
    assert (shown.exit_code, shown.stdout, shown.stderr) == (0, "", "No rows.\n")


def test_a_dry_run_binds_and_changes_nothing(dli: Dli, project: Path) -> None:
    result = dli("dataset", "run", TOTALS, "--dry-run", "--show-sql", "-p", "least=7")
    assert result.exit_code == 0
    assert "amount >= 7" in result.stdout
    assert result.stdout.endswith(f"dry-run: {TOTALS} was checked; nothing was run.\n")
    assert dli("dataset", "show", TOTALS).exit_code == 1
    file = project / "datasets" / f"dataset.{TOTALS}.yaml"
    file.write_text(SPEC.replace("SUM(amount)", "SUM(amout)"))
    wrong = dli("dataset", "run", TOTALS, "--dry-run")
    assert (wrong.exit_code, wrong.stdout) == (1, "")
    assert wrong.stderr.startswith(f"Error [DLI-405]: {TOTALS}: main: ")
    file.write_text(SPEC.replace("shop.raw.orders", "shop.raw.later"))
    early = dli("dataset", "run", TOTALS, "--dry-run")
    assert early.exit_code == 0
    assert "Warning: not bound: " in early.stderr


def test_statements_left_out_are_named(dli: Dli) -> None:
    result = dli("dataset", "run", TOTALS, "--skip-pre", "--skip-post")
    assert result.exit_code == 1
    assert result.stderr.startswith("Left out: pre table\nLeft out: pre day\nLeft out: post look\n")
    assert "totals" in result.stderr.splitlines()[-1]


def test_a_statement_of_its_own(dli: Dli, project: Path) -> None:
    sql = "CREATE TABLE shop.tmp.t AS SELECT * FROM old.orders WHERE amount > {{ least }}"
    result = dli("dataset", "run", "--sql", sql, "-p", "least=15", "--show-sql")
    assert result.exit_code == 0
    assert "shop.raw.orders" in result.stdout
    assert "<inline>: success, 1 rows" in result.stdout
    (project / "q.sql").write_text("SELECT * FROM shop.tmp.t")
    assert "success, 1 rows" in dli("dataset", "run", "--file", "q.sql").stdout
    plain = dli("dataset", "run", "--sql", "SELECT 1 FROM old.orders", "--no-transpile")
    assert plain.exit_code == 1
    strict = dli("dataset", "run", "-f", "q.sql", "--transpile-strict")
    assert strict.stderr.startswith("Error [DLI-301]: ")


def test_a_query_shows_its_first_rows(dli: Dli) -> None:
    result = dli("dataset", "run", "--sql", "SELECT day, amount FROM old.orders ORDER BY amount")
    assert result.stdout.splitlines()[:3] == [
        "day         amount",
        "2025-01-01  10.5",
        "2025-01-02  20.0",
    ]
    assert "<inline>: success, 2 rows, " in result.stdout
    many = "SELECT a.day FROM shop.raw.orders a, UNNEST(SEQUENCE(1, 100)) s"
    long = dli("dataset", "run", "--sql", many)
    assert len(long.stdout.splitlines()) == 102
    assert long.stderr == "These are the first 100 of 200 rows.\n"


@pytest.mark.parametrize(
    "words",
    [
        (),
        (TOTALS, "--sql", "SELECT 1"),
        (TOTALS, "--no-transpile"),
        (TOTALS, "--transpile-strict"),
        ("--sql", "SELECT 1", "--skip-pre"),
        ("--sql", "SELECT 1", "--transpile-strict", "--no-transpile"),
        ("--file", "nothing.sql"),
    ],
    ids=" ".join,
)
def test_what_cannot_be_meant_is_a_usage_error(dli: Dli, words: tuple[str, ...]) -> None:
    result = dli("dataset", "run", *words)
    assert (result.exit_code, result.stdout) == (2, "")


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ((f"{TOTALS}s",), "DLI-101"),
        ((TOTALS, "-p", "least=much"), "DLI-204"),
        ((TOTALS, "-p", "other=1"), "DLI-204"),
        (("--sql", "SELEC 1"), "DLI-202"),
        (("--sql", "SELECT nope FROM shop.raw.orders"), "DLI-405"),
    ],
)
def test_each_failure_is_one_line_with_its_code(
    dli: Dli, words: tuple[str, ...], code: str
) -> None:
    result = dli("dataset", "run", *words)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.splitlines()[0].startswith(f"Error [{code}]: ")


def test_samples_run_nothing_and_say_so(mock_dli: Dli, project: Path) -> None:
    result = mock_dli("dataset", "run", "a.b")
    assert result.stdout.startswith("a.b: success")
    assert result.stderr == "MOCK: sample data; nothing is run.\n"
    assert mock_dli("dataset", "list").stderr.endswith("No dataset found.\n")
    assert not (project / ".dli").exists()


def test_a_variable_that_cannot_be_used_is_named(dli: Dli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DLI_DIALECT", "klingon")
    result = dli("dataset", "run", TOTALS)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith(
        "Error [DLI-001]: Variables with values that cannot be used: DLI_DIALECT."
    )
