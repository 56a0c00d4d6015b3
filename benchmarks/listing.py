"""List and history at the server with 10,000 workflows, with few and with many runs."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from benchmarks.figure import Figure, at_most
from benchmarks.measure import Samples, progress
from benchmarks.project import BenchProject

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["listing"]

WORKFLOWS = 10_000
RUNS = (10_000, 100_000)
REQUESTS = 500
WARM_UPS = 50
PATHS = {
    "list": "/workflows",
    "list, last page": f"/workflows?offset={WORKFLOWS - 50}",
    "list, name contains": "/workflows?dataset=area_07",
    "list, active only": "/workflows?enabled=true",
    "history": "/workflows/history",
    "history of one dataset": "/workflows/history?dataset=bench.area_07.dataset_00007",
    "history, failed only": "/workflows/history?status=FAILED",
    "history of today": "/workflows/history?start_date={today}",
}


def listing(directory: Path) -> list[Figure]:
    """Requests over one kept loopback connection, timed by the caller; the yardstick is ourselves
    with a tenth of the runs.
    """
    with BenchProject(directory / "project") as project:
        project.seed_workflows(WORKFLOWS)
        progress(f"taking up {WORKFLOWS:,} workflows")
        project.up()
        few = _with_runs(project, RUNS[0])
        many = _with_runs(project, RUNS[1] - RUNS[0])
    size = f"{RUNS[1]:,} runs, against {RUNS[0]:,}"
    return [
        *(
            Figure(
                f"{name}: {WORKFLOWS:,} workflows, {size}", "ms", many[name], at_most(5), few[name]
            )
            for name in PATHS
        ),
        Figure(
            f"99th percentile of all requests with {RUNS[1]:,} runs",
            "ms",
            Samples([value for samples in many.values() for value in samples.values]),
            at_most(100),
            quantity="p99",
        ),
    ]


def _with_runs(project: BenchProject, more: int) -> dict[str, Samples]:
    project.wait_for_workflows(WORKFLOWS)
    project.dli("down").run()
    project.seed_runs(more)
    project.up()
    today = time.strftime("%Y-%m-%d", time.gmtime())
    taken = {name: Samples() for name in PATHS}
    with project.connection() as connection:
        for number in range(-WARM_UPS, REQUESTS):
            for name, path in PATHS.items():
                started = time.perf_counter()
                connection.get(path.format(today=today))
                if number >= 0:
                    taken[name].values.append((time.perf_counter() - started) * 1000)
    return taken
