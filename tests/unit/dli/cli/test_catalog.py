"""`dli catalog`, its list and its search."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from click.testing import Result

    Dli = Callable[..., Result]

PEOPLE, ORDERS = "shop.sales.people", "shop.raw.orders"
SPEC = """
name: shop.sales.people
owner: ana@example.com
team: sales
tags: [daily]
schema: [{name: customer, description: full name, pii: true}]
query_statement: CREATE TABLE shop.sales.people AS SELECT customer, amount FROM shop.raw.orders
"""


@pytest.fixture(autouse=True)
def project(clean_place: Path, dli: Dli) -> Path:
    (clean_place / "datasets").mkdir()
    (clean_place / "dli.yaml").write_text("sources: [{table: shop.raw.orders, path: orders.csv}]")
    (clean_place / "orders.csv").write_text("customer,amount\nana,3\nbo,4\n")
    (clean_place / "datasets" / f"dataset.{PEOPLE}.yaml").write_text(SPEC)
    assert dli("dataset", "run", PEOPLE).exit_code == 0
    return clean_place


def names(result: Result) -> list[str]:
    assert result.exit_code == 0, result.stderr
    return [table["name"] for table in json.loads(result.stdout)]


def test_all_tables_without_a_name(dli: Dli) -> None:
    assert dli("catalog").stdout.splitlines() == [
        "TABLE              ENGINE  OWNER            TEAM   ROWS  TAGS",
        "shop.raw.orders    duckdb  -                -      2     -",
        "shop.sales.people  duckdb  ana@example.com  sales  2     daily",
    ]
    assert names(dli("catalog", "-f", "json", "--offset", "1")) == [PEOPLE]
    assert names(dli("catalog", "shop.raw", "-f", "json", "-n", "1")) == [ORDERS]
    empty = dli("catalog", "nothing")
    assert (empty.exit_code, empty.stderr) == (0, "No table found.\n")


def test_one_table_and_its_parts(dli: Dli) -> None:
    whole = dli("catalog", PEOPLE, "--sample").stdout
    assert "customer  VARCHAR    full name    True    1.000      2" in whole
    assert "***       3" in whole
    assert "ana\n" not in whole
    owner = dli("catalog", PEOPLE, "--section", "ownership")
    assert owner.stdout == "owner  ana@example.com\nteam   sales\n"
    columns = json.loads(dli("catalog", PEOPLE, "-s", "columns", "-f", "json").stdout)
    assert [column["is_pii"] for column in columns] == [True, False]
    basic = json.loads(dli("catalog", PEOPLE, "-s", "basic", "-f", "json").stdout)
    assert basic["tags"] == ["daily"]
    unknown = dli("catalog", PEOPLE, "-s", "freshness")
    assert unknown.stderr == "Nothing is known of: freshness.\n"
    assert json.loads(dli("catalog", ORDERS, "-f", "json").stdout)["impact"]["datasets"] == [PEOPLE]


def test_list_narrows_by_every_option(dli: Dli) -> None:
    def listed(*words: str) -> list[str]:
        return names(dli("catalog", "list", "-f", "json", *words))

    assert listed() == [ORDERS, PEOPLE]
    assert listed("--project", "shop", "--dataset", "raw") == [ORDERS]
    assert listed("-p", "web") == []
    assert listed("--owner", "ana@example.com") == [PEOPLE]
    assert listed("--team", "sales", "--tag", "daily") == [PEOPLE]
    assert listed("--tag", "daily", "--tag", "other") == []
    assert listed("-n", "1", "--offset", "1") == [PEOPLE]


def test_search(dli: Dli) -> None:
    assert names(dli("catalog", "search", "FULL", "-f", "json")) == [PEOPLE]
    assert names(dli("catalog", "search", "amount", "-f", "json", "-n", "1")) == [ORDERS]
    assert names(dli("catalog", "search", "amount", "-p", "web", "-f", "json")) == []


@pytest.mark.parametrize(
    ("words", "code"),
    [(("shop.sales.none",), "702"), (("mysql.a.b.c",), "705"), (("a..b",), "703")],
)
def test_each_failure_is_one_line_with_its_code(
    dli: Dli, words: tuple[str, ...], code: str
) -> None:
    result = dli("catalog", *words)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith(f"Error [DLI-{code}]: ")
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "words", [("shop", "--sample"), ("--section", "basic"), (PEOPLE, "-s", "other"), ("-n", "0")]
)
def test_what_cannot_be_meant_is_a_usage_error(dli: Dli, words: tuple[str, ...]) -> None:
    assert dli("catalog", *words).exit_code == 2


def test_outside_of_a_project_a_server_is_needed(dli: Dli, project: Path) -> None:
    (project / "dli.yaml").unlink()
    assert dli("catalog").stderr.startswith("Error [DLI-001]: server_url required")


def test_samples_of_mock_mode(mock_dli: Dli) -> None:
    result = mock_dli("catalog", "search", "users")
    assert "my-project.analytics.users" in result.stdout
    assert result.stderr.startswith("MOCK: ")
