"""From registering a workflow, or a new version of one, to Airflow being able to run it."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from benchmarks.airflow.corpus import spec
from benchmarks.airflow.site import Site, running_site
from benchmarks.figure import Figure, at_most
from benchmarks.measure import Samples, progress
from benchmarks.project import wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.airflow.scale import Scale
    from benchmarks.project import Connection

__all__ = ["on_file", "on_s3"]

_PATIENCE_S = 120
_LOOK_S = 0.02


def on_file(directory: Path, scale: Scale) -> list[Figure]:
    """From the request to Basecamp to the moment at which Airflow shows the DAG of this version and
    has taken a run of it, asked of its API without pause; 95th percentile. Each of these runs is
    waited for: it must end well.
    """
    with running_site(directory, scale.neighbours) as site:
        site.wait_for_workflows(scale.neighbours)
        return _figures(site, scale, "file://", limit_ms=3_000)


def on_s3(directory: Path, scale: Scale) -> list[Figure]:
    """As `appear-file`, with the specs in a bucket of SeaweedFS on this machine."""
    from bucket_server import running

    with running() as server:
        os.environ |= server.variables
        url = server.url()
        with running_site(directory, store_url=url) as site:
            progress(f"publishing {scale.neighbours:,} workflows")
            with site.project.connection() as basecamp:
                specs = [spec(number) for number in range(scale.neighbours)]
                basecamp.post("/workflows/publish", {"specs": specs})
            site.wait_for_workflows(scale.neighbours)
            return _figures(site, scale, "s3://", limit_ms=10_000)


def _figures(site: Site, scale: Scale, store: str, limit_ms: int) -> list[Figure]:
    new, edited = Samples(), Samples()
    for number in range(-1, scale.samples):  # the first one opens what is opened once
        first = _runnable(spec(scale.neighbours + number + 1))
        again = first | {"description": "Another version"}
        for taken, content in ((new, first), (edited, again)):
            value = _appear_ms(site, content)
            if number >= 0:
                taken.values.append(value)
    around = f"{store}, {scale.neighbours:,} others"
    limit = at_most(limit_ms)
    return [
        Figure(f"register to able to run: p95, {around}", "ms", new, limit, None, "p95"),
        Figure(f"register to able to run: median, {around}", "ms", new),
        Figure(f"edit to able to run: p95, {around}", "ms", edited, limit, None, "p95"),
        Figure(f"edit to able to run: median, {around}", "ms", edited),
    ]


def _runnable(content: dict[str, Any]) -> dict[str, Any]:
    table = content["name"].replace("bench.corpus", "bench.appearance")
    sql = f"CREATE OR REPLACE TABLE {table} AS SELECT DATE '{{{{ ds }}}}' AS day"
    return content | {"name": table, "query_statement": sql}


def _appear_ms(site: Site, content: dict[str, Any]) -> float:
    name = content["name"]
    body = {
        "dataset_name": name,
        "cron": content["schedule"]["cron"],
        "timezone": content["schedule"]["timezone"],
        "spec": content,
        "force": True,
    }
    run_id = f"appearance-{time.time_ns()}"
    with site.connections() as (basecamp, airflow):
        began = time.perf_counter()
        basecamp.post("/workflows/register", body)
        wait_until(lambda: _has_begun(airflow, content, run_id), _PATIENCE_S, _LOOK_S)
        passed_ms = (time.perf_counter() - began) * 1000
        site.wait_for_end(airflow, name, run_id)
        state = airflow.get(f"/dags/{quote(name)}/dagRuns/{run_id}")["state"]
    if state != "success":
        raise RuntimeError(f"the run of {name} ended as {state}")
    return passed_ms


def _has_begun(airflow: Connection, content: dict[str, Any], run_id: str) -> bool:
    path = f"/dags/{quote(content['name'])}"
    dag = airflow.find(path)
    if dag is None or dag["is_stale"] or dag["description"] != content["description"]:
        return False
    body: dict[str, Any] = {"dag_run_id": run_id, "logical_date": None, "conf": {}}
    return bool(airflow.post(f"{path}/dagRuns", body))
