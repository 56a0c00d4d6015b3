"""Runs are started while Basecamp is killed: each arrives in a real Airflow, once."""

import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from answer import record
from caller import Callers, Taken
from campaign import Campaign
from engine_server import AirflowServer, await_ready, on_airflow
from process import wait_for

DAY = "2026-01-01"
PAGE = 1_000
HOUR_S = 3_600.0


def spec(name: str) -> dict[str, Any]:
    query = "CREATE TABLE IF NOT EXISTS shop.sales.nothing (day DATE)"
    plain = {"name": name, "owner": "ana@example.com", "team": "sales"}
    return {**plain, "query_statement": query, "schedule": {"cron": "0 0 1 1 *"}}


@pytest.fixture
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AirflowServer]:
    """Its Airflow takes runs and begins none: so many tasks would take this machine a day."""
    project = tmp_path_factory.mktemp("many") / "project"
    project.mkdir()
    (project / "dli.yaml").write_text("{}\n")
    with on_airflow(project) as started:
        await_ready(started)
        (scheduler,) = [part for part in started.airflow.home.parts() if part.name == "scheduler"]
        assert scheduler.pid is not None
        os.killpg(scheduler.pid, signal.SIGKILL)
        yield started
        started.process.kill()
        started.process.wait()


def in_airflow(server: AirflowServer) -> list[tuple[str, str]]:
    """Every run there, as dataset and id."""
    found: list[tuple[str, str]] = []
    while True:
        query = f"order_by=id&limit={PAGE}&offset={len(found)}"
        status, page = server.airflow.ask("GET", f"/dags/~/dagRuns?{query}")
        if status != 200:
            raise OSError(page)
        found += [(run["dag_id"], run["dag_run_id"]) for run in page["dag_runs"]]
        if len(page["dag_runs"]) < PAGE:
            return found


def count_in_airflow(server: AirflowServer) -> int:
    status, page = server.airflow.ask("GET", "/dags/~/dagRuns?limit=1")
    return int(page["total_entries"]) if status == 200 else 0


def start_each(campaign: Campaign, server: AirflowServer, names: list[str]) -> list[Taken]:
    """Four callers share the names; the server is killed now and then while they ask."""
    callers = Callers(server, [])
    kill_at = {campaign.random.randrange(len(names)) for _ in range(len(names) // 50)}
    taken: list[Taken] = []
    killing = threading.Lock()

    def start(name: str) -> None:
        taken.append(callers.ask(name, DAY))
        with killing:
            if len(taken) in kill_at:
                kill_at.discard(len(taken))
                server.kill_server()
                campaign.count("kills of the server")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(start, names))
    campaign.count("tries", callers.tries)
    return taken


@pytest.mark.release
@pytest.mark.alone
def test_g1_of_runs_started_on_a_real_airflow_amid_kills_none_is_lost_or_doubled(
    campaign: Campaign, server: AirflowServer
) -> None:
    names = [f"shop.sales.n{number:05}" for number in range(campaign.size(ci=400, long=2_000))]
    client = server.client(timeout_s=600)
    record(client.workflow_publish([spec(name) for name in names], version="many"))
    taken = start_each(campaign, server, names)
    campaign.figure("runs taken", len(taken), at_least=len(names))
    again = Callers(server, [])
    repeated = [again.ask(name, DAY) for name in campaign.random.sample(names, 100)]
    assert {one.run_id for one in repeated} <= {one.run_id for one in taken}
    campaign.count("asked again with their keys", len(repeated))

    wait_for(lambda: count_in_airflow(server) >= len(names), HOUR_S)
    found = in_airflow(server)
    wanted = {(one.key.removesuffix(f"-{DAY}"), one.run_id) for one in taken}
    campaign.figure("lost", len(wanted - set(found)), limit=0)
    campaign.figure("doubled", len(found) - len(wanted & set(found)), limit=0)
