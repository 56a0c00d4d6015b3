"""`TranspileAPI` in LOCAL mode: real translation by the rules of the project."""

from pathlib import Path

import pytest

from dli.api.transpile import TranspileAPI
from dli.exceptions import ConfigurationError, DLIValidationError, ServerError, TranspileError
from dli.models.common import ExecutionContext, TranspileRule
from dli.models.state import ExecutionMode

RULES = """
transpile:
  rules:
    - {id: low, type: table_substitution, source: raw.clicks, target: new.clicks, priority: 1}
    - {id: high, type: table_substitution, source: raw.events, target: new.events, priority: 9}
    - {id: rev, type: metric_expansion, source: revenue, target: SUM(amount)}
"""


@pytest.fixture
def api(tmp_path: Path) -> TranspileAPI:
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / "dli.yaml").write_text(RULES)
    return TranspileAPI(ExecutionContext(project_path=tmp_path / "project"))


def test_what_nothing_changes_comes_back_byte_for_byte(api: TranspileAPI) -> None:
    sql = "select  a from   t -- as it is\n limit 1"
    result = api.transpile(sql)
    assert (result.success, result.transpiled_sql, result.has_changes) == (True, sql, False)
    assert (result.applied_rules, result.warnings) == ([], [])
    assert result.duration_ms >= 0


def test_rules_and_metrics_are_applied_and_named(api: TranspileAPI) -> None:
    result = api.transpile("SELECT METRIC(revenue) FROM raw.events LIMIT 1")
    assert result.success
    assert "SUM(amount)" in result.transpiled_sql
    assert "new.events" in result.transpiled_sql
    assert [rule.source_table for rule in result.applied_rules] == ["revenue", "raw.events"]


def test_each_kind_of_rule_can_be_left_out(api: TranspileAPI) -> None:
    sql = "SELECT METRIC(revenue) FROM raw.events LIMIT 1"
    no_tables = api.transpile(sql, apply_rules=False)
    assert "raw.events" in no_tables.transpiled_sql
    assert "SUM(amount)" in no_tables.transpiled_sql
    no_metrics = api.transpile(sql, expand_metrics=False)
    assert "METRIC(revenue)" in no_metrics.transpiled_sql
    assert "new.events" in no_metrics.transpiled_sql
    assert no_metrics.warnings == []
    neither = api.transpile(sql, apply_rules=False, expand_metrics=False, strict=True)
    assert not neither.has_changes


def test_dialects_are_translated(api: TranspileAPI) -> None:
    result = api.transpile("SELECT 1::INT LIMIT 1", source_dialect="duckdb")
    assert result.transpiled_sql == "SELECT CAST(1 AS INTEGER) LIMIT 1"


def test_a_failure_leaves_the_sql_and_says_why(api: TranspileAPI) -> None:
    result = api.transpile("SELEC FROM (")
    assert (result.success, result.has_changes) == (False, False)
    assert "line" in result.warnings[0].message or ":1" in result.warnings[0].message
    with pytest.raises(TranspileError) as caught:
        api.transpile("SELEC FROM (", strict=True)
    assert caught.value.code.value == "DLI-301"


def test_strict_makes_errors_of_warnings(api: TranspileAPI) -> None:
    result = api.transpile("SELECT * FROM t LIMIT 1")
    assert [warning.rule for warning in result.warnings] == ["select_star"]
    with pytest.raises(TranspileError) as caught:
        api.transpile("SELECT * FROM t LIMIT 1", strict=True)
    assert caught.value.code.value == "DLI-301"


def test_an_unknown_dialect_is_always_an_error(api: TranspileAPI) -> None:
    for call in (
        lambda: api.transpile("SELECT 1", source_dialect="cobol"),
        lambda: api.transpile("SELECT 1", target_dialect="cobol"),
        lambda: api.validate_sql("SELECT 1", dialect="cobol"),
        lambda: api.format_sql("SELECT 1", dialect="cobol"),
    ):
        with pytest.raises(TranspileError) as caught:
            call()
        assert caught.value.code.value == "DLI-302"


def test_rules_come_with_the_highest_priority_first(api: TranspileAPI) -> None:
    assert api.get_rules() == [
        TranspileRule(source_table="raw.events", target_table="new.events", priority=9),
        TranspileRule(source_table="raw.clicks", target_table="new.clicks", priority=1),
    ]


def test_outside_of_a_project_there_are_no_rules() -> None:
    api = TranspileAPI(ExecutionContext())
    assert api.get_rules() == []
    assert not api.transpile("SELECT a FROM raw.events LIMIT 1").has_changes


def test_a_project_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        TranspileAPI(ExecutionContext(project_path=tmp_path)).get_rules()


def test_sql_is_really_parsed(api: TranspileAPI) -> None:
    assert api.validate_sql("SELECT 1; SELECT 2").valid
    assert api.validate_sql(" ").errors == ["Empty SQL"]
    broken = api.validate_sql("SELECT 1,\n  FROM (")
    assert not broken.valid
    assert "2" in broken.errors[0]
    assert "column" in broken.errors[0]


def test_layout(api: TranspileAPI) -> None:
    assert api.format_sql("select a, b from t") == "SELECT\n  a,\n  b\nFROM t"
    assert api.format_sql("select a from t", indent=4) == "SELECT\n    a\nFROM t"
    assert api.format_sql("selec from (") == "selec from ("
    with pytest.raises(DLIValidationError):
        api.format_sql("select 1", indent=-1)


def test_without_a_server_its_rules_cannot_be_had() -> None:
    api = TranspileAPI(ExecutionContext(execution_mode=ExecutionMode.SERVER))
    for call in (api.get_rules, lambda: api.transpile("SELECT 1")):
        with pytest.raises(ConfigurationError, match="server_url required"):
            call()
    plain = api.transpile("SELECT 1 LIMIT 1", apply_rules=False, expand_metrics=False)
    assert plain.success


def test_a_server_that_does_not_answer_is_an_error() -> None:
    context = ExecutionContext(
        execution_mode=ExecutionMode.SERVER, server_url="http://127.0.0.1:9", timeout=30
    )
    with pytest.raises(ServerError, match="DLI-501"):
        TranspileAPI(context).get_rules()


def test_what_needs_no_rules_needs_no_server() -> None:
    api = TranspileAPI(ExecutionContext(execution_mode=ExecutionMode.SERVER))
    assert api.format_sql("select a from t") == "SELECT\n  a\nFROM t"
    assert api.validate_sql("SELECT 1").valid
    assert not api.validate_sql("SELECT (").valid
    assert not api.validate_sql("SELECT `a`").valid
    assert api.validate_sql("SELECT `a`", dialect="bigquery").valid
