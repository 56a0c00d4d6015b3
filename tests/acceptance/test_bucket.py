"""A server whose specs lie in a bucket keeps to them, and to what it had while they are away."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from answer import record
from bucket_server import BucketServer
from process import Server, wait_for

pytestmark = pytest.mark.serial


def spec(name: str) -> dict[str, Any]:
    return {
        "name": name,
        "owner": "ana@example.com",
        "team": "reliability",
        "execution": {"dialect": "duckdb"},
        "query_statement": f"CREATE OR REPLACE TABLE {name} AS SELECT 1 AS n",
    }


@pytest.fixture
def server(tmp_path: Path, s3_server: BucketServer, s3_url: str) -> Iterator[Server]:
    project = tmp_path / "project"
    project.mkdir()
    (project / "dli.yaml").write_text("project: {name: bucket}\n")
    started = Server(project, {**s3_server.variables, "BASECAMP_SPEC_STORE_URL": s3_url})
    yield started
    if started.process.poll() is None:
        started.process.kill()
        started.process.wait()


def sources(server: Server) -> dict[str, str]:
    answer = server.client().workflow_list()
    assert isinstance(answer.data, list), answer
    return {found["dataset_name"]: found["source_type"] for found in answer.data}


def test_specs_of_a_bucket_are_published_registered_run_and_found_again(
    server: Server, s3_server: BucketServer, s3_url: str
) -> None:
    server.wait_until_ready()
    client = server.client()
    assert client.workflow_register("local.b.one", "0 0 1 1 *", spec=spec("local.b.one")).success
    assert client.workflow_publish([spec("local.b.two")]).success
    run_id = record(client.workflow_run("local.b.two", {}))["run_id"]
    wait_for(lambda: record(client.workflow_status(run_id, wait=10))["status"] == "COMPLETED")
    hand = s3_server.client(s3_url.rpartition("/")[2])
    assert b"local.b.one" in bytes(hand.get("manual/local.b.one.yaml").bytes())
    assert server.stop() == 0
    shutil.rmtree(server.state)  # a new machine: nothing is left but the bucket
    server.start()
    server.wait_until_ready()
    assert sources(server) == {"local.b.one": "manual", "local.b.two": "code"}
