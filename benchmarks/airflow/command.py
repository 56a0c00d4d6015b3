"""What Basecamp adds to a run on Airflow, and how its commands compare there."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from benchmarks.airflow.site import Site, running_site
from benchmarks.figure import Figure, at_most, at_most_times
from benchmarks.measure import Command, Samples, Side, in_turn
from benchmarks.project import SLOW, wait_until
from benchmarks.server import stop_once
from benchmarks.yardstick import clean_env, tool

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from benchmarks.airflow.scale import Scale
    from benchmarks.project import Connection

__all__ = ["listing", "stop", "stop_default", "trigger"]

_DIRECT, _OURS = "bench.daily.tally_000", "bench.daily.tally_001"
_PATIENCE_S = 120
_LIST_ROUNDS = 3
_QUIET_S = 0.3
"""Longer than any moment in which a busy machine gives the task no CPU."""


def trigger(directory: Path, scale: Scale) -> list[Figure]:
    """From the request to the moment at which the run is queued in Airflow, which it notes itself;
    asked of Airflow's API and of Basecamp in turn. Each run is waited for before the next.
    """
    answers = Samples()

    def directly(_: Connection, airflow: Connection) -> str:
        run_id = f"direct-{time.time_ns()}"
        body: dict[str, Any] = {"dag_run_id": run_id, "logical_date": None, "conf": {}}
        airflow.post(f"/dags/{_DIRECT}/dagRuns", body)
        return run_id

    def by_basecamp(basecamp: Connection, _: Connection) -> str:
        began = time.perf_counter()
        run_id = basecamp.start_run(_OURS)
        answers.values.append((time.perf_counter() - began) * 1000)
        return run_id

    with running_site(directory, datasets=2) as site:
        site.publish()
        sides = [
            Side("airflow", lambda: _queued_ms(site, _DIRECT, directly)),
            Side("dli", lambda: _queued_ms(site, _OURS, by_basecamp)),
        ]
        theirs, ours = in_turn(sides, scale.samples)
    added = Samples([value - theirs.median for value in ours.values])
    return [
        Figure("what Basecamp adds to a trigger", "ms", added, at_most(50)),
        Figure("request to run queued in Airflow", "ms", ours, None, theirs),
        Figure("request to answer of Basecamp", "ms", answers),
    ]


def _queued_ms(site: Site, name: str, start: Callable[[Connection, Connection], str]) -> float:
    with site.connections() as (basecamp, airflow):
        began_at = datetime.now(UTC)
        run_id = start(basecamp, airflow)
        path = f"/dags/{quote(name)}/dagRuns/{quote(run_id)}"
        wait_until(lambda: airflow.find(path) is not None, _PATIENCE_S, 0.1)
        site.wait_for_end(airflow, name, run_id)
        queued_at = datetime.fromisoformat(airflow.get(path)["queued_at"])
        if name == _OURS:
            ended = f"/workflows/runs/{run_id}"
            wait_until(lambda: bool(basecamp.get(ended)["finished_at"]), _PATIENCE_S, 0.1)
    return (queued_at - began_at).total_seconds() * 1000


def listing(directory: Path, scale: Scale) -> list[Figure]:
    """Whole commands, both on a running server; `airflowctl` logs in once, beforehand.

    It always prints all. Ours prints 100 unless told; the target is held to all of them.
    """
    with running_site(directory, scale.workflows) as site:
        site.wait_for_workflows(scale.workflows)
        dli = site.project.dli
        sides = [
            Side("airflowctl dags list", _airflowctl(directory, site)),
            Side("dli workflow list", dli("workflow", "list")),
            Side("dli workflow list -n", dli("workflow", "list", "-n", str(scale.workflows))),
        ]
        theirs, first, whole = in_turn(sides, _LIST_ROUNDS, warm_ups=0)
    name = f"`dli workflow list{{}}` of {scale.workflows:,} against `airflowctl dags list`"
    return [
        Figure(name.format(f" -n {scale.workflows}"), "ms", whole, at_most_times(0.3), theirs),
        Figure(name.format(""), "ms", first, None, theirs),
    ]


def _airflowctl(directory: Path, site: Site) -> Command:
    program = tool("airflowctl", "airflowctl")
    env = clean_env(directory) | {"AIRFLOW_CLI_TOKEN": site.token}
    login = ["auth", "login", "--api-url", site.home.url, "--api-token", site.token]
    Command([program, *login, "--skip-keyring"], directory, env).run()
    return Command([program, "dags", "list"], directory, env)


def stop(directory: Path, scale: Scale) -> list[Figure]:
    """From starting `dli workflow stop` on a run with endless SQL; taken as `stop` of `make bench`
    is, of the process of the task, which is stopped at every phase of its heartbeat alike.
    """
    with running_site(directory) as site:
        return _stops(site, scale.samples, heartbeat_s=1, limit_ms=2_000)


def stop_default(directory: Path, scale: Scale) -> list[Figure]:
    """As `stop`, on an Airflow with its default heartbeat of tasks, 5 s: it sets the floor."""

    def adjust(configuration: Path) -> None:
        text = configuration.read_text(encoding="utf-8")
        ours, default = (f"min_heartbeat_interval = {seconds}" for seconds in (1, 5))
        if ours not in text:
            raise RuntimeError(f"{configuration} does not set the heartbeat")
        configuration.write_text(text.replace(ours, default), encoding="utf-8")

    with running_site(directory, adjust=adjust) as site:
        return _stops(site, scale.samples // 2 + 1, heartbeat_s=5, limit_ms=None)


def _stops(site: Site, count: int, heartbeat_s: int, limit_ms: float | None) -> list[Figure]:
    site.publish()
    gone, shown, ended = Samples(), Samples(), Samples()
    for number in range(count):
        with site.connections() as (basecamp, airflow):
            run_id = basecamp.start_run(SLOW)
            pid = _task_pid(airflow, run_id)
            time.sleep(number / count * heartbeat_s)
            times = stop_once(site.project, basecamp, run_id, pid, quiet_s=_QUIET_S)
            for samples, value in zip((gone, shown, ended), times, strict=True):
                samples.values.append(value)
            site.wait_for_end(airflow, SLOW, run_id)
    target = None if limit_ms is None else at_most(limit_ms)
    what = f"stop, heartbeat of tasks every {heartbeat_s} s:"
    return [
        Figure(f"{what} SQL gone, p95", "ms", gone, target, None, "p95"),
        Figure(f"{what} SQL gone, median", "ms", gone),
        Figure(f"{what} state shown", "ms", shown),
        Figure(f"{what} the command has ended", "ms", ended),
    ]


def _task_pid(airflow: Connection, run_id: str) -> int:
    path = f"/dags/{SLOW}/dagRuns/{quote(run_id)}/taskInstances/run"
    found: list[int] = []

    def is_running() -> bool:
        task = airflow.find(path)
        if task is None or task["state"] != "running" or not task["pid"]:
            return False
        found.append(int(task["pid"]))
        return True

    wait_until(is_running, _PATIENCE_S, 0.1)
    return found[-1]
