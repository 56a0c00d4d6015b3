"""A queue of 1,000 trivial runs, against the same jobs on DBOS with SQLite."""

from __future__ import annotations

import json
import tempfile
import time
from pathlib import Path

from benchmarks.figure import Figure, at_least_times
from benchmarks.measure import Command, Side, in_turn
from benchmarks.project import BenchProject, Connection, wait_until
from benchmarks.yardstick import FOLDER, clean_env, tool

__all__ = ["queue"]

ROUNDS = 3
RUNS = 1_000
DATASETS = 50


def queue(directory: Path) -> list[Figure]:
    """Jobs per second from the first request to the last job stored as done.

    The same work on both sides: replace 100 rows of one day of one of 50 DuckDB tables, one job of
    a table at a time, every state kept in SQLite. DBOS queues and works in one process; ours are
    requested over one HTTP connection. An empty job on DBOS, without SQL and without order within
    a table, is shown beside it.
    """
    with BenchProject(directory / "project", datasets=DATASETS) as project:
        project.up()
        project.publish()
        sides = [
            Side("dbos", lambda: _dbos(directory, "sql")),
            Side("dbos, empty job", lambda: _dbos(directory, "empty")),
            Side("dli", lambda: _ours(project)),
        ]
        theirs, empty, ours = in_turn(sides, ROUNDS, warm_ups=0)
    name = f"{RUNS:,} queued trivial runs over {DATASETS} datasets against {{}} on DBOS with SQLite"
    return [
        Figure(name.format("the same jobs"), "jobs/s", ours, at_least_times(3), theirs),
        Figure(name.format("empty jobs"), "jobs/s", ours, None, empty),
    ]


def _ours(project: BenchProject) -> float:
    datasets = project.many
    with project.connection() as connection:
        before = _completed(connection)
        started = time.perf_counter()
        for number in range(RUNS):
            connection.start_run(datasets[number % len(datasets)])
        wait_until(lambda: _completed(connection) == before + RUNS, timeout_s=300, pause_s=0.02)
        return RUNS / (time.perf_counter() - started)


def _completed(connection: Connection) -> int:
    return int(connection.get("/workflows/history?limit=1&status=COMPLETED")["total_count"])


def _dbos(directory: Path, job: str) -> float:
    script = str(FOLDER / "dbos_queue.py")
    with tempfile.TemporaryDirectory(dir=directory) as folder:
        words = [tool("dbos", "python"), script, job, folder, str(RUNS), str(DATASETS)]
        printed = Command(words, Path(folder), clean_env(directory)).run()
    return RUNS / float(json.loads(printed.splitlines()[-1])["all_s"])
