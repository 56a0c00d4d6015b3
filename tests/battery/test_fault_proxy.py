"""Networks that lose, spoil and delay what is said, between each two who talk to each other."""

import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

import fault_proxy
from basecamp.engines.airflow.circuit import Circuit
from basecamp.specstore.s3 import S3SpecStore
from basecamp.store import schema
from basecamp.store.database import Database
from bucket_server import BucketServer
from camp import Camp, HandClock
from campaign import Campaign
from dli.core.client import BasecampClient, ServerConfig
from fault_proxy import Exchange
from kept import Kept
from process import Server
from stub_airflow import StubAirflow

CALLERS = 16
DATASETS = [f"local.net.t{number:02}" for number in range(20)]
SLOW_DOWN = b"<?xml version='1.0'?><Error><Code>SlowDown</Code><Message>later</Message></Error>"


def spec(name: str) -> dict[str, Any]:
    return {
        "name": name,
        "owner": "ana@example.com",
        "team": "reliability",
        "type": "Dataset",
        "query_type": "DML",
        "query_statement": "SELECT 1",
        "schedule": {"cron": "0 0 1 1 *", "timezone": "UTC"},
    }


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    project = tmp_path / "project"
    project.mkdir()
    (project / "dli.yaml").write_text("project: {name: net}\n")
    started = Server(project)
    started.wait_until_ready()
    yield started
    if started.process.poll() is None:
        started.process.kill()
        started.process.wait()


class Spoiler:
    """Spoils the first two exchanges of some keys, so that the third try of each call passes."""

    def __init__(self, campaign: Campaign) -> None:
        self._campaign = campaign
        self._lock = threading.Lock()
        self._tries = Counter[str]()

    def before(self, exchange: Exchange) -> None:
        """Some requests never reach the server."""
        with self._lock:
            key = exchange.sent.get("Idempotency-Key", "")
            self._tries[key] += 1
            self._campaign.count("exchanges")
            if self._tries[key] <= 2 and self._campaign.random.random() < 0.15:
                self._campaign.count("not handed on")
                exchange.status, exchange.body = 503, b"<html>no upstream</html>"

    def after(self, exchange: Exchange) -> None:
        """Some answers are lost though the server has done what was asked."""
        with self._lock:
            key = exchange.sent.get("Idempotency-Key", "")
            if self._tries[key] > 2 or self._campaign.random.random() > 0.25:
                return
            self._campaign.count("answers lost")
            if self._campaign.random.random() < 0.5:
                exchange.is_cut = True
            else:
                exchange.status, exchange.body, exchange.headers = 502, b"Bad Gateway", {}


def test_t5_of_triggers_over_a_network_that_loses_none_is_lost_or_doubled(
    campaign: Campaign, server: Server
) -> None:
    assert server.client(120).workflow_publish([spec(name) for name in DATASETS]).success
    token = (server.state / "token").read_text().strip()
    each = -(-campaign.size(ci=1_000, long=20_000) // CALLERS)
    with fault_proxy.running(f"http://127.0.0.1:{server.port}") as proxy:
        spoiler = Spoiler(campaign)
        proxy.before, proxy.after = spoiler.before, spoiler.after

        def call(number: int) -> list[str]:
            client = BasecampClient(ServerConfig(proxy.endpoint, 60, token))
            answers = [
                client.workflow_run(DATASETS[(number + n) % len(DATASETS)]) for n in range(each)
            ]
            client.close()
            assert [answer for answer in answers if not answer.success] == []
            return [answer.data["run_id"] for answer in answers if isinstance(answer.data, dict)]

        with ThreadPoolExecutor(CALLERS) as pool:
            found = [run_id for ids in pool.map(call, range(CALLERS)) for run_id in ids]
    campaign.count("triggers", len(found))
    assert len(set(found)) == len(found) == CALLERS * each
    stored = Kept(server.state / "basecamp.db").rows("SELECT run_id FROM run")
    assert {run_id for (run_id,) in stored} == set(found)
    assert server.stop() == 0
    assert "Traceback" not in (server.project / "server.log").read_text()


@pytest.fixture
def airflow() -> Iterator[StubAirflow]:
    stub = StubAirflow()
    yield stub
    stub.close()


def test_t5_of_runs_sent_to_an_airflow_that_stumbles_each_arrives_once(
    campaign: Campaign, airflow: StubAirflow, tmp_path: Path
) -> None:
    database = Database.at(tmp_path / "basecamp.db")
    schema.prepare(database.engine)
    clock = HandClock()
    with fault_proxy.running(airflow.url) as proxy:
        camp = Camp(database, proxy.endpoint, Circuit(clock), tmp_path)
        for name in DATASETS:
            airflow.add_dag(name)
            camp.put(spec(name))
        proxy.before, proxy.after = stumble(campaign), lose(campaign)
        asked = [camp.start(name) for name in DATASETS for _ in range(each_of(campaign))]
        campaign.count("runs", len(asked))
        for _ in range(200 * each_of(campaign)):
            clock.advance(timedelta(seconds=60))
            camp.step()
            for (name, run_id), run in list(airflow.runs.items()):
                if run["state"] == "queued":
                    airflow.end(name, run_id)
                    airflow.results[name, run_id] = {"rows_affected": 1}
            if all(camp.status(run_id) == "COMPLETED" for run_id in asked):
                break
        camp.engine.stop()
    assert sorted(run_id for _, run_id in airflow.runs) == sorted(asked)
    with database.read() as tx:
        statuses = Counter(row.status for row in tx.exec_driver_sql("SELECT status FROM run"))
    assert statuses == {"COMPLETED": len(asked)}
    database.close()


def each_of(campaign: Campaign) -> int:
    return campaign.size(ci=5, long=100)


def stumble(campaign: Campaign) -> fault_proxy.Fault:
    def before(exchange: Exchange) -> None:
        campaign.count("exchanges")
        if campaign.random.random() < 0.15:
            campaign.count("not handed on")
            exchange.status = campaign.random.choice([500, 502, 503])
            exchange.body = SLOW_DOWN

    return before


def lose(campaign: Campaign) -> fault_proxy.Fault:
    def after(exchange: Exchange) -> None:
        if campaign.random.random() < 0.15:
            campaign.count("answers lost")
            exchange.is_cut = True

    return after


def test_t5_of_specs_kept_in_a_bucket_that_stumbles_none_is_lost(
    campaign: Campaign, s3_server: BucketServer, s3_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with fault_proxy.running(s3_server.endpoint) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.endpoint)
        store = S3SpecStore(s3_url)
        store.switch_code(store.stage_code({"a.one": content("a.one")}))
        expected: set[str] = set()
        faults = stumble(campaign)
        proxy.before = faults
        for number in range(campaign.size(ci=60, long=2_000)):
            name = f"m.t{campaign.random.randrange(20):02}"
            if campaign.random.random() < 0.7:
                store.put_manual(name, content(name))
                expected.add(name)
            else:
                store.remove_manual(name)
                expected.discard(name)
            campaign.count("changes")
            if number % 10 == 0:
                found = {key.name for key in store.scan() if key.source_type == "manual"}
                assert found == expected
                campaign.count("lists")


def content(name: str) -> dict[str, Any]:
    return {"name": name, "owner": "ana", "team": "t"}
