"""SQL texts: one harmless statement each, translated and read without running them."""

import logging
from concurrent.futures import ThreadPoolExecutor

import pytest

from dli.exceptions import DLIValidationError, TranspileError
from dli.specs.origin import Origin
from dli.specs.sql import (
    check_statement,
    format_sql,
    parse_script,
    tables_read,
    tables_written,
    translate,
)


def refusal(sql: str, dialect: str = "trino", *, only_query: bool = False) -> DLIValidationError:
    with pytest.raises(DLIValidationError) as caught:
        check_statement(sql, dialect, origin=Origin("a.sql", 5), only_query=only_query)
    return caught.value


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1",
        "SELECT 1;",
        "-- note\nWITH a AS (SELECT 1) SELECT * FROM a",
        "(SELECT 1) UNION ALL SELECT 2",
        "INSERT INTO t SELECT 1",
        "INSERT INTO t (a) VALUES (1)",
        "MERGE INTO t USING s ON t.a = s.a WHEN MATCHED THEN UPDATE SET b = 1",
        "UPDATE t SET a = 1",
        "DELETE FROM t",
        "TRUNCATE TABLE t",
        "CREATE TABLE IF NOT EXISTS a.b.c (x INT)",
        "CREATE OR REPLACE TABLE a.b.c AS SELECT 1",
        "CREATE VIEW v AS SELECT 1",
        "CREATE SCHEMA IF NOT EXISTS a.b",
        "DROP TABLE IF EXISTS t",
        "DROP VIEW v",
        "ALTER TABLE t ADD COLUMN x INT",
        "ANALYZE t",
        "COMMENT ON TABLE t IS 'x'",
    ],
)
@pytest.mark.parametrize("dialect", ["trino", "duckdb", "spark", "bigquery", "snowflake"])
def test_what_dataset_authors_need_is_allowed(sql: str, dialect: str) -> None:
    check_statement(sql, dialect)


@pytest.mark.parametrize(
    "sql",
    [
        "ATTACH 'x' AS y", "DETACH x", "COPY t TO 'x'", "COPY t FROM 'x'", "INSTALL x", "LOAD x",
        "SET a = 1", "RESET a", "PRAGMA x", "CALL f()", "EXPLAIN SELECT 1", "DESCRIBE t", "USE x",
        "SHOW TABLES", "BEGIN", "COMMIT", "GRANT SELECT ON t TO u", "VACUUM", "CHECKPOINT",
        "EXPORT DATABASE 'x'", "CREATE FUNCTION f() AS 1", "CREATE MACRO f() AS 1",
        "CREATE SECRET x (TYPE s3)", "CREATE USER x", "CREATE INDEX i ON t (a)", "DROP FUNCTION f",
        "CREATE TYPE x AS ENUM ('a')", "PREPARE x AS SELECT 1", "EXECUTE IMMEDIATE 'x'", "KILL 1",
        "DECLARE x INT", "REFRESH TABLE t", "CACHE TABLE t", "SUMMARIZE t",
    ],
)  # fmt: skip
@pytest.mark.parametrize("dialect", ["trino", "duckdb", "spark", "bigquery", "snowflake"])
def test_other_kinds_are_refused(sql: str, dialect: str) -> None:
    assert refusal(sql, dialect).code in ("DLI-202", "DLI-203")


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("", "is empty"),
        ("-- only a note", "is empty"),
        (";", "is empty"),
        ("SELECT 1; SELECT 2", "holds 2 statements"),
        ("DELETE FROM t; DROP TABLE t; --", "holds 2 statements"),
    ],
)
def test_exactly_one_statement_is_needed(sql: str, reason: str) -> None:
    error = refusal(sql)
    assert error.code == "DLI-203"
    assert error.message.startswith("a.sql:5: the SQL")
    assert reason in error.message


def test_a_metric_only_reads() -> None:
    assert "a query is needed" in refusal("DELETE FROM t", only_query=True).message


@pytest.mark.parametrize(
    ("sql", "line", "column", "reason"),
    [
        ("SELECT a,\n b b b\nFROM t", 6, 6, "Unexpected token"),
        ("SELECT (1", 5, 9, "Expecting )"),
        ("SELECT 1\nFROM", 6, 1, "Expected table name"),
        ("SELECT 1,\n  'abc\nFROM t", 6, 3, "not closed"),
        ("SELECT 'it''s', \"a\" -- '\n/* x", 6, 1, "not closed"),
        ("SELECT DATE_ADD('day')", 5, 22, "an argument is missing"),
        ("SELECT " + "(" * 2000 + "1" + ")" * 2000, 5, 1, "nested too deeply"),
    ],
)
def test_a_syntax_error_has_line_and_column(sql: str, line: int, column: int, reason: str) -> None:
    error = refusal(sql)
    assert error.code == "DLI-202"
    assert error.message.startswith(f"a.sql:{line}, column {column}: ")
    assert reason in error.message
    assert "<" not in error.message


