"""`dli dataset list|get|validate`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from click.testing import Result

    Dli = Callable[..., Result]

DAILY = "shop.sales.daily_revenue"
BY_CUSTOMER = """
name: shop.sales.by_customer
owner: ana@example.com
team: sales
description: What one customer paid
tags: [starter, people]
parameters:
  - {name: customer, type: string}
  - {name: least, type: float, required: false, default: 0}
query_statement: |
  CREATE TABLE shop.sales.by_customer AS
  SELECT amount FROM shop.raw.orders
  WHERE customer = {{ customer | sql_string }} AND amount >= {{ least }}
"""


@pytest.fixture(autouse=True)
def project(dli: Dli, clean_place: Path) -> Path:
    assert dli("init").exit_code == 0
    file = clean_place / "datasets" / "dataset.shop.sales.by_customer.yaml"
    file.write_text(BY_CUSTOMER)
    return clean_place


def names(result: Result) -> list[str]:
    assert result.exit_code == 0, result.stderr
    return [spec["name"] for spec in json.loads(result.stdout)]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ((), ["shop.sales.by_customer", DAILY]),
        (("--tag", "starter", "-t", "people"), ["shop.sales.by_customer"]),
        (("--owner", "you@example.com"), [DAILY]),
        (("--search", "PAID"), ["shop.sales.by_customer"]),
        (("--search", "nothing like it"), []),
    ],
)
def test_list_filters(dli: Dli, words: tuple[str, ...], found: list[str]) -> None:
    assert names(dli("dataset", "list", *words, "-f", "json")) == found


def test_list_says_what_is_left_out_and_why(dli: Dli, project: Path) -> None:
    (project / "datasets" / "dataset.a.b.c.yaml").write_text("name: a.b.c\nname: d\n")
    result = dli("dataset", "list")
    assert result.exit_code == 0
    assert DAILY in result.stdout
    assert result.stderr.startswith("Left out: datasets/dataset.a.b.c.yaml:2: ")


def test_get_shows_the_parameters(dli: Dli) -> None:
    result = dli("dataset", "get", "shop.sales.by_customer")
    assert "parameter customer  string, required" in result.stdout
    assert "parameter least     float, optional, default 0" in result.stdout


@pytest.mark.parametrize("verb", ["get", "validate"])
def test_an_unknown_name_gets_the_close_ones(dli: Dli, verb: str) -> None:
    result = dli("dataset", verb, "shop.sales.dayly_revenue")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("Error [DLI-101]: Dataset 'shop.sales.dayly_revenue' not found")
    assert f"Did you mean '{DAILY}'?" in result.stderr


def test_validate_shows_the_sql_as_it_runs(dli: Dli) -> None:
    words = ("dataset", "validate", "shop.sales.by_customer", "-p", "customer=007")
    result = dli(*words)
    assert result.exit_code == 0
    assert result.stdout.startswith("shop.sales.by_customer is valid.\n")
    assert "-- main\nCREATE TABLE shop.sales.by_customer" in result.stdout
    assert "customer = '007'" in result.stdout
    assert dli(*words, "--show-sql").stdout == result.stdout
    assert "SELECT" not in dli(*words, "--no-sql").stdout


def test_validate_without_a_required_value_checks_all_but_shows_no_sql(dli: Dli) -> None:
    result = dli("dataset", "validate", "shop.sales.by_customer")
    assert (result.exit_code, result.stdout) == (0, "shop.sales.by_customer is valid.\n")
    assert "customer" in result.stderr


@pytest.mark.parametrize("pair", ["customer=x=y", "unknown=1", "least=much"])
def test_validate_reads_parameters_as_declared(dli: Dli, pair: str) -> None:
    result = dli("dataset", "validate", "shop.sales.by_customer", "-p", "customer=x", "-p", pair)
    if pair.startswith("customer"):
        assert "'x=y'" in result.stdout
    else:
        assert (result.exit_code, result.stdout) == (1, "")
        assert result.stderr.startswith(("Error [DLI-203]: ", "Error [DLI-204]: "))


def test_validate_tells_every_problem_with_its_place(dli: Dli, project: Path) -> None:
    file = project / "datasets" / "dataset.shop.sales.by_customer.yaml"
    file.write_text(BY_CUSTOMER.replace("SELECT amount", "SELEC amount {{ nothing }}"))
    result = dli("dataset", "validate", "shop.sales.by_customer")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("Error [DLI-203]: shop.sales.by_customer is not valid")
    assert "datasets/dataset.shop.sales.by_customer.yaml:" in result.stderr


def test_validate_can_take_the_whole_project(dli: Dli, project: Path) -> None:
    assert dli("dataset", "validate", "--all", "--strict").stdout == "All 2 datasets are valid.\n"
    file = project / "datasets" / "dataset.shop.sales.by_customer.yaml"
    file.write_text(BY_CUSTOMER.replace("SELECT amount", "SELEC amount {{ nothing }}"))
    (project / "datasets" / "dataset.a.b.c.yaml").write_text("name: a.b.c\nname: d\n")
    result = dli("dataset", "validate", "--all")
    assert (result.exit_code, result.stdout) == (1, "")
    first, *findings = result.stderr.splitlines()
    assert first.startswith("Error [DLI-203]: 1 of 2 datasets are not valid, 1 left out")
    assert [finding.split(":")[0].strip() for finding in findings] == [
        "datasets/dataset.a.b.c.yaml",
        "datasets/dataset.shop.sales.by_customer.yaml",
    ]
    assert dli("metric", "validate", "--all").exit_code == 1


def test_validate_as_json(dli: Dli, project: Path) -> None:
    name = "shop.sales.by_customer"
    found = json.loads(dli("dataset", "validate", name, "-p", "customer=x", "-f", "json").stdout)
    (statement,) = found.pop("statements")
    assert found == {"name": name, "valid": True, "errors": [], "warnings": []}
    assert (statement["phase"], "customer = 'x'" in statement["sql"]) == ("main", True)
    file = project / "datasets" / f"dataset.{name}.yaml"
    file.write_text(BY_CUSTOMER.replace("SELECT amount", "SELEC amount {{ nothing }}"))
    wrong = dli("dataset", "validate", name, "-f", "json")
    one = json.loads(wrong.stdout)
    assert (wrong.exit_code, one["valid"], one["statements"]) == (1, False, [])
    assert wrong.stderr.startswith("Error [DLI-203]: ")
    all_of_them = json.loads(dli("dataset", "validate", "--all", "-f", "json").stdout)
    assert [(spec["name"], spec["valid"]) for spec in all_of_them["specs"]] == [
        (name, False),
        (DAILY, True),
    ]
    assert all_of_them["specs"][0]["errors"] == one["errors"]
    assert all_of_them["left_out"] == []


@pytest.mark.parametrize("words", [(), (DAILY, "--all"), ("--all", "-p", "x=1")])
def test_validate_needs_a_name_or_all(dli: Dli, words: tuple[str, ...]) -> None:
    assert dli("dataset", "validate", *words).exit_code == 2


def test_outside_of_a_project_is_dli_002(dli: Dli, project: Path) -> None:
    (project / "dli.yaml").unlink()
    result = dli("dataset", "list")
    assert (result.exit_code, result.stderr[:16]) == (1, "Error [DLI-002]:")


def test_strict_and_dependencies_are_asked_for(dli: Dli, project: Path) -> None:
    words = ("dataset", "validate", "shop.sales.by_customer", "-p", "customer=x")
    file = project / "datasets" / "dataset.shop.sales.by_customer.yaml"
    file.write_text(f"{BY_CUSTOMER}note: an unknown key\n")
    warned = dli(*words)
    assert warned.exit_code == 0
    assert "note" in warned.stderr
    strict = dli(*words, "--strict")
    assert (strict.exit_code, strict.stdout) == (1, "")
    file.write_text(f"{BY_CUSTOMER}depends_on: [shop.sales.gone]\n")
    assert dli(*words).exit_code == 0
    missing = dli(*words, "--check-deps")
    assert (missing.exit_code, missing.stdout) == (1, "")
    assert "shop.sales.gone" in missing.stderr
