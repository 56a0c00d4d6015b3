"""Checking a project of 1,000 specs, against `dbt parse` of the same models."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from benchmarks.figure import Figure, at_most_times
from benchmarks.measure import Command, Side, in_turn
from benchmarks.yardstick import FOLDER, clean_env, dli, tool

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["validate"]

SPECS = 1_000
AREA_SIZE = 50
ROUNDS = 5

_QUERY = """\
WITH orders AS (
  SELECT o.order_id, o.customer_id, o.ordered_at, o.amount, o.currency
  FROM {orders} AS o
  WHERE CAST(o.ordered_at AS DATE) = DATE '{day}' AND o.status NOT IN ('cancelled', 'test')
), customers AS (
  SELECT c.customer_id, c.country, COALESCE(c.segment, 'other') AS segment
  FROM {customers} AS c
  WHERE c.is_active
)
SELECT
  DATE '{day}' AS day,
  c.country,
  c.segment,
  COUNT(DISTINCT o.order_id) AS orders,
  SUM(CASE WHEN o.currency = 'EUR' THEN o.amount ELSE o.amount * 0.9 END) AS revenue,
  AVG(o.amount) AS average_{number},
  MAX(o.ordered_at) AS last_ordered_at
FROM orders AS o
JOIN customers AS c ON c.customer_id = o.customer_id
GROUP BY c.country, c.segment
HAVING COUNT(*) > {number}
"""
_SPEC = """\
name: {name}
description: Orders by country and segment, number {number}.
owner: bench@example.com
team: bench
tags: [daily, area-{area:02}]
depends_on: [{needed}]
schedule:
  cron: "0 3 * * *"
  timezone: Europe/Berlin
pre_statements:
  - name: day
    sql: DELETE FROM {name} WHERE day = DATE '{{{{ ds }}}}'
query_file: dataset_{number:04}.sql
"""
_SOURCES = ("raw.shop.orders", "raw.shop.customers")
_DLI = """\
version: "1"
sources:
  - {table: raw.shop.orders, path: data/orders.csv}
  - {table: raw.shop.customers, path: data/customers.csv}
"""
_DBT_MODEL = """\
      - name: dataset_{number:04}
        description: Orders by country and segment, number {number}.
        config: {{tags: [daily, area-{area:02}], meta: {{owner: bench@example.com, team: bench}}}}
"""
_DBT_SOURCES = """\
version: 2
sources:
  - name: shop
    schema: raw
    tables: [{name: orders}, {name: customers}]
"""


def validate(directory: Path) -> list[Figure]:
    """Whole processes. Cold is without what an earlier run has kept: neither `dbt parse` with its
    `partial_parse.msgpack` nor ours with its cache; then again with nothing changed, and with one
    SQL file changed.

    `dbt parse` renders the templates and reads the YAML, and leaves the SQL unread; ours parses the
    SQL too. Each spec or model has a query of two CTEs in a file of its own and reads the spec
    before it.
    """
    env = clean_env(directory)
    ours, theirs = _project(directory / "dli"), _dbt_project(directory / "dbt")
    check = Command([dli(), "dataset", "validate", "--all"], ours, env)
    parse = Command([tool("dbt", "dbt"), "--quiet", "parse"], theirs, env)
    sides = [
        Side("dbt parse, cold", lambda: _cold(parse, theirs / "target")),
        Side("dli, cold", lambda: _cold(check, ours / ".dli")),
        Side("dbt parse, again", parse),
        Side("dli, again", check),
        Side("dbt parse, one changed", lambda: _changed(parse, theirs / "models")),
        Side("dli, one changed", lambda: _changed(check, ours / "datasets")),
    ]
    dbt_cold, cold, dbt_again, again, dbt_changed, changed = in_turn(sides, ROUNDS)
    name = f"`dli dataset validate --all` of {SPECS:,} specs, {{}}, against {{}}"
    return [
        Figure(name.format("cold", "`dbt parse`"), "ms", cold, at_most_times(0.3), dbt_cold),
        Figure(name.format("again", "the cold one"), "ms", again, at_most_times(0.2), cold),
        Figure(name.format("one changed", "the cold one"), "ms", changed, at_most_times(0.2), cold),
        Figure(name.format("again", "`dbt parse`"), "ms", again, None, dbt_again),
        Figure(name.format("one changed", "`dbt parse`"), "ms", changed, None, dbt_changed),
    ]


def _cold(command: Command, kept: Path) -> float:
    shutil.rmtree(kept, ignore_errors=True)
    return command()


def _changed(command: Command, folder: Path) -> float:
    path = sorted(folder.rglob("*.sql"))[SPECS // 2]
    text = path.read_text(encoding="utf-8")
    path.write_text(f"{text}-- changed\n", encoding="utf-8")
    return command()


def _project(root: Path) -> Path:
    (root / "data").mkdir(parents=True)
    (root / "dli.yaml").write_text(_DLI, encoding="utf-8")
    for number in range(SPECS):
        area = number // AREA_SIZE
        folder = root / "datasets" / f"area_{area:02}"
        folder.mkdir(parents=True, exist_ok=True)
        first = _SOURCES[0] if number == 0 else _name(number - 1)
        name = _name(number)
        needed = f"{first}, {_SOURCES[1]}"
        spec = _SPEC.format(name=name, number=number, area=area, needed=needed)
        sql = _QUERY.format(
            orders=f"{{{{ ref('{first}') }}}}",
            customers=f"{{{{ ref('{_SOURCES[1]}') }}}}",
            day="{{ ds }}",
            number=number,
        )
        path = folder / f"dataset.{name}.yaml"
        path.write_text(spec, encoding="utf-8")
        (folder / f"dataset_{number:04}.sql").write_text(f"INSERT INTO {name}\n{sql}", "utf-8")
    return root


def _name(number: int) -> str:
    return f"bench.area_{number // AREA_SIZE:02}.dataset_{number:04}"


def _dbt_project(root: Path) -> Path:
    shutil.copytree(FOLDER / "dbt", root)
    models = root / "models"
    models.mkdir()
    (models / "sources.yml").write_text(_DBT_SOURCES, encoding="utf-8")
    for number in range(SPECS):
        area = number // AREA_SIZE
        folder = models / f"area_{area:02}"
        folder.mkdir(exist_ok=True)
        first = f"ref('dataset_{number - 1:04}')" if number else "source('shop', 'orders')"
        sql = _QUERY.format(
            orders=f"{{{{ {first} }}}}",
            customers="{{ source('shop', 'customers') }}",
            day="{{ var('ds') }}",
            number=number,
        )
        stem = f"dataset_{number:04}"
        (folder / f"{stem}.sql").write_text(sql, encoding="utf-8")
        described = _DBT_MODEL.format(number=number, area=area)
        (folder / f"{stem}.yml").write_text(f"version: 2\nmodels:\n{described}", encoding="utf-8")
    return root
