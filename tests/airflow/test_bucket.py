"""Specs in a bucket that comes and goes, on a real Airflow: the last good set stays in force."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import fault_proxy
from answer import record, refusal
from bucket_server import BucketServer
from engine_server import PATIENCE_S, AirflowServer, await_ready
from fault_proxy import Exchange, FaultProxy
from managed_airflow import running_airflow
from process import wait_for

pytestmark = pytest.mark.serial
NAME = "shop.sales.daily"
_REQUESTS = 10


def spec(text: str) -> dict[str, Any]:
    query = "CREATE TABLE IF NOT EXISTS shop.sales.daily (day DATE)"
    own = {"name": NAME, "owner": "ana@example.com", "team": "sales", "description": text}
    return {**own, "query_statement": query}


def away(exchange: Exchange) -> None:
    exchange.status, exchange.body = 503, b"<Error><Code>ServiceUnavailable</Code></Error>"


def cut_lists(exchange: Exchange) -> None:
    exchange.is_cut = "list-type=2" in exchange.path


@dataclass
class World:
    server: AirflowServer
    proxy: FaultProxy

    @property
    def dag(self) -> dict[str, Any]:
        found: dict[str, Any] = self.server.airflow.get(f"/dags/{NAME}")
        return found

    def register(self, text: str) -> Any:
        client = self.server.client(timeout_s=120)
        return client.workflow_register(NAME, "0 0 1 1 *", spec=spec(text), force=True)

    def look(self) -> None:
        """The bucket has been asked often enough that a whole look of Airflow is among it."""
        seen = len(self.proxy.seen)
        wait_for(lambda: len(self.proxy.seen) > seen + _REQUESTS, PATIENCE_S)

    def run(self) -> dict[str, Any]:
        client = self.server.client(timeout_s=60)
        run_id = record(client.workflow_run(NAME))["run_id"]

        def ended() -> dict[str, Any] | None:
            found = record(client.workflow_status(run_id))
            return found if found["finished_at"] else None

        return wait_for(ended, PATIENCE_S)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, s3_server: BucketServer) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("bucket")
    project: Path = folder / "project"
    project.mkdir()
    (project / "dli.yaml").write_text("{}\n")
    url = s3_server.url()
    with fault_proxy.running(s3_server.endpoint) as proxy, pytest.MonkeyPatch.context() as patch:
        variables = s3_server.variables | {"AWS_ENDPOINT_URL": proxy.endpoint}
        for name, value in variables.items():
            patch.setenv(name, value)
        with running_airflow(folder / "airflow", project, url) as airflow:
            server = AirflowServer(
                project, airflow, BASECAMP_SPEC_STORE_URL=url, BASECAMP_RECONCILE_SECONDS="5"
            )
            await_ready(server)
            yield World(server, proxy)
            assert server.stop() == 0


def test_the_last_good_set_stays_in_force_until_the_bucket_is_back(world: World) -> None:
    record(world.register("the first"))
    wait_for(lambda: world.dag["description"] == "the first", PATIENCE_S)
    assert world.run()["status"] == "COMPLETED"
    world.proxy.before = away
    world.look()
    assert world.run()["status"] == "COMPLETED"
    assert "its file follows" in record(world.register("the second"))["warning"]
    published = world.server.client(timeout_s=120).workflow_publish([spec("in code")])
    assert refusal(published) == (503, "DLI-504")
    assert (world.dag["description"], world.dag["is_stale"]) == ("the first", False)
    world.proxy.before = lambda _: None
    wait_for(lambda: world.dag["description"] == "the second", PATIENCE_S)
    assert world.run()["status"] == "COMPLETED"


def test_half_a_list_takes_no_workflow_away(world: World) -> None:
    record(world.register("whole"))
    wait_for(lambda: world.dag["description"] == "whole", PATIENCE_S)
    world.proxy.after = cut_lists
    world.look()
    assert (world.dag["description"], world.dag["is_stale"]) == ("whole", False)
    assert world.run()["status"] == "COMPLETED"
    world.proxy.after = lambda _: None
