"""Every query and table of a statement is found, however deep among values it stands."""

import pytest
from sqlglot import exp, parse_one

from dli.specs.syntax import Nodes

PLAIN = [
    "SELECT a, b + 1 FROM x JOIN y ON x.i = y.i AND y.j > 2 WHERE a > 1 ORDER BY 2 LIMIT 3",
    "WITH c AS (SELECT 1 AS a FROM x) SELECT c.a, t.i FROM c CROSS JOIN UNNEST(c.is) AS t (i)",
    "INSERT INTO y SELECT COUNT(*) FROM x GROUP BY b HAVING COUNT(*) > 1",
    "SELECT a FROM x UNION ALL SELECT b FROM (SELECT * FROM y) AS q",
]
HIDDEN = [
    "SELECT (SELECT MAX(a) FROM y) AS m FROM x",
    "SELECT a FROM x WHERE b IN (SELECT b FROM y)",
    "SELECT a FROM x JOIN z ON x.i = (SELECT MIN(i) FROM y)",
    "SELECT a FROM x GROUP BY a HAVING COUNT(*) > (SELECT COUNT(*) FROM y)",
    "SELECT a FROM x ORDER BY (SELECT b FROM y)",
    "SELECT a FROM x WHERE EXISTS (TABLE y)",
    "SELECT a FROM x WHERE (a, b) IN (VALUES (1, (SELECT 2 FROM y)))",
    "SELECT 'select' AS word, EXTRACT(YEAR FROM d) FROM x WHERE a = (SELECT MAX(b) FROM y)",
    "SELECT a FROM x WHERE b IN (SELECT b FROM y WHERE c IN (SELECT c FROM z))",
]


def parts(sql: str, *kinds: type[exp.Expr]) -> list[list[str]]:
    found = Nodes(parse_one(sql, read="trino"), sql)
    return [sorted(node.sql() for node in found.of(kind)) for kind in kinds]


@pytest.mark.parametrize("sql", PLAIN + HIDDEN)
def test_all_are_found(sql: str) -> None:
    kinds = (exp.Query, exp.Table, exp.With, exp.TableAlias)
    everything = [
        sorted(node.sql() for node in parse_one(sql, read="trino").find_all(kind)) for kind in kinds
    ]
    assert parts(sql, *kinds) == everything


@pytest.mark.parametrize("sql", PLAIN)
def test_values_are_passed_over(sql: str) -> None:
    assert parts(sql, exp.Predicate, exp.AggFunc) == [[], []]


def test_the_outer_ones_come_first() -> None:
    sql = "SELECT * FROM (SELECT a FROM x) AS q WHERE a IN (SELECT b FROM y)"
    selects = Nodes(parse_one(sql, read="trino"), sql).of(exp.Select)
    assert selects[0].sql() == sql
    assert len(selects) == 3
