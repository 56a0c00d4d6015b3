"""How soon a killed server with a long history answers again and takes up what was cut off."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from answer import record
from campaign import Campaign
from kept import Kept
from process import Server, wait_for

RUNS = 100_000
SLOW = "SELECT count(*) FROM range(100000000) a, range(1000) b WHERE (a.range + b.range) % 7 = 3"
# As one run that is over, each for a day of its own.
HISTORY = """
INSERT INTO run (
  run_id, dataset_name, source_type, status, run_type, parameters, interval_start, interval_end,
  timezone, spec_hash, triggered_by, created_at, started_at, finished_at, attempt, max_attempts,
  retry_delay_seconds, timeout_seconds, claim, crashes
)
WITH RECURSIVE number(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < ?)
SELECT
  'run-20200101T000000-' || n, dataset_name, source_type, 'COMPLETED', run_type, parameters,
  interval_start, interval_end, timezone, spec_hash, triggered_by, created_at, created_at,
  created_at, 1, max_attempts, retry_delay_seconds, timeout_seconds, 1, 0
FROM run, number WHERE run_id = ?
"""


@pytest.fixture
def server(tmp_path: Path, kept: Kept) -> Iterator[Server]:
    project = tmp_path / "project"
    (project / "datasets").mkdir(parents=True)
    (project / "dli.yaml").write_text("project: {name: restart}\n")
    started = Server(project, kept.variables)
    yield started
    if started.process.poll() is None:
        started.process.kill()
        started.process.wait()


@pytest.mark.alone
def test_g5_a_killed_server_is_ready_and_takes_up_its_runs_in_time(
    campaign: Campaign, server: Server, kept: Kept
) -> None:
    server.wait_until_ready()
    run_id = slow_run(server)
    server.process.kill()
    server.process.wait()
    kept.change(HISTORY, [RUNS, run_id])
    campaign.count("runs of history", RUNS)
    ready, taken_up = [], []
    for _ in range(campaign.size(ci=3, long=30)):
        claim = claim_of(kept, run_id)
        kept.change("UPDATE run SET crashes = 0")  # three of them would be its own fault
        begun = time.monotonic()
        server.start()
        server.wait_until_ready()
        ready.append(time.monotonic() - begun)
        wait_for(lambda before=claim: claim_of(kept, run_id) > before)  # type: ignore[misc]
        taken_up.append(time.monotonic() - begun)
        campaign.count("starts")
        workers = server.workers()
        server.process.kill()
        server.process.wait()
        # Its SQL would run for hours; it holds the warehouse.
        wait_for(lambda pids=workers: not any(map(is_alive, pids)))  # type: ignore[misc]
    campaign.figure("slowest start until ready", max(ready), "s", limit=3)
    campaign.figure("slowest take-over of an interrupted run", max(taken_up), "s", limit=30)


def slow_run(server: Server) -> str:
    client = server.client()
    content: dict[str, Any] = {
        "name": "local.restart.slow",
        "owner": "ana@example.com",
        "team": "reliability",
        "query_statement": SLOW,
    }
    answer = client.workflow_register(content["name"], "0 0 1 1 *", spec=content)
    assert answer.success, answer
    run_id = str(record(client.workflow_run(content["name"]))["run_id"])
    wait_for(lambda: record(client.workflow_status(run_id))["status"] == "RUNNING")
    return run_id


def is_alive(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


def claim_of(kept: Kept, run_id: str) -> int:
    ((claim,),) = kept.rows("SELECT claim FROM run WHERE run_id = ?", [run_id])
    return int(claim)