def test_sql_reaches_no_log(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        refusal("CREATE SECRET hidden (TYPE s3)", "duckdb")
    assert caplog.text == ""


def test_a_script_may_hold_several() -> None:
    assert len(parse_script("SELECT 1; -- x\n; SELECT 2;", "trino")) == 2


@pytest.mark.parametrize(
    ("sql", "read", "written"),
    [
        ("SELECT * FROM a.b.c JOIN d.e USING (x)", ["a.b.c", "d.e"], []),
        ("WITH t AS (SELECT * FROM t) SELECT * FROM t", ["t"], []),
        ("WITH RECURSIVE r AS (SELECT 1 UNION ALL SELECT * FROM r) SELECT * FROM r", [], []),
        ("WITH a AS (SELECT 1), b AS (SELECT * FROM A) SELECT * FROM b", [], []),
        ("SELECT * FROM t WHERE EXISTS (WITH z AS (SELECT 1) SELECT * FROM z)", ["t"], []),
        ("SELECT 1 WHERE EXISTS (WITH z AS (SELECT 1) SELECT * FROM z) AND 1 IN (SELECT 1 FROM z)",
         ["z"], []),
        ('SELECT * FROM "a-b".c."D"', ["a-b.c.D"], []),
        ("SELECT * FROM UNNEST(ARRAY[1])", [], []),
        ("INSERT INTO x.y.z WITH q AS (SELECT 1 FROM r) SELECT * FROM q", ["r"], ["x.y.z"]),
        ("INSERT INTO x (a) SELECT a FROM x", ["x"], ["x"]),
        ("MERGE INTO t USING s ON t.a = s.a WHEN MATCHED THEN DELETE", ["s"], ["t"]),
        ("DELETE FROM a WHERE x IN (SELECT x FROM b)", ["b"], ["a"]),
        ("UPDATE t SET a = (SELECT MAX(a) FROM u)", ["u"], ["t"]),
        ("CREATE TABLE a.b.c AS SELECT * FROM d", ["d"], ["a.b.c"]),
        ("CREATE TABLE a.b (x INT)", [], ["a.b"]),
        ("CREATE SCHEMA a.b", [], []),
        ("DROP TABLE a.b", [], ["a.b"]),
        ("TRUNCATE TABLE x.y", [], ["x.y"]),
        ("ALTER TABLE x ADD COLUMN y INT", [], ["x"]),
    ],
)  # fmt: skip
def test_tables_read_and_written(sql: str, read: list[str], written: list[str]) -> None:
    assert sorted(tables_read(sql, "trino")) == read
    assert tables_written(sql, "trino") == written


def test_the_same_dialect_keeps_the_text() -> None:
    assert translate("select  1 -- x", "duckdb", "duckdb") == "select  1 -- x"


def test_another_dialect_is_written() -> None:
    sql = "SELECT DATE_FORMAT(t, '%Y-%m-%d'), JSON_EXTRACT_SCALAR(j, '$.a') FROM a.b.c"
    assert translate(sql, "trino", "duckdb") == (
        "SELECT STRFTIME(t, '%Y-%m-%d'), j ->> '$.a' FROM a.b.c"
    )


def test_what_the_other_dialect_cannot_say_is_an_error() -> None:
    with pytest.raises(TranspileError) as caught:
        translate("SELECT REDUCE(a, 0, (s, x) -> s + x, s -> s) FROM t", "trino", "duckdb")
    assert caught.value.code == "DLI-301"
    with pytest.raises(DLIValidationError):
        translate("SELECT FROM", "trino", "duckdb")


def test_a_script_is_laid_out_with_the_indent_asked_for() -> None:
    assert format_sql("select a,b from t", "trino", indent=3) == "SELECT\n   a,\n   b\nFROM t"
    assert format_sql("select 1;select 2;", "trino") == "SELECT\n  1;\n\nSELECT\n  2;"


def test_texts_of_any_length_and_failure_are_read_one_after_the_other() -> None:
    long = "SELECT " + ", ".join(f"c{number}" for number in range(20_000)) + " FROM t"
    for _ in range(2):
        with pytest.raises(DLIValidationError):
            check_statement("SELECT 'open", "trino")
        with pytest.raises(DLIValidationError):
            check_statement("SELECT FROM WHERE", "trino")
        assert tables_read(long, "trino") == ["t"]
        assert tables_read("SELECT 1 FROM s", "trino") == ["s"]


def test_threads_read_at_the_same_time() -> None:
    texts = [f"SELECT {number} AS n FROM t{number % 7} -- {number}" for number in range(400)]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda text: tables_read(text, "duckdb"), texts))
    assert found == [[f"t{number % 7}"] for number in range(400)]
