"""A queue of 1,000 trivial runs, against the same jobs on DBOS with SQLite."""

from __future__ import annotations

import json
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.figure import Figure, at_least_times
from benchmarks.measure import Command, Side, in_turn
from benchmarks.project import BenchProject, Connection, wait_until
from benchmarks.yardstick import FOLDER, clean_env, tool

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["queue"]

ROUNDS = 3
RUNS = 1_000
DATASETS = 50


def queue(directory: Path) -> list[Figure]:
    """Jobs per second from the first request to the last job stored as done.

    The same work on both sides: replace 100 rows of one day of one of 50 DuckDB tables, one job of
    a table at a time, every state kept in SQLite. DBOS queues and works in one process and is used
    as it comes; ours are requested over one HTTP connection or, shown beside it, as one backfill
    of 20 days for each dataset. Also shown: DBOS when it polls its queue ten times as often, and
    then with an empty job, without SQL and without order within a table.
    """
    with BenchProject(directory / "project", datasets=DATASETS) as project:
        project.up()
        project.publish()
        sides = [
            Side("dbos", lambda: _dbos(directory, "sql", poll_s=1.0)),
            Side("dbos, polled ten times as often", lambda: _dbos(directory, "sql", poll_s=0.1)),
            Side("dbos, empty job", lambda: _dbos(directory, "empty", poll_s=0.1)),
            Side("dli", lambda: _ours(project, _request_runs)),
            Side("dli, backfills", lambda: _ours(project, _request_backfills)),
        ]
        theirs, often, empty, ours, backfills = in_turn(sides, ROUNDS, warm_ups=0)
    name = f"{RUNS:,} queued trivial {{}} over {DATASETS} datasets against {{}} on DBOS with SQLite"
    same = "the same jobs"
    return [
        Figure(name.format("runs", same), "jobs/s", ours, at_least_times(3), theirs),
        Figure(name.format("runs of backfills", same), "jobs/s", backfills, None, theirs),
        Figure(name.format("runs", f"{same}, polled more often,"), "jobs/s", ours, None, often),
        Figure(name.format("runs", "empty jobs, polled more often,"), "jobs/s", ours, None, empty),
    ]


def _request_runs(connection: Connection, datasets: list[str]) -> None:
    for number in range(RUNS):
        connection.start_run(datasets[number % len(datasets)])


def _request_backfills(connection: Connection, datasets: list[str]) -> None:
    for dataset in datasets:
        connection.start_backfill(dataset, "2025-01-01", days=RUNS // len(datasets))


def _ours(project: BenchProject, request: Callable[[Connection, list[str]], None]) -> float:
    with project.connection() as connection:
        before = _completed(connection)
        started = time.perf_counter()
        request(connection, project.many)
        wait_until(lambda: _completed(connection) == before + RUNS, timeout_s=300, pause_s=0.02)
        return RUNS / (time.perf_counter() - started)


def _completed(connection: Connection) -> int:
    return int(connection.get("/workflows/history?limit=1&status=COMPLETED")["total_count"])


def _dbos(directory: Path, job: str, *, poll_s: float) -> float:
    script = str(FOLDER / "dbos_queue.py")
    with tempfile.TemporaryDirectory(dir=directory) as folder:
        words = [tool("dbos", "python"), script, job, folder, str(RUNS), str(DATASETS), str(poll_s)]
        printed = Command(words, Path(folder), clean_env(directory)).run()
    return RUNS / float(json.loads(printed.splitlines()[-1])["all_s"])
