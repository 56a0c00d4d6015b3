"""Statements of their own declare what they are given, and follow the transpile rules."""

from datetime import date

import pytest

from dli.exceptions import TranspileError
from dli.models.spec import ParameterType
from dli.models.transpile import RuleType
from dli.specs.inline import by_rules, inline_spec
from dli.specs.project_file import RuleEntry
from dli.specs.statement import Statement
from dli.specs.substitution import Rules

RULES = Rules(
    rules=[RuleEntry(id="r", type=RuleType.TABLE_SUBSTITUTION, source="old.t", target="new.t")]
)


def test_values_declare_parameters_of_their_type() -> None:
    given = {"a": True, "b": 1, "c": 1.5, "d": date(2026, 1, 1), "e": ["x"], "f": "x", "g": None}
    spec = inline_spec("SELECT 1", {**given, "ds": "2026-01-01"}, "duckdb")
    assert {one.name: one.type for one in spec.parameters} == {
        "a": ParameterType.BOOLEAN,
        "b": ParameterType.INTEGER,
        "c": ParameterType.FLOAT,
        "d": ParameterType.DATE,
        "e": ParameterType.LIST,
        "f": ParameterType.STRING,
        "g": ParameterType.STRING,
    }
    assert [one.name for one in spec.parameters if not one.required] == ["g"]
    assert spec.execution.dialect == "duckdb"


def test_rules_rewrite_the_text() -> None:
    (found,) = by_rules(
        [Statement("main", None, "SELECT a FROM old.t LIMIT 1")], RULES, dialect="trino"
    )
    assert "FROM new.t" in found.sql


def test_in_strict_mode_a_warning_is_an_error_with_its_place() -> None:
    statements = [Statement("main", None, "SELECT a\nFROM old.t")]
    assert by_rules(statements, RULES, dialect="trino")
    with pytest.raises(TranspileError) as refused:
        by_rules(statements, RULES, dialect="trino", strict=True)
    assert refused.value.sql == "SELECT a\nFROM old.t"
