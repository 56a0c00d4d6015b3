"""Specs of a store on a real Airflow, with no Basecamp around: shown, fired, run and stopped."""

import json
import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from dli.specs.content import content_hash
from dli.specs.parser import parse_dataset
from dli.specs.run_id import scheduled_run_id
from inbox import Inbox, opened_inbox
from managed_airflow import TestAirflow, running_airflow
from process import wait_for

RESULT_KEY = "dli_result"
RUN_LOG = "dli_airflow.run"
WAIT_S = 120

ORDERS = """
name: lake.mart.orders
owner: ann@example.com
team: data
description: {text}
execution: {{dialect: duckdb}}
parameters:
  - {{name: size, type: integer, required: false, default: 1}}
pre_statements:
  - name: table
    sql: CREATE TABLE IF NOT EXISTS lake.mart.orders (day VARCHAR, size INTEGER, run VARCHAR)
query_statement: >
  INSERT INTO lake.mart.orders VALUES ('{{{{ ds }}}}', {{{{ size }}}}, '{{{{ run_id }}}}')
schedule: {{cron: "0 6 * * *", timezone: Asia/Seoul}}
"""
ENDLESS = """
name: lake.mart.endless
owner: ann@example.com
team: data
execution: {dialect: duckdb}
query_statement: >
  CREATE TABLE lake.endless.t AS SELECT count(*) AS n FROM range(1000000) a, range(10000000) b
schedule:
  cron: "0 6 1 1 *"
  notifications:
    on_failure: [{type: pager, channel: endless}]
"""
FAILING = """
name: lake.mart.failing
owner: ann@example.com
team: data
execution: {dialect: duckdb}
query_statement: SELECT * FROM lake.mart.nothing
schedule:
  cron: "0 6 1 1 *"
  retry: {max_attempts: 2, delay_seconds: 1}
  notifications:
    on_failure: [{type: pager, channel: "#night"}, {type: pigeon, channel: loft}]
"""
TICKING = """
name: lake.mart.ticking
owner: ann@example.com
team: data
execution: {dialect: duckdb}
query_statement: CREATE OR REPLACE TABLE lake.ticking.t AS SELECT '{{ data_interval_start }}' AS s
schedule: {cron: "* * * * *"}
"""


