"""Twenty tests of columns on ten million rows, against dbt-duckdb, Soda Core and one SQL scan."""

from __future__ import annotations

import json
import re
import shutil
import time
from typing import TYPE_CHECKING, Any

import duckdb
from benchmarks.figure import Figure, at_most_times
from benchmarks.measure import Command, Side, Timed, in_turn
from benchmarks.orders import ROWS, make_orders
from benchmarks.yardstick import FOLDER, clean_env, dli, tool

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["quality"]

ROUNDS = 5

NOT_NULL = (
    "order_id",
    "customer_id",
    "ordered_on",
    "created_at",
    "status",
    "currency",
    "channel",
    "country",
    "amount",
    "items",
)
VALUES = {
    "status": ["new", "paid", "sent", "done", "back"],
    "currency": ["EUR", "USD", "GBP"],
    "channel": ["web", "app", "shop", "phone"],
    "country": ["DE", "FR", "IT", "ES", "NL", "AT"],
}
RANGES = {
    "order_id": (0, ROWS),
    "customer_id": (0, 400_000),
    "amount": (1, 1_000),
    "discount": (0, 1),
    "items": (1, 12),
    "weight_kg": (0, 10_000),
}


def quality(directory: Path) -> list[Figure]:
    """All sides read one DuckDB file, one after the other: ten tests of `not_null`, four of
    `accepted_values` and six ranges, all of which hold. The engine's time is what a tool tells of
    its tests (dbt with one thread, ours) or what its queries take (Soda Core, which tells nothing).
    The scan is one SELECT of twenty `COUNT(*) FILTER (WHERE ...)`, as one would type it.
    """
    project = directory / "dli"
    database = make_orders(project)
    ours, dbt, soda = _ours(project), _dbt(directory, database), _soda(directory, database)
    sides = [
        Side("dbt test", dbt),
        Side("soda contract verify", soda),
        Side("one scan", lambda: _scan(database)),
        Side("dli quality run", ours),
    ]
    dbt_whole, soda_whole, scan, whole = in_turn(sides, ROUNDS)
    name = f"20 column tests of {ROWS:,} rows against {{}}: {{}}"
    process, engine = "whole process", "engine"
    limit = at_most_times(0.35)
    return [
        Figure(name.format("dbt-duckdb", process), "ms", whole, limit, dbt_whole),
        Figure(name.format("dbt-duckdb", engine), "ms", ours.kept(), limit, dbt.kept()),
        Figure(name.format("Soda Core", process), "ms", whole, limit, soda_whole),
        Figure(name.format("Soda Core", engine), "ms", ours.kept(), limit, soda.kept()),
        Figure(name.format("one SQL scan", engine), "ms", ours.kept(), at_most_times(1.5), scan),
    ]


def _ours(project: Path) -> Timed:
    tests: list[dict[str, Any]] = [
        *({"name": f"{c}_there", "type": "not_null", "column": c} for c in NOT_NULL),
        *(
            {"name": f"{c}_known", "type": "accepted_values", "column": c, "values": values}
            for c, values in VALUES.items()
        ),
        *(
            {"name": f"{c}_possible", "type": "range_check", "column": c, "min": low, "max": high}
            for c, (low, high) in RANGES.items()
        ),
    ]
    target = {"type": "dataset", "name": "shop.sales.orders"}
    metadata = {"owner": "bench@example.com", "team": "bench"}
    _write(project / "dli.yaml", {"version": "1"})
    file = _write(
        project / "quality" / "quality.orders.yaml",
        {"target": target, "metadata": metadata, "tests": tests},
    )
    words = [dli(), "quality", "run", str(file), "--format", "json"]
    return Timed(Command(words, project, clean_env(project.parent)), _our_engine_ms)


def _our_engine_ms(printed: str) -> float:
    results = json.loads(printed)["test_results"]
    _require_all(len(results))
    return float(sum(result["execution_time_ms"] for result in results))


def _dbt(directory: Path, database: Path) -> Timed:
    root = directory / "dbt"
    shutil.copytree(FOLDER / "dbt", root)
    tests: dict[str, list[Any]] = {}
    for column in NOT_NULL:
        tests.setdefault(column, []).append("not_null")
    for column, values in VALUES.items():
        tests.setdefault(column, []).append({"accepted_values": {"arguments": {"values": values}}})
    for column, (low, high) in RANGES.items():
        bounds = {"min_value": low, "max_value": high}
        tests.setdefault(column, []).append({"in_range": {"arguments": bounds}})
    columns = [{"name": column, "data_tests": those} for column, those in tests.items()]
    table = {"name": "orders", "columns": columns}
    source = {"name": "shop", "database": "shop", "schema": "sales", "tables": [table]}
    _write(root / "models" / "sources.yml", {"version": 2, "sources": [source]})
    env = {**clean_env(directory), "BENCH_DATABASE": str(database)}
    command = Command([tool("dbt", "dbt"), "--quiet", "test"], root, env)

    def engine_ms(_printed: str) -> float:
        results = json.loads((root / "target" / "run_results.json").read_text())["results"]
        _require_all(len(results))
        return 1000 * float(sum(result["execution_time"] for result in results))

    return Timed(command, engine_ms)


def _soda(directory: Path, database: Path) -> Timed:
    checks: dict[str, list[Any]] = {column: [{"missing": None}] for column in NOT_NULL}
    for column, values in VALUES.items():
        checks.setdefault(column, []).append({"invalid": {"valid_values": values}})
    for column, (low, high) in RANGES.items():
        bounds = {"valid_min": low, "valid_max": high}
        checks.setdefault(column, []).append({"invalid": bounds})
    columns = [{"name": column, "checks": those} for column, those in checks.items()]
    root = directory / "soda"
    contract = _write(
        root / "contract.yml", {"dataset": "shop/shop/sales/orders", "columns": columns}
    )
    connection = {"database": str(database), "schema": "sales"}
    source = _write(
        root / "source.yml", {"type": "duckdb", "name": "shop", "connection": connection}
    )
    script = str(FOLDER / "soda_engine.py")
    words = ["contract", "verify", "-ds", str(source), "-c", str(contract)]
    env = {**clean_env(directory), "SODA_CORE_TELEMETRY_ENABLED": "false"}
    command = Command([tool("soda", "python"), script, *words], root, env)

    def engine_ms(printed: str) -> float:
        _require_all(int(re.findall(r"Checks +\| (\d+)", printed)[0]))
        return 1000 * float(printed.splitlines()[-1])

    return Timed(command, engine_ms)


def _scan(database: Path) -> float:
    conditions = [f"{column} IS NULL" for column in NOT_NULL]
    for column, values in VALUES.items():
        listed = ", ".join(f"'{value}'" for value in values)
        conditions.append(f"{column} NOT IN ({listed})")
    conditions += [f"{c} < {low} OR {c} > {high}" for c, (low, high) in RANGES.items()]
    counts = ", ".join(f"COUNT(*) FILTER (WHERE {condition})" for condition in conditions)
    with duckdb.connect(str(database), read_only=True) as connection:
        started = time.perf_counter()
        connection.execute(f"SELECT {counts} FROM sales.orders").fetchall()
        return (time.perf_counter() - started) * 1000


def _require_all(count: int) -> None:
    wanted = len(NOT_NULL) + len(VALUES) + len(RANGES)
    if count != wanted:
        raise RuntimeError(f"{count} tests were made, not {wanted}")


def _write(path: Path, content: Mapping[str, Any]) -> Path:
    """JSON, which is YAML to all of them."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content), encoding="utf-8")
    return path
