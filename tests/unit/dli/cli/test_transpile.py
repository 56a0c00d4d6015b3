"""`dli transpile` by the rules of a project."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from click.testing import Result

    Dli = Callable[..., Result]

DLI_YAML = """
transpile:
  rules:
    - {id: orders, type: table_substitution, source: old.orders, target: shop.raw.orders}
  metrics:
    - {name: revenue, expression: SUM(amount)}
"""


@pytest.fixture(autouse=True)
def project(clean_place: Path) -> Path:
    (clean_place / "dli.yaml").write_text(DLI_YAML)
    return clean_place


def test_rules_metrics_and_warnings(dli: Dli) -> None:
    sql = "SELECT METRIC(revenue) FROM old.orders -- old.orders"
    result = dli("transpile", sql, "--show-rules")
    assert result.exit_code == 0
    assert "(SUM(amount)) FROM shop.raw.orders" in result.stdout
    assert "Rule: old.orders -> shop.raw.orders" in result.stderr
    starred = dli("transpile", "SELECT *\nFROM t LIMIT 1")
    assert starred.stdout == "SELECT *\nFROM t LIMIT 1\n"
    assert starred.stderr.startswith("Warning: line 1, column ")


def test_another_dialect_from_a_file(dli: Dli, project: Path) -> None:
    (project / "q.sql").write_text("SELECT date_add('day', 1, d) FROM t LIMIT 1")
    result = dli("transpile", "-f", "q.sql", "--to", "bigquery", "--validate")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == "SELECT DATE_ADD(d, INTERVAL 1 DAY) FROM t LIMIT 1\n"


def test_json_is_the_whole_result(dli: Dli) -> None:
    answer = json.loads(dli("transpile", "SELECT 1 FROM old.orders", "--format", "json").stdout)
    assert (answer["success"], answer["original_sql"]) == (True, "SELECT 1 FROM old.orders")
    assert [rule["source_table"] for rule in answer["applied_rules"]] == ["old.orders"]
    assert [warning["rule"] for warning in answer["warnings"]] == ["no_limit"]


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("SELEC 1",), "DLI-301"),
        (("SELECT *\nFROM t", "--strict"), "DLI-301"),
        (("SELECT METRIC(nothing) FROM t", "--strict"), "DLI-301"),
        (("SELECT 1", "-d", "klingon"), "DLI-302"),
        (("SELECT 1", "--to", "klingon"), "DLI-302"),
    ],
)
def test_each_failure_is_one_line_with_its_code(
    dli: Dli, words: tuple[str, ...], code: str
) -> None:
    result = dli("transpile", *words)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith(f"Error [{code}]: ")
    assert result.stderr.count("\n") == 1


def test_a_failure_in_json_is_a_document_too(dli: Dli) -> None:
    result = dli("transpile", "SELECT (1", "--format", "json")
    assert result.exit_code == 1
    answer = json.loads(result.stdout)
    assert (answer["success"], answer["transpiled_sql"]) == (False, "SELECT (1")


@pytest.mark.parametrize("words", [(), ("SELECT 1", "--file", "dli.yaml"), ("-f", "none.sql")])
def test_what_cannot_be_meant_is_a_usage_error(dli: Dli, words: tuple[str, ...]) -> None:
    assert dli("transpile", *words).exit_code == 2


def test_a_file_in_another_encoding_is_refused(dli: Dli, project: Path) -> None:
    (project / "q.sql").write_bytes(b"SELECT '\xe4'")
    result = dli("transpile", "-f", "q.sql")
    assert result.stderr == "Error [DLI-204]: q.sql is not UTF-8 text. Save it as UTF-8.\n"
