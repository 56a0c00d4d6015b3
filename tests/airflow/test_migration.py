"""From the embedded engine to Airflow: nothing is lost, no fire is missed and none runs twice."""

import shutil
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from managed_airflow import ENVIRONMENT
from process import wait_for
from shell import Shell

FLIGHTS = Path(__file__).parents[2] / "examples" / "flights"
DAILY = "flights.analytics.daily_flights"
MINUTELY = "flights.scratch.minutely"
SPEC = f"""\
name: {MINUTELY}
owner: you@example.com
team: demo
query_statement: |
  CREATE OR REPLACE TABLE {MINUTELY} AS SELECT 1 AS one
schedule:
  cron: "* * * * *"
  catchup: true
"""


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    shutil.copytree(FLIGHTS, tmp_path / "flights", ignore=shutil.ignore_patterns(".dli"))
    variables = {"BASECAMP_AIRFLOW_ENVIRONMENT": str(ENVIRONMENT)}
    shell = Shell(tmp_path / "flights", tmp_path, variables, patience_s=600)
    (shell.directory / "datasets" / f"dataset.{MINUTELY}.yaml").write_text(SPEC)
    yield shell
    shell.dli("down")


def minutes(shell: Shell, *, status: str = "COMPLETED") -> list[datetime]:
    """The instants of the scheduled runs, oldest first."""
    words = ("--dataset", MINUTELY, "--status", status, "--limit", "100")
    runs = shell.json("workflow", "history", *words)
    found = (run for run in runs if run["run_type"] == "scheduled")
    return sorted(datetime.fromisoformat(run["data_interval_start"]) for run in found)


def in_airflow(shell: Shell) -> list[str]:
    logs = shell.directory / ".dli" / "airflow" / "logs" / f"dag_id={MINUTELY}"
    return [path.name for path in logs.glob("run_id=*")]


def test_history_pauses_and_every_fire_survive(shell: Shell) -> None:
    shell.dli("up")
    shell.dli("workflow", "publish")
    shell.dli("workflow", "pause", DAILY, "--reason", "moving")
    shell.dli("workflow", "run", DAILY, "-p", "execution_date=2013-02-08", "--wait")
    before = shell.json("workflow", "history", "--dataset", DAILY)
    wait_for(lambda: minutes(shell), 120)
    embedded = minutes(shell)

    shell.dli("down")
    missed_at = datetime.now(UTC).replace(second=0, microsecond=0) + timedelta(minutes=1)
    wait_for(lambda: datetime.now(UTC) > missed_at, 90)

    said = shell.dli("workflow", "migrate", "--to", "airflow")
    assert said.endswith("run on airflow from now on.\n")
    assert shell.json("workflow", "history", "--dataset", DAILY) == before
    (daily,) = shell.json("workflow", "list", "--dataset", DAILY)
    assert daily["status"] == "paused"

    last = max(embedded) + timedelta(minutes=3)
    wait_for(lambda: max(minutes(shell)) >= last, 500)
    wait_for(lambda: minutes(shell, status="PENDING") == [], 200)
    found = [minute for minute in minutes(shell) if minute <= last]
    first = min(found)
    assert found == [first + timedelta(minutes=step) for step in range(len(found))]
    assert found[-1] == last
    assert [run for run, count in Counter(in_airflow(shell)).items() if count > 1] == []
    assert len(in_airflow(shell)) <= len(minutes(shell)) - len(embedded) + 1

    done = shell.run("dli", "workflow", "migrate", "--to", "airflow")
    assert "run on airflow already" in done.stderr
