"""What a statement reads and writes, as the warehouse plans it."""

import pytest

from dli.exceptions import DLIValidationError
from dli.specs.dataset import Statement
from dli.warehouse.plan import plan_statements
from dli.warehouse.planned import PlannedStatement


def plan(*texts: str, dialect: str = "trino") -> list[PlannedStatement]:
    return plan_statements(
        [Statement("main", None, text, False) for text in texts],
        dialect=dialect,
        engine_dialect="duckdb",
    )


@pytest.mark.parametrize(
    ("sql", "writes", "reads"),
    [
        ("SELECT * FROM a.b.c", set(), {"a.b.c"}),
        ("INSERT INTO a.b.c SELECT * FROM d.e.f", {"a.b.c"}, {"d.e.f"}),
        ("INSERT INTO a.b.c WITH x AS (SELECT 1 AS v) SELECT * FROM x", {"a.b.c"}, set()),
        ("DELETE FROM a.b.c WHERE v IN (SELECT v FROM d.e.f)", {"a.b.c"}, {"d.e.f"}),
        ("CREATE TABLE a.b.c AS SELECT * FROM d.e.f", {"a.b.c"}, {"d.e.f"}),
        ("CREATE SCHEMA IF NOT EXISTS a.b", {"a.b."}, set()),
        ("CREATE SCHEMA b", {".b."}, set()),
        ("DROP SCHEMA a.b", {"a.b."}, set()),
        ("DROP TABLE IF EXISTS a.b.c", {"a.b.c"}, set()),
    ],
)
def test_tables_of_a_statement(sql: str, writes: set[str], reads: set[str]) -> None:
    planned = plan(sql)[0]
    assert planned.writes == writes
    assert planned.reads == reads


def test_temporary_tables_are_in_no_catalog() -> None:
    first, second = plan(
        "CREATE TEMPORARY TABLE stage AS SELECT * FROM a.b.c",
        "INSERT INTO d.e.f SELECT * FROM Stage",
        dialect="duckdb",
    )
    assert first.writes == set()
    assert first.reads == {"a.b.c"}
    assert second.writes == {"d.e.f"}
    assert second.reads == set()


def test_sql_in_the_engines_own_dialect_is_left_alone() -> None:
    text = "select   1 -- kept"
    assert plan(text, dialect="duckdb")[0].sql == text


def test_sql_of_a_kind_that_specs_may_not_use_is_refused() -> None:
    with pytest.raises(DLIValidationError) as caught:
        plan("SELECT 1; SELECT 2")
    assert caught.value.code == "DLI-203"
