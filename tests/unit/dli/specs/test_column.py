"""Columns of results, and where they come from."""

import pytest

from dli.specs.column import column_sources, has_star, result_columns

KNOWN = {"a.b.src": ["id", "x", "n"], "a.b.other": ["id", "z"]}


@pytest.mark.parametrize(
    ("sql", "columns"),
    [
        ("SELECT a, b AS c, SUM(x) FROM t", ["a", "c", "_col2"]),
        ("INSERT INTO t SELECT a, 1 AS b FROM u", ["a", "b"]),
        ("INSERT INTO t (x, y) SELECT a, 1 AS b FROM u", ["x", "y"]),
        ("CREATE TABLE t (x INT, y INT)", ["x", "y"]),
        ("CREATE TABLE t AS WITH q AS (SELECT 1 AS x) SELECT x FROM q", ["x"]),
        ("SELECT a FROM t UNION ALL SELECT b FROM u", ["a"]),
        ("DELETE FROM t", []),
    ],
)
def test_result_columns(sql: str, columns: list[str]) -> None:
    assert result_columns(sql, "trino") == columns


def test_a_star_is_written_out_where_the_tables_are_known() -> None:
    sql = "WITH c AS (SELECT * FROM a.b.src) SELECT c.*, o.z FROM c JOIN a.b.other o ON o.id = c.id"
    assert has_star(sql, "trino")
    assert result_columns(sql, "trino", KNOWN) == ["id", "x", "n", "z"]
    assert result_columns("SELECT * FROM a.b.unknown", "trino", KNOWN) == ["*"]
    assert not has_star("SELECT COUNT(*) FROM a.b.src", "trino")


@pytest.mark.parametrize(
    ("sql", "sources"),
    [
        ("SELECT x AS y, UPPER(n) AS m FROM a.b.src", {"y": ["x"], "m": ["n"]}),
        ("SELECT 1 AS one, COUNT(*) AS n FROM a.b.src", {"one": [], "n": []}),
        ("SELECT x + id AS s FROM (SELECT * FROM a.b.src) q", {"s": ["id", "x"]}),
        (
            "WITH c AS (SELECT n AS k, x FROM a.b.src) SELECT k, SUM(x) AS s FROM c GROUP BY k",
            {"k": ["n"], "s": ["x"]},
        ),
        ("SELECT x FROM a.b.src UNION ALL SELECT id FROM a.b.src", {"x": ["id", "x"]}),
        ("INSERT INTO t (p, q) SELECT n, x FROM a.b.src", {"p": ["n"], "q": ["x"]}),
    ],
)
def test_sources_of_columns(sql: str, sources: dict[str, list[str]]) -> None:
    expected = {key: [f"a.b.src.{name}" for name in names] for key, names in sources.items()}
    assert column_sources(sql, "trino", KNOWN) == expected
    assert column_sources(sql, "trino") == expected


def test_a_join_tells_the_tables_apart() -> None:
    sql = "SELECT x, z, s.id FROM a.b.src s JOIN a.b.other o ON o.id = s.id"
    assert column_sources(sql, "trino", KNOWN) == {
        "x": ["a.b.src.x"],
        "z": ["a.b.other.z"],
        "id": ["a.b.src.id"],
    }
    assert column_sources(sql, "trino")["id"] == ["a.b.src.id"]


def test_the_filled_table_names_the_columns() -> None:
    sql = "INSERT INTO t SELECT n, x + 1 FROM a.b.src"
    assert column_sources(sql, "trino", KNOWN, ["name", "more"]) == {
        "name": ["a.b.src.n"],
        "more": ["a.b.src.x"],
    }
    assert column_sources("DELETE FROM t", "trino", KNOWN) == {}
