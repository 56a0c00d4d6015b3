"""Rules rewrite tables and metrics, and nothing else."""

from typing import Any

import pytest

from dli.exceptions import DLIValidationError, TranspileError
from dli.models.transpile import MetricDefinition, RuleType
from dli.specs.project_file import RuleEntry
from dli.specs.substitution import Rules
from dli.specs.transpile import Transpiled, find_metrics, transpile


def table(source: str, target: str, **more: Any) -> RuleEntry:
    return RuleEntry(
        id=f"{source}>{target}",
        type=RuleType.TABLE_SUBSTITUTION,
        source=source,
        target=target,
        **more,
    )


RULES = Rules(
    [
        table("raw.events", "warehouse.events_v2"),
        table("users", "lake.dim.my-users"),
        table("a.b.c", "c2"),
    ],
    [
        MetricDefinition(name="revenue", expression="SUM(amount)"),
        MetricDefinition(name="web.clicks", expression="COUNT(*)"),
    ],
)


def run(sql: str, rules: Rules = RULES, read: str = "trino", write: str = "trino") -> Transpiled:
    return transpile(sql, read=read, write=write, rules=rules)


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT x FROM RAW.Events", "SELECT x FROM warehouse.events_v2"),
        ("SELECT x FROM hive.raw.events", "SELECT x FROM warehouse.events_v2"),
        ("SELECT x FROM x.y.users", 'SELECT x FROM lake.dim."my-users"'),
        ("SELECT x FROM A.B.C", "SELECT x FROM c2"),
        ("SELECT x FROM b.c", "SELECT x FROM b.c"),
        ("SELECT e.x FROM raw.events e", "SELECT e.x FROM warehouse.events_v2 AS e"),
        ("SELECT events.x, raw.events.y FROM raw.events",
         "SELECT events_v2.x, events_v2.y FROM warehouse.events_v2"),
        ("SELECT events.x FROM raw.events AS r, t AS events",
         "SELECT events.x FROM warehouse.events_v2 AS r, t AS events"),
        ("SELECT 'raw.events' FROM raw.events", "SELECT 'raw.events' FROM warehouse.events_v2"),
        ("INSERT INTO raw.events SELECT 1", "INSERT INTO warehouse.events_v2 SELECT 1"),
        ("DELETE FROM raw.events; DROP TABLE users;",
         'DELETE FROM warehouse.events_v2;\nDROP TABLE lake.dim."my-users";'),
        ("WITH a AS (SELECT x FROM users) SELECT x FROM a",
         'WITH a AS (SELECT x FROM lake.dim."my-users") SELECT x FROM a'),
    ],
)  # fmt: skip
def test_tables_are_replaced(sql: str, expected: str) -> None:
    assert run(sql).sql == expected


@pytest.mark.parametrize(
    "sql",
    [
        "select  x\nfrom t -- raw.events",
        "with users as (select 1 as x) select  x from users",
        "select 'users',  \"users\" from t",
        "select 1;  select 2 ;",
        "-- only a note",
    ],
)
def test_what_no_rule_changes_stays_byte_for_byte(sql: str) -> None:
    result = run(sql)
    assert result.sql == sql
    assert result.applied == []


def test_the_longest_name_and_then_the_priority_decide() -> None:
    rules = Rules(
        [
            table("events", "short"),
            table("raw.events", "low"),
            table("RAW.events", "high", priority=5),
        ]
    )
    result = run("SELECT x FROM raw.events", rules)
    assert result.sql == "SELECT x FROM high"
    assert [rule.target for rule in result.applied] == ["high"]


def test_disabled_rules_do_nothing_and_contradictions_are_refused() -> None:
    off = table("t", "other", enabled=False)
    assert run("SELECT x FROM t", Rules([off])).sql == "SELECT x FROM t"
    with pytest.raises(TranspileError) as caught:
        run("SELECT 1", Rules([table("t", "a"), table("T", "b")]))
    assert caught.value.code == "DLI-303"


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT METRIC(revenue) FROM t", "SELECT (SUM(amount)) FROM t"),
        ("select  metric( 'Revenue' )  from t", "select  (SUM(amount))  from t"),
        ('SELECT Metric("web.clicks") FROM t', "SELECT (COUNT(*)) FROM t"),
        ("SELECT METRIC(web.clicks) FROM t", "SELECT (COUNT(*)) FROM t"),
        ("SELECT METRIC(revenue), 'METRIC(revenue)' -- METRIC(revenue)\nFROM t",
         "SELECT (SUM(amount)), 'METRIC(revenue)' -- METRIC(revenue)\nFROM t"),
        ("SELECT METRIC(revenue) FROM raw.events", "SELECT (SUM(amount)) FROM warehouse.events_v2"),
    ],
)  # fmt: skip
def test_a_metric_is_replaced_by_its_expression(sql: str, expected: str) -> None:
    assert run(sql).sql == expected


