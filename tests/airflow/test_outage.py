"""Basecamp and a real Airflow, one of them away: nothing accepted is lost, nothing done twice."""

import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest

from answer import items, record
from dli.core.client import BasecampClient
from engine_server import PATIENCE_S, AirflowServer, await_ready, on_airflow
from process import wait_for

pytestmark = pytest.mark.serial

TRIGGERS = 200
KILLED_AT = (30, 90, 150)


def spec(name: str, **more: Any) -> dict[str, Any]:
    query = "CREATE TABLE IF NOT EXISTS shop.sales.nothing (day DATE)"
    plain = {"owner": "ana@example.com", "team": "sales", "query_statement": query}
    return {"name": name, **plain, **more}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AirflowServer]:
    project = tmp_path_factory.mktemp("outage") / "project"
    project.mkdir()
    (project / "dli.yaml").write_text("{}\n")
    with on_airflow(project) as started:
        await_ready(started)
        yield started
        assert started.stop() == 0


@pytest.fixture
def client(server: AirflowServer) -> BasecampClient:
    return server.client(timeout_s=60)


def runs_in_airflow(server: AirflowServer, query: str) -> list[dict[str, Any]]:
    """Its runs; a metadata store in SQLite may be busy, then one asks again."""
    status, found = server.airflow.ask("GET", f"/dags/~/dagRuns?limit=1000&{query}")
    if status != 200:
        raise OSError(found)
    return list(found["dag_runs"])


def in_airflow(server: AirflowServer, run_type: str) -> list[tuple[str, str]]:
    """Every run of this kind, as dataset and id."""
    found = runs_in_airflow(server, f"run_type={run_type}")
    return [(run["dag_id"], run["dag_run_id"]) for run in found]


def history(client: BasecampClient) -> list[dict[str, Any]]:
    return [
        run
        for offset in (0, 100, 200, 300)
        for run in items(client.workflow_history(limit=100, offset=offset))
    ]


@pytest.fixture
def still(server: AirflowServer) -> Iterator[None]:
    """No run begins, so that two hundred of them do not keep the machine busy."""
    (scheduler,) = [part for part in server.airflow.home.parts() if part.name == "scheduler"]
    assert scheduler.pid is not None
    os.killpg(scheduler.pid, signal.SIGKILL)
    yield
    server.airflow.home.start()
    server.airflow.home.wait_healthy()
    await_ready(server)


@pytest.mark.usefixtures("still")
def test_no_trigger_is_lost_or_doubled_when_basecamp_is_killed(
    server: AirflowServer, client: BasecampClient
) -> None:
    names = [f"shop.sales.n{number:03}" for number in range(TRIGGERS)]
    record(client.workflow_publish([spec(name) for name in names], version="many"))
    accepted: dict[str, str] = {}
    left = list(KILLED_AT)
    killing = threading.Lock()

    def trigger(share: list[str]) -> None:
        own = server.client(timeout_s=60)
        for name in share:
            accepted[name] = wait_for(partial(_accepted, own, name), PATIENCE_S)["run_id"]
            with killing:
                if left and len(accepted) >= left[0]:
                    left.pop(0)
                    server.kill_server()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(trigger, [names[number::4] for number in range(4)]))
    assert left == []

    def first_of_each() -> set[tuple[str, str]]:
        """A request whose answer got lost may have been made twice: the second run waits."""
        newest_first = [run for run in history(client) if run["dataset_name"] in names]
        return set({run["dataset_name"]: run["run_id"] for run in newest_first}.items())

    def sent() -> list[tuple[str, str]]:
        return [run for run in in_airflow(server, "manual") if run[0] in names]

    wait_for(lambda: first_of_each() <= set(sent()), PATIENCE_S)
    theirs = wait_for(sent)
    assert len(theirs) == TRIGGERS
    assert set(theirs) == first_of_each()
    known = {run["run_id"] for run in history(client)}
    assert set(accepted.values()) <= known
    record(client.workflow_publish([], version="none"))

    def are_stopped() -> bool:
        runs = runs_in_airflow(server, "run_type=manual")
        return {run["state"] for run in runs if run["dag_id"] in names} == {"failed"}

    wait_for(are_stopped, 2 * PATIENCE_S)


def _accepted(client: BasecampClient, name: str) -> dict[str, Any] | None:
    answer = client.workflow_run(name)
    return record(answer) if answer.success else None


def test_a_schedule_fires_while_basecamp_is_away_and_is_taken_over(server: AirflowServer) -> None:
    name = "shop.sales.minutely"
    record(server.client(timeout_s=60).workflow_register(name, "* * * * *", spec=spec(name)))
    assert server.stop() == 0
    (before,) = wait_for(lambda: (in_airflow(server, "scheduled"),))
    new = wait_for(
        lambda: [run for run in in_airflow(server, "scheduled") if run not in before], PATIENCE_S
    )
    for dag_id, run_id in new:
        server.airflow.wait_for_state(dag_id, run_id, "success", "failed")
    server.start()
    client = server.client(timeout_s=60)

    def taken_over() -> list[dict[str, Any]]:
        answer = client.workflow_history(dataset_filter=name, limit=100)
        runs = items(answer) if answer.success else []
        known = [run for run in runs if (name, run["run_id"]) in new]
        return known if {run["status"] for run in known} == {"COMPLETED"} else []

    found = wait_for(taken_over, PATIENCE_S)
    assert len(found) == len(new)
    assert {run["run_type"] for run in found} == {"scheduled"}
    record(client.workflow_unregister(name))


def test_a_run_is_accepted_while_airflow_is_away_and_done_when_it_is_back(
    server: AirflowServer, client: BasecampClient
) -> None:
    name = "shop.sales.later"
    record(client.workflow_register(name, "0 0 * * *", spec=spec(name)))
    server.airflow.home.stop()
    run_id = record(client.workflow_run(name))["run_id"]
    found = wait_for(lambda: _held(client, run_id), PATIENCE_S)
    assert found["error_message"].startswith("engine_unreachable")
    assert not client.health_check().success
    server.airflow.home.start()
    server.airflow.home.wait_healthy()
    wait_for(lambda: record(client.workflow_status(run_id))["status"] == "COMPLETED", PATIENCE_S)
    await_ready(server)


def _held(client: BasecampClient, run_id: str) -> dict[str, Any] | None:
    found = record(client.workflow_status(run_id))
    return found if found["error_message"] else None


def test_what_is_not_registered_with_airflow_yet_is_no_reason_to_fail(
    server: AirflowServer, client: BasecampClient
) -> None:
    name = "shop.sales.fresh"
    record(client.workflow_register(name, "0 0 * * *", spec=spec(name)))
    run_id = record(client.workflow_run(name))["run_id"]
    wait_for(lambda: record(client.workflow_status(run_id))["status"] == "COMPLETED", PATIENCE_S)
    record(client.workflow_unregister(name))
    assert record(client.workflow_status(run_id))["status"] == "COMPLETED"
