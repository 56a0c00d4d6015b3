"""`dli metric list|get|validate|run` on the project's warehouse."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from click.testing import Result

    Dli = Callable[..., Result]

NAME = "shop.sales.total"
SPEC = """
name: shop.sales.total
owner: me@example.com
team: sales
tags: [daily]
parameters:
  - {name: least, type: integer, default: 0}
metrics:
  - {name: paid, aggregation: sum, expression: amount}
  - {name: orders, aggregation: count, expression: "*"}
dimensions:
  - {name: who, expression: customer}
query_statement: SELECT customer, amount, note FROM shop.raw.orders WHERE amount >= {{ least }}
"""
ORDERS = 'customer,amount,note\nana,10.50,"a ""b"", c"\nbo,21.00,\nana,5.25,x\n'


@pytest.fixture(autouse=True)
def project(clean_place: Path) -> Path:
    (clean_place / "metrics").mkdir()
    (clean_place / "dli.yaml").write_text("sources: [{table: shop.raw.orders, path: orders.csv}]")
    (clean_place / "orders.csv").write_text(ORDERS)
    (clean_place / "metrics" / f"metric.{NAME}.yaml").write_text(SPEC)
    return clean_place


def test_list_and_get(dli: Dli) -> None:
    assert dli("metric", "list").stdout.splitlines() == [
        "METRIC            OWNER           TEAM   METRICS       TAGS",
        f"{NAME}  me@example.com  sales  paid, orders  daily",
    ]
    assert json.loads(dli("metric", "list", "--owner", "you", "-f", "json").stdout) == []
    assert "dimensions       who" in dli("metric", "get", NAME).stdout
    unknown = dli("metric", "get", "shop.sales.totals")
    assert unknown.stderr.startswith("Error [DLI-102]: Metric 'shop.sales.totals' not found")
    assert f"Did you mean '{NAME}'?" in unknown.stderr


def test_validate(dli: Dli, project: Path) -> None:
    result = dli("metric", "validate", NAME, "-p", "least=3")
    assert result.exit_code == 0
    assert "amount >= 3" in result.stdout
    file = project / "metrics" / f"metric.{NAME}.yaml"
    file.write_text(SPEC.replace("expression: amount", "expression: amount +"))
    wrong = dli("metric", "validate", NAME)
    assert (wrong.exit_code, wrong.stdout) == (1, "")
    assert "metrics: 'paid': the expression is not one SQL expression" in wrong.stderr


def test_measures_by_dimension_as_a_table(dli: Dli) -> None:
    result = dli("metric", "run", NAME, "--by", "who")
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "who  paid   orders",
        "ana  15.75  2",
        "bo   21.0   1",
    ]


def test_json_is_one_document_with_numbers(dli: Dli) -> None:
    result = dli("metric", "run", NAME, "-o", "json", "-m", "paid", "--show-sql")
    answer = json.loads(result.stdout)
    assert (answer["name"], answer["status"], answer["row_count"]) == (NAME, "success", 1)
    assert (answer["columns"], answer["data"]) == (["paid"], [{"paid": 36.75}])
    assert "SUM" in answer["sql"]


def test_csv_has_a_header_and_quotes(dli: Dli) -> None:
    result = dli("metric", "run", NAME, "-o", "csv", "-l", "2", "--show-sql")
    assert result.stdout_bytes == (b'customer,amount,note\r\nana,10.5,"a ""b"", c"\r\nbo,21.0,\r\n')
    assert result.stderr.startswith("SELECT customer")


def test_a_chart_has_a_bar_per_row(dli: Dli) -> None:
    result = dli("metric", "run", NAME, "--by", "who", "-m", "orders", "--chart")
    assert result.stdout.splitlines() == [
        "orders",
        f"ana  {'█' * 40}  2",
        f"bo   {'█' * 20}{' ' * 20}  1",
    ]
    assert dli("metric", "run", NAME, "--chart", "-o", "csv").exit_code == 2


def test_a_dry_run_fetches_nothing(dli: Dli, project: Path) -> None:
    result = dli("metric", "run", NAME, "--dry-run", "--show-sql")
    assert result.stdout.startswith("SELECT customer")
    assert result.stdout.endswith(f"dry-run: {NAME} was checked; nothing was run.\n")
    assert not (project / ".dli").exists()


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ((f"{NAME}s",), "DLI-102"),
        ((NAME, "--by", "whom"), "DLI-204"),
        ((NAME, "-m", "nothing"), "DLI-204"),
        ((NAME, "-p", "least=much"), "DLI-204"),
    ],
)
def test_each_failure_is_one_line_with_its_code(
    dli: Dli, words: tuple[str, ...], code: str
) -> None:
    result = dli("metric", "run", *words)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.splitlines()[0].startswith(f"Error [{code}]: ")


def test_sql_that_the_engine_refuses(dli: Dli, project: Path) -> None:
    file = project / "metrics" / f"metric.{NAME}.yaml"
    file.write_text(SPEC.replace("raw.orders", "raw.none"))
    result = dli("metric", "run", NAME)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith(f"Error [DLI-405]: {NAME}: ")


@pytest.mark.parametrize(
    ("words", "is_found"),
    [
        (("--tag", "daily"), True),
        (("-t", "hourly"), False),
        (("--owner", "me@example.com"), True),
        (("-o", "you@example.com"), False),
        (("--search", "TOTAL"), True),
        (("--search", "nothing like it"), False),
    ],
)
def test_list_filters(dli: Dli, words: tuple[str, ...], is_found: bool) -> None:
    found = json.loads(dli("metric", "list", *words, "-f", "json").stdout)
    assert [spec["name"] for spec in found] == ([NAME] if is_found else [])


def test_validate_by_every_option(dli: Dli, project: Path) -> None:
    assert dli("metric", "validate", "--all").stdout == "All 1 metrics are valid.\n"
    assert "SELECT" in dli("metric", "validate", NAME, "--show-sql").stdout
    assert dli("metric", "validate", NAME, "--no-sql").stdout == f"{NAME} is valid.\n"
    file = project / "metrics" / f"metric.{NAME}.yaml"
    file.write_text(f"{SPEC}note: an unknown key\n")
    assert dli("metric", "validate", NAME).exit_code == 0
    assert dli("metric", "validate", NAME, "--strict").exit_code == 1
    file.write_text(f"{SPEC}depends_on: [shop.sales.gone]\n")
    assert dli("metric", "validate", NAME).exit_code == 0
    missing = dli("metric", "validate", NAME, "--check-deps")
    assert (missing.exit_code, missing.stdout) == (1, "")
    assert "shop.sales.gone" in missing.stderr
