"""One run and a backfill from the command line, against SQLMesh restating the same days."""

from __future__ import annotations

import json
import shutil
import time
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

import duckdb
from benchmarks.figure import Figure, at_most, at_most_times
from benchmarks.measure import Command, Samples, Side, in_turn
from benchmarks.project import STATEMENTS, TRIVIAL, BenchProject
from benchmarks.yardstick import FOLDER, clean_env, tool

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["backfill", "run"]

ROUNDS = 7
FIRST = date(2025, 1, 1)
DAYS = 30


def run(directory: Path) -> list[Figure]:
    restate = _sqlmesh(directory)
    with BenchProject(directory / "project") as project:
        project.up()
        project.publish()
        sides = [
            Side("sqlmesh", restate(FIRST, 1)),
            Side("dli", project.dli("workflow", "run", TRIVIAL, "--wait")),
        ]
        theirs, ours = in_turn(sides, ROUNDS)
    name = "`dli workflow run X --wait` against SQLMesh restating one day"
    return [Figure(name, "ms", ours, at_most_times(0.25), theirs)]


def backfill(directory: Path) -> list[Figure]:
    """Also the overhead of one run: the time between the ends of two days less that of their SQL.

    The ends are read from the run records; the time of the SQL is that of the same statements in
    one transaction on a DuckDB file of their own, in this process. What is left is rendering and
    translating, both processes' messages, log and state transaction.
    """
    restate = _sqlmesh(directory)
    last = FIRST + timedelta(days=DAYS - 1)
    with BenchProject(directory / "project") as project:
        project.up()
        project.publish()
        words = ("workflow", "backfill", TRIVIAL, "-s", str(FIRST), "-e", str(last), "--wait")
        sides = [Side("sqlmesh", restate(FIRST, DAYS)), Side("dli", project.dli(*words))]
        theirs, ours = in_turn(sides, ROUNDS)
        gaps = _gaps(project)
    sql = _sql_alone(directory / "alone.duckdb")
    overhead = Samples([gap - sql.median for gap in gaps.values])
    name = (
        f"`dli workflow backfill --wait` of {DAYS} days against SQLMesh restating them one by one"
    )
    return [
        Figure(name, "ms", ours, at_most_times(0.4), theirs),
        Figure("overhead of a run on the warm worker", "ms", overhead, at_most(30)),
        Figure("end of one day to end of the next", "ms", gaps),
        Figure("its SQL alone", "ms", sql),
    ]


def _sqlmesh(directory: Path) -> Callable[[date, int], Command]:
    """A table like ours, filled once; what comes back restates `days` of it, one by one."""
    sqlmesh, project = tool("sqlmesh", "sqlmesh"), directory / "sqlmesh"
    shutil.copytree(FOLDER / "sqlmesh", project)
    words = [sqlmesh, "plan", "--auto-apply", "--no-prompts"]
    env = clean_env(directory)
    Command(words, project, env).run()

    def restate(first: date, days: int) -> Command:
        last = first + timedelta(days=days - 1)
        span = ["--start", str(first), "--end", str(last)]
        return Command([*words, "--restate-model", "daily.tally", *span], project, env)

    return restate


def _gaps(project: BenchProject) -> Samples:
    """Milliseconds between the ends of neighbouring days of all backfills so far."""
    gaps = Samples()
    words = ("workflow", "history", "-d", TRIVIAL, "-n", "500", "-f", "json")
    runs = [r for r in json.loads(project.dli(*words).run()) if r["backfill_id"]]
    runs.sort(key=lambda run: run["finished_at"])
    for before, after in pairwise(runs):
        if before["backfill_id"] == after["backfill_id"]:
            ends = (datetime.fromisoformat(run["finished_at"]) for run in (before, after))
            start, end = ends
            gaps.values.append((end - start).total_seconds() * 1000)
    return gaps


def _sql_alone(path: Path) -> Samples:
    samples = Samples()
    sequence = "UNNEST(GENERATE_SERIES(1, 100))"
    with duckdb.connect(str(path)) as connection:
        for number in range(DAYS * 3):
            day = FIRST + timedelta(days=number % DAYS)
            started = time.perf_counter()
            connection.execute("BEGIN")
            for text in STATEMENTS:
                sql = text.replace("UNNEST(SEQUENCE(1, 100))", sequence)
                connection.execute(sql.format(table="tally", day=day))
            connection.execute("COMMIT")
            samples.values.append((time.perf_counter() - started) * 1000)
    return samples
