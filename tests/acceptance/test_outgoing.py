"""A real server connects to nothing that clouds keep for a machine, whichever part of it asks."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from answer import record
from process import Server, wait_for

METADATA = "http://169.254.169.254:1"
AIRFLOW = {
    "BASECAMP_ENGINE": "airflow",
    "BASECAMP_AIRFLOW_URL": METADATA,
    "BASECAMP_AIRFLOW_TOKEN": "t",
}
LINEAGE = f"lineage: {{url: '{METADATA}'}}\n"
SPEC = {"name": "a.b", "owner": "ana", "team": "t", "query_statement": "SELECT 1"}


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[list[Server]]:
    started: list[Server] = []
    yield started
    for server in started:
        server.stop()


def started(servers: list[Server], project: Path, settings: str, **env: str) -> Server:
    (project / "dli.yaml").write_text(settings)
    server = Server(project, env)
    servers.append(server)
    return server


def is_refused(server: Server, logger: str) -> bool:
    lines = (server.project / "server.log").read_text().splitlines()
    return any("outgoing.refused" in line and logger in line for line in lines)


def test_f43_an_airflow_at_such_an_address_is_not_asked(
    servers: list[Server], tmp_path: Path
) -> None:
    server = started(servers, tmp_path, "{}\n", **AIRFLOW)
    wait_for(lambda: is_refused(server, "169.254.169.254"))


def test_f43_events_of_lineage_are_not_sent_there(servers: list[Server], tmp_path: Path) -> None:
    server = started(servers, tmp_path, LINEAGE)
    server.wait_until_ready()
    spec = {**SPEC, "execution": {"dialect": "duckdb"}}
    schedule = {"cron": "0 0 1 1 *"}
    assert server.client().workflow_publish([{**spec, "schedule": schedule}]).success
    run_id = record(server.client().workflow_run("a.b", {}))["run_id"]
    wait_for(lambda: "Events of lineage are not sent" in server_log(server))
    found = record(server.client().workflow_status(run_id, wait=30))
    assert found["status"] == "COMPLETED"
    assert "not allowed" in server_log(server)


def server_log(server: Server) -> str:
    return (server.project / "server.log").read_text()


def test_f43_a_bucket_at_such_an_address_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "dli.yaml").write_text("{}\n")
    env = {
        "BASECAMP_SPEC_STORE_URL": "s3://specs/x",
        "AWS_ENDPOINT_URL": METADATA,
        "AWS_ACCESS_KEY_ID": "a",
        "AWS_SECRET_ACCESS_KEY": "b",
        "AWS_REGION": "us-east-1",
        "PATH": "/usr/bin:/bin",
    }
    command = [sys.executable, "-m", "basecamp", "serve", "--project", str(tmp_path)]
    ended = subprocess.run(
        command, env=env, capture_output=True, text=True, check=False, timeout=60
    )
    assert ended.returncode != 0
    assert "AWS_ENDPOINT_URL leads to an address that only DLI_OUTGOING_ALLOWED" in ended.stderr
