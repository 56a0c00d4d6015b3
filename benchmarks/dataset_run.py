"""One day of a dataset from the command line, against the same SQL in DuckDB and against dbt."""

from __future__ import annotations

import json
import shutil
import time
from typing import TYPE_CHECKING

import duckdb
from benchmarks.figure import Figure, at_most_times
from benchmarks.measure import WARM_UPS, Command, Samples, Side, Timed, in_turn
from benchmarks.orders import ROWS, make_orders
from benchmarks.yardstick import FOLDER, clean_env, dli, tool

from dli.api.dataset import DatasetAPI
from dli.models.common import ExecutionContext

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["dataset_run"]

ROUNDS = 7
DAY = "2025-06-01"
NAME = "shop.mart.daily"

_CREATE = """\
CREATE TABLE IF NOT EXISTS {table} (
  day DATE,
  country VARCHAR,
  channel VARCHAR,
  orders BIGINT,
  customers BIGINT,
  revenue DECIMAL(38, 2)
)"""
_DELETE = "DELETE FROM {table} WHERE day = DATE '{day}'"
_SELECT = """\
SELECT
  DATE '{day}' AS day,
  country,
  channel,
  COUNT(*) AS orders,
  COUNT(DISTINCT customer_id) AS customers,
  SUM(amount) AS revenue
FROM {source}
WHERE ordered_on > DATE '{day}' - INTERVAL '90' DAY AND ordered_on <= DATE '{day}'
GROUP BY country, channel
"""
_DBT_HEAD = """\
{{ config(materialized='incremental', incremental_strategy='delete+insert', unique_key='day') }}
"""


def dataset_run(directory: Path) -> list[Figure]:
    """Each replaces one day of a table by figures of the 90 days before it: create, delete and
    insert in one transaction, on one file of DuckDB.

    The statements are timed by each side itself: ours as its events tell, typed ones around each
    `execute`, both in this process. The run is everything from the call of `DatasetAPI.run`, typed
    SQL from opening the file until it is closed. The process is the whole command.
    """
    project = directory / "dli"
    database = make_orders(project)
    command, dbt = _ours(project), _dbt(directory, database)
    ours, typed = _Statements(), _Statements()
    api = DatasetAPI(ExecutionContext(project_path=project))
    sides = [
        Side("dbt run --select", dbt),
        Side("dli dataset run", command),
        Side("typed SQL", lambda: _typed(database, typed)),
        Side("DatasetAPI.run", lambda: _called(api, ours)),
    ]
    theirs, whole, typed_run, our_run = in_turn(sides, ROUNDS)
    name = f"one day of a dataset over {ROWS:,} rows: {{}}"
    return [
        Figure(
            name.format("statements, against typed SQL"),
            "ms",
            ours.kept(),
            at_most_times(1.1),
            typed.kept(),
        ),
        Figure(name.format("process, against `dbt run`"), "ms", whole, at_most_times(0.35), theirs),
        Figure(name.format("run, against typed SQL"), "ms", our_run, None, typed_run),
        Figure(name.format("statements, against `dbt run`"), "ms", ours.kept(), None, dbt.kept()),
    ]


class _Statements:
    """What the statements of each run took together."""

    def __init__(self) -> None:
        self._runs: list[float] = []

    def begin(self) -> None:
        self._runs.append(0.0)

    def add(self, duration_ms: float) -> None:
        self._runs[-1] += duration_ms

    def kept(self) -> Samples:
        return Samples(self._runs[WARM_UPS:])


def _called(api: DatasetAPI, statements: _Statements) -> float:
    statements.begin()
    started = time.perf_counter()
    done = api.run(
        NAME, parameters={"ds": DAY}, on_event=lambda event: statements.add(event.duration_ms or 0)
    )
    duration_ms = (time.perf_counter() - started) * 1000
    if done.error_message:
        raise RuntimeError(done.error_message)
    return duration_ms


def _ours(project: Path) -> Command:
    texts = [_CREATE, _DELETE, f"INSERT INTO {{table}}\n{_SELECT}"]
    create, delete, insert = (
        text.format(table=NAME, source="shop.sales.orders", day="{{ ds }}") for text in texts
    )
    around = [{"name": "table", "sql": create}, {"name": "day", "sql": delete}]
    spec = {
        "name": NAME,
        "owner": "bench@example.com",
        "team": "bench",
        "pre_statements": around,
        "query_statement": insert,
    }
    (project / "dli.yaml").write_text("version: '1'\n", encoding="utf-8")
    path = project / "datasets" / f"dataset.{NAME}.yaml"
    path.parent.mkdir()
    path.write_text(json.dumps(spec), encoding="utf-8")
    words = [dli(), "dataset", "run", NAME, "-p", f"ds={DAY}"]
    return Command(words, project, clean_env(project.parent))


def _typed(database: Path, statements: _Statements) -> float:
    statements.begin()
    started = time.perf_counter()
    with duckdb.connect(str(database)) as connection:
        connection.execute("CREATE SCHEMA IF NOT EXISTS typed")
        connection.execute("BEGIN")
        for text in (_CREATE, _DELETE, f"INSERT INTO {{table}}\n{_SELECT}"):
            sql = text.format(table="typed.daily", source="sales.orders", day=DAY)
            began = time.perf_counter()
            connection.execute(sql)
            statements.add((time.perf_counter() - began) * 1000)
        connection.execute("COMMIT")
    return (time.perf_counter() - started) * 1000


def _dbt(directory: Path, database: Path) -> Timed:
    root = directory / "dbt"
    shutil.copytree(FOLDER / "dbt", root)
    source = {"name": "shop", "schema": "sales", "tables": [{"name": "orders"}]}
    sources = json.dumps({"version": 2, "sources": [source]})
    model = _DBT_HEAD + _SELECT.format(
        source="{{ source('shop', 'orders') }}", day="{{ var('ds') }}"
    )
    (root / "models").mkdir()
    (root / "models" / "sources.yml").write_text(sources, encoding="utf-8")
    (root / "models" / "daily.sql").write_text(model, encoding="utf-8")
    env = {**clean_env(directory), "BENCH_DATABASE": str(database)}
    words = [tool("dbt", "dbt"), "--quiet", "run", "--select", "daily", "--vars", f"ds: {DAY}"]

    def engine_ms(_printed: str) -> float:
        results = json.loads((root / "target" / "run_results.json").read_text())["results"]
        return 1000 * float(sum(result["execution_time"] for result in results))

    return Timed(Command(words, root, env), engine_ms)