@dataclass
class World:
    """An Airflow, the store it reads, and the project it works on."""

    airflow: TestAirflow
    store: Path
    project: Path
    inbox: Inbox

    def put(self, name: str, text: str, source: str = "code") -> None:
        self.write(name, text, source)
        self.look()

    def write(self, name: str, text: str, source: str = "code") -> None:
        fresh = self.store / "fresh"
        fresh.write_text(text)
        fresh.rename(self.store / source / f"{name}.yaml")

    def remove(self, name: str) -> None:
        (self.store / "code" / f"{name}.yaml").unlink()
        self.look()

    def pause(self, name: str, *, paused: bool) -> None:
        (self.store / "state" / f"{name}.json").write_text(json.dumps({"paused": paused}))
        self.look()

    def look(self) -> None:
        """Make Airflow look at the store now, as Basecamp does.

        409: it is about to, for an earlier caller. 500: its SQLite was busy.
        """
        token = self.airflow.get("/dags/dli_sentinel")["file_token"]
        path = f"/parseDagFile/{token}"
        wait_for(lambda: self.airflow.ask("PUT", path)[0] in (201, 409), WAIT_S)

    def dag(self, name: str) -> dict[str, Any]:
        status, found = self.airflow.ask("GET", f"/dags/{name}")
        return found if status == 200 else {}

    def tags(self, name: str) -> set[str]:
        return {tag["name"] for tag in self.dag(name).get("tags", [])}

    def run(self, name: str, run_id: str, **conf: Any) -> str:
        self.airflow.trigger(name, run_id, **conf)
        return self.airflow.wait_for_state(name, run_id, "success", "failed")

    def result(self, name: str, run_id: str) -> dict[str, Any]:
        key = f"/dags/{name}/dagRuns/{run_id}/taskInstances/run/xcomEntries/{RESULT_KEY}"
        found: dict[str, Any] = self.airflow.get(key)["value"]
        return found

    def log(self, name: str, run_id: str, attempt: int = 1) -> str:
        key = f"/dags/{name}/dagRuns/{run_id}/taskInstances/run/logs/{attempt}?full_content=true"
        status, found = self.airflow.ask("GET", key)
        lines = found["content"] if status == 200 else []
        return "\n".join(line["event"] for line in lines if line.get("logger") == RUN_LOG)

    def runs(self, name: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.airflow.get(f"/dags/{name}/dagRuns")["dag_runs"]
        return found

    def told(self, run_id: str) -> list[str]:
        """Paths and texts of the messages about one run."""
        messages = [f"{path} {body['message']}" for path, body in self.inbox.messages]
        return [text for text in messages if f"Run {run_id}." in text]

    def begin_endless(self, run_id: str) -> str:
        """A run whose SQL is under way; its path."""
        self.airflow.trigger("lake.mart.endless", run_id)
        wait_for(lambda: "main (1/1) started" in self.log("lake.mart.endless", run_id), WAIT_S)
        return f"/dags/lake.mart.endless/dagRuns/{run_id}"

    def rows(self, table: str) -> list[tuple[Any, ...]]:
        file = self.project / ".dli" / "warehouse" / "lake.duckdb"
        with duckdb.connect(file, read_only=True) as connection:
            return connection.sql(f"SELECT * FROM {table} ORDER BY ALL").fetchall()


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("airflow")
    store, project = folder / "store", folder / "project"
    for name in ("code", "manual", "state"):
        (store / name).mkdir(parents=True)
    project.mkdir()
    (project / "dli.yaml").write_text("{}")
    with opened_inbox() as inbox, pytest.MonkeyPatch.context() as patch:
        patch.setenv("DLI_NOTIFY_PAGER", f"{inbox.url}/{{channel}}")
        patch.delenv("DLI_NOTIFY_PIGEON", raising=False)
        with running_airflow(folder / "home", project, store.as_uri()) as airflow:
            world = World(airflow, store, project, inbox)
            fill(world)
            yield world


def fill(world: World) -> None:
    world.airflow.wait_for_dag("dli_sentinel")
    world.put("lake.mart.orders", ORDERS.format(text="Orders of a day"))
    world.put("lake.mart.endless", ENDLESS, "manual")
    world.put("lake.mart.failing", FAILING)
    for name in ("orders", "endless", "failing"):
        world.airflow.wait_for_dag(f"lake.mart.{name}")


def test_a_spec_is_shown_as_a_dag(world: World) -> None:
    dag = world.dag("lake.mart.orders")
    assert dag["description"] == "Orders of a day"
    assert dag["timetable_summary"] == "0 6 * * * in Asia/Seoul"
    assert dag["next_dagrun_run_after"].endswith("T21:00:00Z")
    assert dag["owners"] == ["ann@example.com"]
    assert not dag["is_paused"]
    assert {"dli:code"} < world.tags("lake.mart.orders")
    assert {"dli:manual"} < world.tags("lake.mart.endless")


def test_a_run_fills_its_table_and_tells_its_result(world: World) -> None:
    conf = {
        "interval_start": "2025-05-31T21:00:00+00:00",
        "interval_end": "2025-06-01T21:00:00+00:00",
        "parameters": {"size": 7},
    }
    assert world.run("lake.mart.orders", "run-1", **conf) == "success"
    assert ("2025-06-01", 7, "run-1") in world.rows("mart.orders")
    result = world.result("lake.mart.orders", "run-1")
    assert result["rows_affected"] == 1
    assert result["error_code"] is None
    assert f"spec:{result['spec_hash'][:12]}" in world.tags("lake.mart.orders")
    log = world.log("lake.mart.orders", "run-1")
    assert "data interval 2025-05-31T21:00:00+00:00 to 2025-06-01T21:00:00+00:00" in log
    assert "Completed, 1 rows." in log


def test_a_run_by_hand_covers_the_latest_complete_day(world: World) -> None:
    assert world.run("lake.mart.orders", "by-hand") == "success"
    (day,) = [row[0] for row in world.rows("mart.orders") if row[2] == "by-hand"]
    due = world.dag("lake.mart.orders")["next_dagrun_data_interval_start"]
    assert (
        day.removeprefix("day ") == due[:10]
    )  # due at the end of [21:00, 21:00): the one before began the day before


def test_undeclared_parameters_are_refused_at_the_door(world: World) -> None:
    body = {"dag_run_id": "no", "logical_date": None, "conf": {"parameters": {"colour": "red"}}}
    status, answer = world.airflow.ask("POST", "/dags/lake.mart.orders/dagRuns", body)
    assert (status, "colour" in str(answer)) == (400, True)


def test_values_of_the_wrong_type_end_the_run_without_another_attempt(world: World) -> None:
    assert world.run("lake.mart.orders", "typed", parameters={"size": "large"}) == "failed"
    result = world.result("lake.mart.orders", "typed")
    assert result["error_code"] == "DLI-204"
    assert "size" in result["error_message"]


def test_a_failure_is_tried_again_and_then_told(world: World) -> None:
    assert world.run("lake.mart.failing", "twice") == "failed"
    assert world.result("lake.mart.failing", "twice")["error_code"] == "DLI-405"
    assert "Attempt 1 of 2" in world.log("lake.mart.failing", "twice", 1)
    assert "Attempt 2 of 2" in world.log("lake.mart.failing", "twice", 2)
    (told,) = wait_for(lambda: world.told("twice"), WAIT_S)
    assert told.startswith("/%23night Run twice. DLI-405: ")
    page = world.airflow.get("/dags/lake.mart.failing/details")["doc_md"]
    assert "Nobody is told how runs end:** DLI_NOTIFY_PIGEON" in page


def test_a_run_whose_process_is_killed_fails_and_is_told(world: World) -> None:
    path = world.begin_endless("killed")
    (instance,) = world.airflow.get(f"{path}/taskInstances")["task_instances"]
    os.kill(instance["pid"], signal.SIGKILL)
    assert world.airflow.wait_for_state("lake.mart.endless", "killed", "failed") == "failed"
    (told,) = wait_for(lambda: world.told("killed"), WAIT_S)
    assert told == "/endless Run killed. Its process ended before it could tell why."


def test_a_stopped_run_interrupts_its_sql_and_is_no_success(world: World) -> None:
    path = world.begin_endless("stopped")
    assert world.airflow.ask("PATCH", path, {"state": "failed"})[0] == 200
    wait_for(lambda: "nothing was changed" in world.log("lake.mart.endless", "stopped"), WAIT_S)
    assert world.airflow.state_of("lake.mart.endless", "stopped") == "failed"
    key = f"{path}/taskInstances/run/xcomEntries/{RESULT_KEY}"
    assert world.airflow.ask("GET", key)[0] == 404
    mark = key.replace(RESULT_KEY, "dli_stopped")
    assert wait_for(lambda: world.airflow.ask("GET", mark)[0] == 200, WAIT_S)
    # The file is free again, and the table is not there.
    wait_for(lambda: world.run("lake.mart.orders", "after-the-stop") == "success", WAIT_S)
    with pytest.raises(duckdb.CatalogException):
        world.rows("endless.t")
    assert world.told("stopped") == []


def test_an_edit_a_poisoned_spec_and_its_cure(world: World) -> None:
    before = world.tags("lake.mart.orders")
    world.put("lake.mart.orders", ORDERS.format(text="Edited"))
    wait_for(lambda: world.dag("lake.mart.orders")["description"] == "Edited", WAIT_S)
    edited = world.tags("lake.mart.orders")
    assert edited != before
    world.put("lake.mart.orders", "name: [")
    (error,) = wait_for(lambda: world.airflow.get("/importErrors")["import_errors"], WAIT_S)
    assert error["filename"].endswith("lake.mart.orders.py")
    assert "code/lake.mart.orders.yaml" in error["stack_trace"]
    wait_for(lambda: "broken-spec" in world.tags("lake.mart.orders"), WAIT_S)
    assert world.run("lake.mart.orders", "last-good") == "success"
    world.put("lake.mart.orders", ORDERS.format(text="Orders of a day"))
    wait_for(lambda: not world.airflow.get("/importErrors")["import_errors"], WAIT_S)
    wait_for(lambda: world.tags("lake.mart.orders") == before, WAIT_S)


def test_a_run_takes_the_spec_it_was_asked_with_though_airflow_has_not_seen_it(
    world: World,
) -> None:
    text = ORDERS.format(text="Orders of a day")
    fresh = text.replace("VALUES ('{{ ds }}'", "VALUES ('day {{ ds }}'")
    spec = parse_dataset(fresh.encode(), "lake.mart.orders.yaml")
    spec_hash = content_hash(spec.model_dump(mode="json", by_alias=True, exclude_none=True))
    world.write("lake.mart.orders", fresh)
    assert world.run("lake.mart.orders", "newest", spec_hash=spec_hash) == "success"
    assert world.result("lake.mart.orders", "newest")["spec_hash"] == spec_hash
    world.put("lake.mart.orders", text)
    assert any(row[0].startswith("day ") for row in world.rows("mart.orders"))


def test_a_schedule_fires_without_basecamp_and_a_pause_holds_only_the_schedule(
    world: World,
) -> None:
    name = "lake.mart.ticking"
    world.put(name, TICKING)
    (first,) = wait_for(lambda: world.runs(name) if world.dag(name) else None, WAIT_S)[:1]
    assert wait_for(lambda: world.dag(name)["next_dagrun_run_after"], WAIT_S)
    assert first["run_type"] == "scheduled"
    start = first["data_interval_start"]
    assert first["dag_run_id"] == scheduled_run_id(name, datetime.fromisoformat(start))
    assert first["data_interval_end"] == first["run_after"]
    world.pause(name, paused=True)
    wait_for(lambda: world.dag(name)["next_dagrun_run_after"] is None, WAIT_S)
    assert world.run(name, "while-paused") == "success"
    world.pause(name, paused=False)
    wait_for(lambda: world.dag(name)["next_dagrun_run_after"] is not None, WAIT_S)
    world.remove(name)
    wait_for(lambda: "retired" in world.tags(name), WAIT_S)
    assert world.dag(name)["next_dagrun_run_after"] is None
    assert world.run(name, "too-late") == "failed"
    assert world.result(name, "too-late")["error_code"] == "DLI-800"
    wait_for(lambda: world.dag(name)["is_stale"], WAIT_S)
