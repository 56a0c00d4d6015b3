"""One request can be followed through every log: command line, server, worker and the run's own."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from answer import record
from process import Server, wait_for

NAME = "shop.sales.daily"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    (tmp_path / "dli.yaml").write_text("project: {name: told}\n")
    started = Server(tmp_path)
    started.wait_until_ready()
    yield started
    assert started.stop() == 0


def spec() -> dict[str, Any]:
    own = {"name": NAME, "owner": "ana", "team": "t", "query_statement": "SELECT 1"}
    return {**own, "schedule": {"cron": "0 0 1 1 *"}, "execution": {"dialect": "duckdb"}}


def told(server: Server) -> list[dict[str, Any]]:
    lines = (server.project / "server.log").read_text().splitlines()
    return [json.loads(line) for line in lines if line.startswith("{")]


def test_a_request_is_one_id_in_every_log(server: Server) -> None:
    client = server.client()
    assert client.workflow_publish([spec()]).success
    url, token = f"http://127.0.0.1:{server.port}", (server.state / "token").read_text().strip()
    done = subprocess.run(
        [sys.executable, "-m", "dli", "workflow", "run", NAME, "--format", "json"],
        env={"DLI_SERVER_URL": url, "DLI_API_TOKEN": token, "DLI_LOG_LEVEL": "DEBUG"},
        cwd=server.project,
        capture_output=True,
        text=True,
        check=True,
    )
    run_id = json.loads(done.stdout)["run_id"]
    _, _, shown = done.stderr.partition("POST /api/v1/workflows/")
    request_id = shown.split("request ")[1].split()[0]
    assert record(client.workflow_status(run_id, wait=30))["status"] == "COMPLETED"
    ended = wait_for(
        lambda: [
            line
            for line in told(server)
            if line.get("run_id") == run_id and line["event"] == "run.attempt_ended"
        ]
    )
    assert ended[0]["outcome"] == "COMPLETED"
    events = [line["event"] for line in told(server) if line.get("request_id") == request_id]
    assert set(events) == {
        "run.queued",  # the server
        "request.answered",
        "run.attempt_started",  # its engine
        "run.statement",  # the worker process
        "run.attempt_ended",
    }
    of_run = {line["event"] for line in told(server) if line.get("run_id") == run_id}
    assert of_run == set(events) - {"request.answered"}
    log = record(client.workflow_logs(run_id))["lines"]
    assert f"Request {request_id}." in log[0]["message"]
