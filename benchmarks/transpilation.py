"""SQL from one dialect to another by the rules of a project, against sqlglot alone."""

from __future__ import annotations

import gc
import os
import time
from typing import TYPE_CHECKING

import sqlglot
from benchmarks.figure import Figure, at_most_times
from benchmarks.measure import Samples, Side, in_turn

from dli.api.transpile import TranspileAPI
from dli.models.common import ExecutionContext

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

__all__ = ["transpile"]

QUERIES = 1_000
ROUNDS = 5
READ, WRITE = "trino", "duckdb"

_TEMPLATES = (
    "SELECT order_id, amount FROM raw.orders WHERE amount > {n} LIMIT 100",
    """\
SELECT o.country, COUNT(DISTINCT o.order_id) AS orders, SUM(o.amount) AS revenue
FROM raw.orders AS o
JOIN shop.sales.customers AS c ON c.customer_id = o.customer_id AND c.age > {n}
WHERE o.ordered_at >= DATE_ADD('day', -{n}, CURRENT_DATE) AND o.status IN ('paid', 'sent')
GROUP BY o.country
ORDER BY revenue DESC
LIMIT 50""",
    """\
WITH daily AS (
  SELECT CAST(ordered_at AS DATE) AS day, customer_id, SUM(amount) AS amount
  FROM raw.orders
  WHERE DATE_DIFF('day', ordered_at, CURRENT_TIMESTAMP) < {n}
  GROUP BY 1, 2
), ranked AS (
  SELECT day, customer_id, amount,
    ROW_NUMBER() OVER (PARTITION BY day ORDER BY amount DESC) AS place,
    APPROX_PERCENTILE(amount, 0.5) OVER (PARTITION BY day) AS middle
  FROM daily
)
SELECT r.day, c.segment, COALESCE(c.country, 'other') AS country, r.amount,
  CASE WHEN r.amount > {n} THEN 'high' WHEN r.amount > r.middle THEN 'above' ELSE 'low' END AS class
FROM ranked AS r
LEFT JOIN shop.sales.customers AS c ON c.customer_id = r.customer_id
WHERE r.place <= 10
LIMIT {n}""",
    """\
INSERT INTO mart.sales.daily
SELECT DATE '2025-01-01' AS day, o.channel, JSON_EXTRACT_SCALAR(o.extra, '$.campaign') AS campaign,
  COUNT_IF(o.amount > {n}) AS large, ARBITRARY(o.currency) AS currency,
  DATE_FORMAT(MAX(o.ordered_at), '%Y-%m') AS month
FROM raw.orders AS o
CROSS JOIN UNNEST(o.items) AS t (item)
WHERE REGEXP_LIKE(o.code, '^[A-Z]{{2}}-{n}') AND t.item > {n}
GROUP BY o.channel, JSON_EXTRACT_SCALAR(o.extra, '$.campaign')""",
)
_DLI = """\
version: "1"
transpile:
  rules:
    - {id: orders, type: table_substitution, source: raw.orders, target: lake.sales.orders_v2}
    - {id: users, type: table_substitution, source: raw.users, target: lake.sales.users}
  metrics:
    - {name: revenue, expression: SUM(amount)}
"""


def transpile(directory: Path) -> list[Figure]:
    """All in this process: `TranspileAPI.transpile`, which also finds METRIC() and doubtful places
    and has one rule that fits each query, against `sqlglot.transpile`. The queries are of four
    kinds from 1 to 20 lines, each of them different. sqlglot is compiled for both. The project is
    an hour old: rules of a file that may just be changing are read anew each time.
    """
    file = directory / "dli.yaml"
    file.write_text(_DLI, encoding="utf-8")
    hour_ago = time.time() - 3_600
    os.utime(file, (hour_ago, hour_ago))
    api = TranspileAPI(ExecutionContext(project_path=directory))

    def ours(sql: str) -> None:
        done = api.transpile(sql, source_dialect=READ, target_dialect=WRITE)
        if not done.success or len(done.applied_rules) != 1:
            raise RuntimeError(f"not transpiled: {done}")

    numbers = iter(range(10, 10**9))
    sides = [
        Side("sqlglot", lambda: _all(numbers, lambda sql: sqlglot.transpile(sql, READ, WRITE))),
        Side("dli", lambda: _all(numbers, ours)),
    ]
    alone, us = in_turn(sides, ROUNDS)
    return [
        Figure(
            f"{QUERIES:,} queries from {READ} to {WRITE} against sqlglot alone",
            "ms",
            us,
            at_most_times(1.2),
            alone,
        ),
        Figure("one query", "ms", Samples([value / QUERIES for value in us.values])),
    ]


def _all(numbers: Iterator[int], work: Callable[[str], object]) -> float:
    """No query is ever asked twice, so that nobody's cache answers."""
    queries = [_TEMPLATES[i % len(_TEMPLATES)].format(n=next(numbers)) for i in range(QUERIES)]
    gc.collect()
    started = time.perf_counter()
    for sql in queries:
        work(sql)
    return (time.perf_counter() - started) * 1000
