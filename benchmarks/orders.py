"""Ten million orders of a shop in a DuckDB file, as they lie in the warehouse of a project."""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb
from benchmarks.measure import progress

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["ROWS", "make_orders"]

ROWS = 10_000_000

_TABLE = f"""\
CREATE TABLE sales.orders AS
WITH rows AS (SELECT i, hash(i) AS h, hash(i + 1) AS g FROM range({ROWS}) AS t(i))
SELECT
  i AS order_id,
  CAST(h % 400000 AS INTEGER) AS customer_id,
  DATE '2024-01-01' + CAST(i // 15000 AS INTEGER) AS ordered_on,
  TIMESTAMP '2024-01-01' + INTERVAL 1 SECOND * (i * 6 + CAST(g % 6 AS INTEGER)) AS created_at,
  ['new', 'paid', 'sent', 'done', 'back'][1 + CAST(h % 5 AS INTEGER)] AS status,
  ['EUR', 'USD', 'GBP'][1 + CAST(g % 3 AS INTEGER)] AS currency,
  ['web', 'app', 'shop', 'phone'][1 + CAST((h // 7) % 4 AS INTEGER)] AS channel,
  ['DE', 'FR', 'IT', 'ES', 'NL', 'AT'][1 + CAST((g // 11) % 6 AS INTEGER)] AS country,
  CAST(1 + (h // 13) % 90000 / 100 AS DECIMAL(12, 2)) AS amount,
  ((g // 17) % 100) / CAST(100 AS DOUBLE) AS discount,
  CAST(1 + (h // 19) % 12 AS INTEGER) AS items,
  CAST((g // 23) % 10000000 AS DOUBLE) / 1000 AS weight_kg
FROM rows
"""


def make_orders(project: Path) -> Path:
    """The file with `shop.sales.orders`; 15,000 orders a day from 2024-01-01 on."""
    progress(f"making a table of {ROWS:,} rows")
    path = project / ".dli" / "warehouse" / "shop.duckdb"
    path.parent.mkdir(parents=True)
    with duckdb.connect(str(path)) as connection:
        connection.execute("CREATE SCHEMA sales")
        connection.execute(_TABLE)
    return path
