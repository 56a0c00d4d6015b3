"""A process that is killed in the middle of a run leaves each table old or new, never half (F2)."""

import random
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from dli.specs.dataset import Statement
from dli.warehouse.dataset import run_statements
from dli.warehouse.duckdb import DuckDBWarehouse

ROWS = 200_000

WRITER = """
import pathlib, sys
from dli.specs.dataset import Statement
from dli.warehouse.dataset import run_statements
from dli.warehouse.duckdb import DuckDBWarehouse

root, rows = pathlib.Path(sys.argv[1]), int(sys.argv[2])
warehouse = DuckDBWarehouse(root / "w", data_root=root)
for generation in range(1, 1000):
    insert = f"INSERT INTO lake.s.t SELECT {generation}, range FROM range({rows})"
    statements = [
        Statement("pre", "make", "CREATE TABLE IF NOT EXISTS lake.s.t (g INT, n INT)", False),
        Statement("pre", "clean", "DELETE FROM lake.s.t", False),
        Statement("main", None, insert, False),
    ]
    with warehouse.session() as session:
        result = run_statements(session, statements, dialect="duckdb")
    assert result.success, result.error_message
    print(generation, flush=True)
    if generation % 3 == 0:
        warehouse.close()
"""


@pytest.mark.parametrize("attempt", range(8))
def test_f2_a_killed_run_leaves_the_table_old_or_new(tmp_path: Path, attempt: int) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(tmp_path), str(ROWS)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "1\n"
        with suppress(subprocess.TimeoutExpired):
            process.wait(random.uniform(0, 0.2))
        process.kill()
        told = process.stdout.read().split()
    committed = int(told[-1]) if told else 1
    sql = "SELECT count(DISTINCT g), max(g), count(*) FROM lake.s.t"
    with DuckDBWarehouse(tmp_path / "w", data_root=tmp_path) as warehouse:
        generations, generation, rows = only_row(warehouse, sql)
    assert (generations, rows) == (1, ROWS)
    assert generation in (committed, committed + 1)


def only_row(warehouse: DuckDBWarehouse, sql: str) -> list[int]:
    with warehouse.session() as session:
        result = run_statements(session, [Statement("main", None, sql, False)], dialect="duckdb")
    assert result.error_message is None
    assert result.main_result is not None
    (row,) = result.main_result.data
    return list(row.values())
