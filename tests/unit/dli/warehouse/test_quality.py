"""Tests that look at single rows share one scan of the target, whatever their columns hold."""

from collections.abc import Callable, Iterator
from datetime import date
from typing import Any, NoReturn

import pytest

from dli.models.quality import DqTestDefinitionSpec
from dli.specs.expectation import Target, TestText, expectation
from dli.specs.statement import Statement
from dli.specs.template import RenderContext
from dli.warehouse.base import Outcome
from dli.warehouse.duckdb import DuckDBWarehouse
from dli.warehouse.quality import examine
from dli.warehouse.reader import Reader

TABLE = "iceberg.daily.orders"
ROWS = "('new', 1, true), ('odd', 2, true), (NULL, NULL, NULL), ('paid', 30, false)"

WORDS = {"type": "accepted_values", "column": "status", "values": ["new", "paid"]}
NUMBERS = {"type": "accepted_values", "column": "n", "values": ["1", "02"]}
FLAGS = {"type": "accepted_values", "column": "is_open", "values": ["True"]}
THERE = {"type": "not_null", "column": "status"}
SMALL = {"type": "range_check", "column": "n", "max": 9}
MISSING = {"type": "not_null", "column": "nothing"}
TEXTS = ["it's", "a\\b", 'say "`x`" -- twice']


Rows = Callable[..., list[tuple[Any, ...]]]


@pytest.fixture(params=["trino", "duckdb", "spark", "bigquery"])
def reader(
    warehouse: DuckDBWarehouse, run: Rows, request: pytest.FixtureRequest
) -> Iterator[Reader]:
    """Inside of a transaction, as for a gate: an error of the wrong kind would end it."""
    run(f"CREATE TABLE {TABLE} AS SELECT * FROM (VALUES {ROWS}) AS t (status, n, is_open)")
    with warehouse.session() as session:
        session.begin()
        yield Reader(session, request.param)
        session.rollback()


@pytest.fixture
def scans(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Queries that have read the table."""
    seen: list[str] = []
    real = Reader.rows

    def rows(self: Reader, sql: str, **options: Any) -> Outcome:
        found = real(self, sql, **options)
        if TABLE.rpartition(".")[2] in sql and not sql.endswith("LIMIT 0"):
            seen.append(sql)
        return found

    monkeypatch.setattr(Reader, "rows", rows)
    return seen


def counts(reader: Reader, *tests: dict[str, Any], table: str = TABLE) -> list[int | str | None]:
    target = Target(table, reader.dialect)
    text = TestText(RenderContext(date(2026, 1, 1)), {}, {})
    wanted = [
        expectation(DqTestDefinitionSpec(name=f"t{n}", **test), target, text)
        for n, test in enumerate(tests)
    ]
    return [found.error or found.failed_rows for found in examine(reader, target, wanted)]


@pytest.mark.parametrize(
    ("tests", "failed"),
    [
        ([WORDS, THERE, SMALL], [1, 1, 1]),
        ([WORDS, NUMBERS, FLAGS, THERE], [1, 1, 1, 1]),
        ([{**WORDS, "values": ["new", "odd", "paid"]}, {**THERE, "column": "n"}], [0, 1]),
    ],
)
def test_one_scan_counts_for_all(
    reader: Reader, scans: list[str], tests: list[dict[str, Any]], failed: list[int]
) -> None:
    assert counts(reader, *tests) == failed
    assert len([sql for sql in scans if sql.startswith("SELECT COUNT(")]) == 1


def test_texts_are_looked_up_and_other_columns_compared(reader: Reader, scans: list[str]) -> None:
    counts(reader, WORDS, NUMBERS)
    assert [scans[0].count(words) for words in ("LIST_CONTAINS(", " NOT IN ")] == [1, 1]


def test_values_and_names_mean_the_same_in_every_dialect(reader: Reader, run: Rows) -> None:
    odd = "iceberg.daily.odd"
    rows = ", ".join("('{}')".format(text.replace("'", "''")) for text in TEXTS)
    run(f"CREATE TABLE {odd} AS SELECT * FROM (VALUES {rows}) AS t (status)")
    tests = [{**WORDS, "values": TEXTS[:number]} for number in range(1, 4)]
    assert counts(reader, *tests, table=odd) == [2, 1, 0]


def test_tests_without_sql_of_their_own_need_no_translation(
    reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(self: Reader, statement: Statement) -> NoReturn:
        raise AssertionError(statement.sql)

    monkeypatch.setattr(Reader, "_plan", refused)
    known = {"type": "relationships", "column": "n", "to": TABLE, "to_column": "n"}
    rows = {"type": "row_count", "min": 5}
    unique = {"type": "unique", "column": "is_open"}
    assert counts(reader, WORDS, THERE, SMALL, known, rows, unique) == [1, 1, 1, 0, 1, 1]


def test_a_wrong_test_is_its_own_error_only(reader: Reader) -> None:
    first, second, third = counts(reader, WORDS, MISSING, NUMBERS)
    assert (first, third) == (1, 1)
    assert "nothing" in str(second)
