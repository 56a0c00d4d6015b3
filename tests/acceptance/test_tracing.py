"""One trace from the command line to each statement of a run, told to a real OTLP receiver."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import otlp_receiver
from answer import record
from process import Server, wait_for

NAME = "shop.sales.daily"
CALLER = f"00-{'c' * 32}-{'d' * 16}-01"
LIBRARY = "google/_upb/"  # what a process has mapped that makes spans
SECRET = "hunter2-in-the-sql"


@pytest.fixture
def spans_file(tmp_path: Path) -> Path:
    return tmp_path / "spans.jsonl"


@pytest.fixture
def variables(spans_file: Path) -> Iterator[dict[str, str]]:
    command = [sys.executable, otlp_receiver.__file__, str(spans_file)]
    receiver = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert receiver.stdout is not None
    port = int(receiver.stdout.readline())
    yield {
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{port}",
        "OTEL_BSP_SCHEDULE_DELAY": "100",
    }
    receiver.kill()
    receiver.wait()
    receiver.stdout.close()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    root.mkdir()
    (root / "dli.yaml").write_text("project: {name: told}\n")
    return root


def spec() -> dict[str, Any]:
    own = {"name": NAME, "owner": "ana", "team": "t", "query_statement": f"SELECT '{SECRET}'"}
    before = [{"name": "first", "sql": "SELECT 1"}]
    return {
        **own,
        "pre_statements": before,
        "schedule": {"cron": "0 0 1 1 *"},
        "execution": {"dialect": "duckdb"},
    }


def run_by_command(server: Server, variables: dict[str, str]) -> str:
    url, token = f"http://127.0.0.1:{server.port}", (server.state / "token").read_text().strip()
    done = subprocess.run(
        [sys.executable, "-m", "dli", "workflow", "run", NAME, "--format", "json"],
        env={"DLI_SERVER_URL": url, "DLI_API_TOKEN": token, **variables},
        cwd=server.project,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    run_id = str(json.loads(done.stdout)["run_id"])
    ended = record(server.client().workflow_status(run_id, wait=30))
    assert ended["status"] == "COMPLETED"
    return run_id


def told(spans_file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in spans_file.read_text().splitlines()]


def test_a_trace_goes_from_the_command_to_the_statements(
    project: Path, variables: dict[str, str], spans_file: Path
) -> None:
    server = Server(project, variables)
    server.wait_until_ready()
    assert server.client().workflow_publish([spec()]).success
    run_by_command(server, {**variables, "TRACEPARENT": CALLER})

    def found() -> list[dict[str, Any]] | None:
        mine = [span for span in told(spans_file) if span["trace"] == "c" * 32]
        return mine if len(mine) >= 6 else None

    spans = wait_for(found)
    ways = {span["id"]: (span["service"], span["name"]) for span in spans}
    route = "POST /api/v1/workflows/{dataset_name}/run"
    above = sorted((ways[s["id"]], ways.get(s["parent"], s["parent"])) for s in spans)
    command, request = ("dli", "dli workflow"), ("basecamp", route)
    run, statement = ("basecamp-worker", "run"), ("basecamp-worker", "statement")
    assert above == [
        (request, ("dli", "POST")),
        (run, request),
        (statement, run),
        (statement, run),
        (("dli", "POST"), command),
        (command, "d" * 16),
    ]
    assert not any(span["failed"] for span in spans)
    assert LIBRARY in Path(f"/proc/{server.process.pid}/maps").read_text()
    assert server.stop() == 0
    assert SECRET not in spans_file.read_text()
    assert not any(span["name"].endswith(("/readyz", "/livez")) for span in told(spans_file))


def test_what_fails_is_marked_with_its_code_alone(
    project: Path, variables: dict[str, str], spans_file: Path
) -> None:
    server = Server(project, variables)
    server.wait_until_ready()
    client = server.client()
    bad = {**spec(), "pre_statements": [], "query_statement": f"SELECT '{SECRET}' FROM nowhere"}
    assert client.workflow_publish([bad]).success
    run_id = record(client.workflow_run(NAME, {}))["run_id"]
    assert record(client.workflow_status(run_id, wait=30))["status"] == "FAILED"
    failed = wait_for(lambda: [s for s in told(spans_file) if s["failed"] and s["name"] == "run"])
    assert "DLI-40" in failed[0]["text"]
    assert run_id in failed[0]["text"]
    assert server.stop() == 0
    assert SECRET not in spans_file.read_text()


def test_without_a_target_nothing_is_loaded_and_the_place_is_passed_on(project: Path) -> None:
    server = Server(project)
    server.wait_until_ready()
    assert server.client().workflow_publish([spec()]).success
    run_by_command(server, {"TRACEPARENT": CALLER})
    maps = Path(f"/proc/{server.process.pid}/maps").read_text()
    assert LIBRARY not in maps
    assert server.stop() == 0
    probe = f"""
import sys
from pathlib import Path
from basecamp.store import origin, run
from basecamp.store.database import Database
with Database.at(Path({str(server.state / "basecamp.db")!r})).read() as tx:
    (row,), _ = run.history(tx, run.RunFilter(), 5, 0)
    print(origin.find(tx, row.run_id).traceparent)
"""
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == CALLER


def test_a_target_that_is_away_harms_nothing(project: Path) -> None:
    server = Server(project, {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"})
    server.wait_until_ready()
    assert server.client().workflow_publish([spec()]).success
    run_by_command(server, {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"})
    assert server.stop() == 0


@pytest.mark.parametrize(
    "off",
    [
        {"OTEL_SDK_DISABLED": "true"},
        {"OTEL_TRACES_EXPORTER": "none"},
    ],
)
def test_it_can_be_switched_off(
    project: Path, variables: dict[str, str], spans_file: Path, off: dict[str, str]
) -> None:
    server = Server(project, variables | off)
    server.wait_until_ready()
    assert server.client().workflow_publish([spec()]).success
    run_by_command(server, variables | off)
    assert server.stop() == 0
    assert not spans_file.exists()
