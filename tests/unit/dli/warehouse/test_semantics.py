"""Trino SQL means on the embedded engine what it means to Trino."""

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from dli.specs.dataset import Statement
from dli.warehouse.dataset import run_statements
from dli.warehouse.duckdb import DuckDBWarehouse

Evaluate = Callable[[str], Any]

AT = "TIMESTAMP '2026-01-05 13:04:09'"
PAIR = "FROM (VALUES ('a', 1), ('b', 2)) AS t (k, v)"


@pytest.fixture
def evaluate(shared_warehouse: DuckDBWarehouse) -> Evaluate:
    def first_value(expression: str, dialect: str = "trino") -> Any:
        statement = Statement("main", None, f"SELECT {expression}", False)
        with shared_warehouse.session() as session:
            result = run_statements(session, [statement], dialect=dialect)
        assert result.error_message is None
        assert result.main_result is not None
        (value,) = result.main_result.data[0].values()
        return value

    return first_value


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("5 / 3", 1),
        ("-5 / 3", -1),
        ("5 / 2.0", 2.5),
        ("CAST(5 AS DOUBLE) / 2", 2.5),
        ("count_if(v > 1) * 100 / count(*) FROM (VALUES 1, 2, 4) AS t (v)", 66),
        ("date_diff('month', DATE '2026-01-31', DATE '2026-02-01')", 0),
        ("date_diff('day', DATE '2026-01-31', DATE '2026-02-01')", 1),
        ("date_diff('day', DATE '2026-02-01', DATE '2026-01-28')", -4),
        (
            "date_diff('hour', TIMESTAMP '2026-01-01 10:59:00', TIMESTAMP '2026-01-01 11:01:00')",
            0,
        ),
        ("format('%s-%03d', 'a', 5)", "a-005"),
        ("format('%d', date_diff('month', DATE '2026-01-31', DATE '2026-03-01'))", "1"),
        ("regexp_extract('abc', '(b)(c)', 2)", "c"),
        ("regexp_extract('abc', 'x')", None),
        ("regexp_replace('aaa', 'a', 'z')", "zzz"),
        ("greatest(1, NULL)", None),
        ("'a' || NULL", None),
        ("day_of_week(DATE '2026-01-04')", 7),
        ("substr('hello', -3)", "llo"),
        ("element_at(ARRAY[1, 2], -1)", 2),
        ("array_join(ARRAY['a', NULL, 'b'], ',')", "a,b"),
        (f"date_format({AT}, '%Y-%m-%d %H:%i:%s')", "2026-01-05 13:04:09"),
        ("date_parse('2026-01-05', '%Y-%m-%d')", dt.datetime(2026, 1, 5)),  # noqa: DTZ001
        ("try_cast('x' AS BIGINT)", None),
        ("CAST('1.5' AS DECIMAL(10, 2))", Decimal("1.50")),
        ("x FROM (VALUES 2, NULL, 1) AS t (x) ORDER BY x DESC LIMIT 1", 2),
        ("u FROM UNNEST(ARRAY['a', 'b']) WITH ORDINALITY AS t (u, o) WHERE o = 2", "b"),
        ("map_agg(k, v) " + PAIR, {"a": 1, "b": 2}),
        ("every(v > 1) " + PAIR, False),
        ("approx_percentile(v, 0.5) FROM (VALUES 1, 2, 3) AS t (v)", 2),
        ("hour(at_timezone(TIMESTAMP '2026-01-05 10:00:00 UTC', 'America/New_York'))", 5),
        ("to_iso8601(TIMESTAMP '2026-01-05 10:00:00')", "2026-01-05T10:00:00.000"),
        ("url_extract_host('https://user@example.org:8080/a?b#c')", "example.org"),
        ("codepoint('A')", 65),
        ("round(e(), 3)", 2.718),
        (f"format_datetime({AT}, 'yyyyMMddHHmmss')", "20260105130409"),
        (f"format_datetime({AT}, 'EEE dd MMM yy hh:mm a')", "Mon 05 Jan 26 01:04 PM"),
        (f"format_datetime({AT}, 'EEEE MMMM ss.SSS')", "Monday January 09.000"),
    ],
)
def test_an_expression_has_the_value_trino_gives(
    evaluate: Evaluate, expression: str, value: object
) -> None:
    assert evaluate(expression) == value


def test_duckdb_sql_keeps_its_own_meaning(warehouse: DuckDBWarehouse) -> None:
    statement = Statement("main", None, "SELECT 5 / 2 AS v", False)
    with warehouse.session() as session:
        for dialect, value in (("trino", 2), ("duckdb", 2.5), ("trino", 2)):
            result = run_statements(session, [statement], dialect=dialect)
            assert result.main_result is not None
            assert result.main_result.data == [{"v": value}]


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE TABLE lake.s.t (d DATE, v VARCHAR) WITH (partitioning = ARRAY['d'])",
        "CREATE TABLE lake.s.t (d DATE COMMENT 'the day', v VARCHAR) COMMENT 'days'",
        "CREATE TABLE lake.s.t WITH (format = 'ORC') AS SELECT DATE '2026-01-01' AS d, 'x' AS v",
        "CREATE OR REPLACE VIEW lake.s.t SECURITY INVOKER AS SELECT current_date AS d, 'x' AS v",
    ],
)
def test_how_another_engine_would_store_a_table_is_left_out(
    warehouse: DuckDBWarehouse, sql: str
) -> None:
    statements = [
        Statement("pre", "create", sql, False),
        Statement("main", None, "SELECT d, v FROM lake.s.t", False),
    ]
    with warehouse.session() as session:
        result = run_statements(session, statements, dialect="trino")
    assert result.error_message is None


def test_macros_are_found_beside_short_names(evaluate: Evaluate) -> None:
    assert evaluate("e() > 2 FROM (SELECT count(*) FROM information_schema.tables)") is True