@pytest.mark.parametrize(
    ("sql", "line", "column"),
    [
        ("SELECT METRIC(revenue), METRIC(revenue) FROM t", 1, 25),
        ("SELECT\n  METRIC(unknown) FROM t", 2, 3),
    ],
)
def test_several_or_unknown_metrics_are_left_with_a_warning(
    sql: str, line: int, column: int
) -> None:
    result = run(sql)
    assert result.sql == sql
    warning = result.warnings[0]
    assert (warning.type, warning.line, warning.column) == ("metric_error", line, column)


def test_what_only_looks_like_a_metric_is_none() -> None:
    sql = "SELECT 'METRIC(a)', x.metric(b), metric, metrics(c), METRIC(f(d)) -- METRIC(e)\n"
    assert find_metrics(sql, "trino") == []
    (match,) = find_metrics("SELECT METRIC(a.b)", "trino")
    assert (match.full_match, match.metric_name) == ("METRIC(a.b)", "a.b")
    assert (match.start_pos, match.end_pos) == (7, 18)
    assert find_metrics("SELECT 'open", "trino") == []


@pytest.mark.parametrize(
    ("sql", "kinds"),
    [
        ("SELECT x FROM t LIMIT 1", []),
        ("SELECT COUNT(*) FROM t LIMIT 1", []),
        ("SELECT x FROM t", ["no_limit"]),
        ("SELECT * FROM t LIMIT 1", ["select_star"]),
        ("SELECT t.* FROM t LIMIT 1", ["select_star"]),
        ("INSERT INTO t SELECT x FROM u", []),
        ("DROP TABLE t", ["dangerous_statement"]),
        ("DELETE FROM t", ["dangerous_statement"]),
        ("TRUNCATE TABLE t", ["dangerous_statement"]),
        ("SELECT x FROM t LIMIT 1; DROP TABLE t", ["dangerous_statement"]),
        ("SELECT 'DROP TABLE t' LIMIT 1", []),
        ("WITH a AS (SELECT 1), A AS (SELECT 2) SELECT 1 LIMIT 1", ["duplicate_cte"]),
        ("SELECT x FROM t WHERE EXISTS (SELECT 1 FROM u WHERE u.x = t.x) LIMIT 1",
         ["correlated_subquery"]),
        ("SELECT (SELECT MAX(u.y) FROM u WHERE u.x = o.x) FROM t AS o LIMIT 1",
         ["correlated_subquery"]),
        ("SELECT x FROM t WHERE x IN (SELECT u.x FROM u) LIMIT 1", []),
    ],
)  # fmt: skip
def test_what_is_worth_a_second_look(sql: str, kinds: list[str]) -> None:
    assert [warning.type for warning in run(sql, Rules()).warnings] == kinds


def test_warnings_have_their_place() -> None:
    (warning,) = run("SELECT x\nFROM t;\nDELETE FROM\n  some.place", Rules()).warnings[1:]
    assert (warning.line, warning.column) == (4, 8)


def test_other_dialects_are_written() -> None:
    result = run("SELECT DATE_FORMAT(x, '%Y') FROM raw.events LIMIT 1;", write="duckdb")
    assert result.sql == "SELECT STRFTIME(x, '%Y') FROM warehouse.events_v2 LIMIT 1;"


def test_failures_have_their_codes() -> None:
    with pytest.raises(TranspileError) as unknown:
        run("SELECT 1", read="mysql")
    assert unknown.value.code == "DLI-302"
    with pytest.raises(TranspileError) as unsupported:
        run("SELECT REDUCE(a, 0, (s, x) -> s + x, s -> s) FROM t", write="duckdb")
    assert unsupported.value.code == "DLI-301"
    with pytest.raises(DLIValidationError) as syntax:
        run("SELECT\n(")
    assert syntax.value.code == "DLI-202"
    assert "SQL:2, column" in syntax.value.message


def test_a_name_that_is_made_up_is_the_same_each_time() -> None:
    sql = "SELECT x FROM UNNEST([1, 2]) AS x LIMIT 1"
    texts = [transpile(sql, read="bigquery", write="duckdb").sql for _ in range(3)]
    assert set(texts) == {"SELECT x FROM UNNEST([1, 2]) AS _t0(x) LIMIT 1"}
