"""What any engine must do, told through the client to a real server; nothing here names one."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import duckdb
import pytest

from answer import items, record, refusal
from dli.core.client import BasecampClient
from engine_server import PATIENCE_S, EngineServer, serving
from process import wait_for

pytestmark = pytest.mark.serial

EVENTS = "lineage/events.jsonl"

ORDERS = "day,country,amount\n2026-01-01,ES,10\n2026-01-01,KR,5\n2026-01-02,ES,7\n2026-01-03,KR,1\n"
ORDERS_TABLE = "shop.raw.orders"
DAILY: dict[str, Any] = {
    "name": "shop.sales.daily",
    "owner": "ana@example.com",
    "team": "sales",
    "execution": {"dialect": "trino"},
    "parameters": [{"name": "country", "type": "string", "required": False}],
    "pre_statements": [
        {
            "name": "table",
            "sql": "CREATE TABLE IF NOT EXISTS shop.sales.daily (day DATE, orders BIGINT)",
        },
        {"name": "clear", "sql": "DELETE FROM shop.sales.daily WHERE day = DATE '{{ ds }}'"},
    ],
    "query_statement": (
        "INSERT INTO shop.sales.daily SELECT DATE '{{ ds }}', COUNT(*) FROM shop.raw.orders "
        "WHERE day = DATE '{{ ds }}'"
        "{% if country %} AND country = '{{ country }}'{% endif %}"
    ),
}
GATED: dict[str, Any] = {
    **DAILY,
    "name": "shop.sales.gated",
    "quality": {
        "gate": True,
        "tests": [
            {"name": "few", "type": "range_check", "column": "orders", "max": 1},
            {"name": "none", "type": "row_count", "max": 0, "severity": "warn"},
        ],
    },
    "pre_statements": [
        {"name": part["name"], "sql": part["sql"].replace("sales.daily", "sales.gated")}
        for part in DAILY["pre_statements"]
    ],
    "query_statement": DAILY["query_statement"].replace("sales.daily", "sales.gated"),
}
SLOW: dict[str, Any] = {
    **DAILY,
    "name": "shop.sales.slow",
    "parameters": [],
    "query_statement": (
        "INSERT INTO shop.sales.daily SELECT DATE '{{ ds }}', COUNT(*) "
        "FROM shop.raw.orders a, UNNEST(SEQUENCE(1, 9000)) b(x), UNNEST(SEQUENCE(1, 9000)) c(y), "
        "UNNEST(SEQUENCE(1, 9000)) d(z) WHERE (x * y + z) % 7 = 3"
    ),
}


@pytest.fixture(scope="module")
def server(engine: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineServer]:
    project = tmp_path_factory.mktemp("engine") / "project"
    (project / "data").mkdir(parents=True)
    (project / "data" / "orders.csv").write_text(ORDERS)
    (project / "dli.yaml").write_text(
        "sources:\n  - {table: shop.raw.orders, path: data/orders.csv, format: csv}\n"
        f"lineage: {{url: 'file:{EVENTS}', namespace: shop}}\n"
    )
    with serving(engine, project) as started:
        yield started


@pytest.fixture
def client(server: EngineServer) -> BasecampClient:
    return server.client()


@pytest.fixture
def daily(client: BasecampClient) -> str:
    name = str(DAILY["name"])
    record(client.workflow_register(name, "0 0 * * *", spec=DAILY, force=True))
    return name


@pytest.fixture
def slow(client: BasecampClient) -> str:
    name = str(SLOW["name"])
    record(client.workflow_register(name, "0 0 * * *", spec=SLOW, force=True))
    return name


def finished(client: BasecampClient, run_id: str) -> dict[str, Any]:
    def look() -> dict[str, Any] | None:
        found = record(client.workflow_status(run_id, wait=5))
        return found if found["status"] in ("COMPLETED", "FAILED", "KILLED") else None

    return wait_for(look, PATIENCE_S)


def running(client: BasecampClient, run_id: str) -> None:
    wait_for(lambda: record(client.workflow_status(run_id))["status"] == "RUNNING", PATIENCE_S)


def rows(server: EngineServer, table: str = "daily") -> dict[str, int]:
    def read() -> dict[str, int] | None:
        path = server.project / ".dli" / "warehouse" / "shop.duckdb"
        try:
            with duckdb.connect(str(path), read_only=True) as warehouse:
                found = warehouse.execute(f"SELECT CAST(day AS VARCHAR), orders FROM sales.{table}")
                return {"": 0} | dict(found.fetchall())
        except duckdb.IOException:
            return None  # the engine still has the file

    return {day: count for day, count in wait_for(read, PATIENCE_S).items() if day}


def test_a_registered_workflow_is_listed_with_its_next_fire(
    client: BasecampClient, daily: str
) -> None:
    (found,) = items(client.workflow_list(dataset_filter=daily))
    assert (found["source_type"], found["status"], found["cron"]) == (
        "manual",
        "active",
        "0 0 * * *",
    )
    next_run = datetime.fromisoformat(found["next_run"])
    assert timedelta(0) < next_run - datetime.now(UTC) <= timedelta(days=1)


def test_the_catalog_knows_the_table_of_a_run_and_what_made_it(
    client: BasecampClient, daily: str
) -> None:
    run = record(client.workflow_run(daily, {"execution_date": "2026-01-01"}))
    finished_at = finished(client, run["run_id"])["finished_at"]
    table = record(client.catalog_get(daily, include_sample=True))
    assert (table["ownership"]["owner"], table["engine"]) == (DAILY["owner"], "duckdb")
    assert table["freshness"]["last_updated"] == finished_at
    assert "2026-01-01" in {row["day"] for row in table["sample_data"]}
    queries = {
        one["title"]: one["sql"] for one in items(client.catalog_sample_queries(ORDERS_TABLE))
    }
    assert f"FROM {ORDERS_TABLE} WHERE day = DATE '2026-01-01'" in queries[f"{daily} reads it"]
    listed = {one["name"]: one["row_count"] for one in items(client.catalog_list())}
    assert listed[ORDERS_TABLE] == 4
    lineage = record(client.get_lineage(daily, direction="upstream"))
    assert ORDERS_TABLE in [node["name"] for node in lineage["nodes"]]


def test_a_run_really_runs_the_sql_with_its_parameters(
    client: BasecampClient, daily: str, server: EngineServer
) -> None:
    asked = {"execution_date": "2026-01-01"}
    run = finished(client, record(client.workflow_run(daily, asked))["run_id"])
    assert (run["status"], run["rows_affected"]) == ("COMPLETED", 1)
    assert rows(server)["2026-01-01"] == 2
    asked["country"] = "KR"
    run = finished(client, record(client.workflow_run(daily, asked))["run_id"])
    assert run["parameters"] == asked
    assert rows(server)["2026-01-01"] == 1


def test_a_quality_gate_undoes_a_run_that_fails_it(
    client: BasecampClient, server: EngineServer
) -> None:
    name = str(GATED["name"])
    record(client.workflow_register(name, "0 0 * * *", spec=GATED, force=True))
    good = finished(client, record(client.workflow_run(name, {"ds": "2026-01-02"}))["run_id"])
    assert good["status"] == "COMPLETED"
    lines = record(client.workflow_logs(good["run_id"]))["lines"]
    assert [line["level"] for line in lines if "quality none" in line["message"]] == ["warning"]
    bad = finished(client, record(client.workflow_run(name, {"ds": "2026-01-01"}))["run_id"])
    assert bad["status"] == "FAILED"
    assert "few (1 rows)" in bad["error_message"]
    assert rows(server, "gated") == {"2026-01-02": 1}


def test_a_quality_spec_with_a_schedule_runs_by_itself(
    client: BasecampClient, daily: str, server: EngineServer
) -> None:
    finished(client, record(client.workflow_run(daily, {"ds": "2026-01-02"}))["run_id"])
    watched = {
        "target": {"type": "dataset", "name": daily},
        "metadata": {"owner": "ana@example.com"},
        "schedule": {"cron": "0 0 1 1 *"},
        "tests": [{"name": "watched", "type": "row_count", "max": 0}],
    }
    record(client.register_quality(watched, force=True))
    wait_for(lambda: server.make_quality_due(daily), PATIENCE_S)
    record(client.register_quality(watched, force=True))  # has the schedules looked at

    def last() -> str | None:
        status: str | None = record(client.get_quality("watched"))["last_status"]
        return status

    assert wait_for(last, PATIENCE_S) == "fail"


def events(server: EngineServer) -> list[dict[str, Any]]:
    """What the lineage target has been told so far."""
    file = server.project / EVENTS
    text = file.read_text() if file.exists() else ""
    return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]


def test_a_dataset_run_at_once_tells_the_lineage_target(
    client: BasecampClient, server: EngineServer
) -> None:
    name = "shop.sales.once"
    record(client.workflow_register(name, "0 0 * * *", spec={**DAILY, "name": name}, force=True))
    record(client.run_dataset(name, {"ds": "2026-01-02"}))

    def told() -> list[str] | None:
        found = [event["eventType"] for event in events(server) if event["job"]["name"] == name]
        return found if len(found) > 1 else None

    assert wait_for(told, PATIENCE_S) == ["START", "COMPLETE"]


def test_every_run_tells_the_lineage_target(
    client: BasecampClient, daily: str, server: EngineServer
) -> None:
    asked = [{"ds": "2026-01-02"}, {"ds": "2026-01-02", "country": "x' OR '1'='1"}]
    runs = [record(client.workflow_run(daily, each))["run_id"] for each in asked]

    def told() -> dict[str, list[str]] | None:
        found: dict[str, list[str]] = {run: [] for run in runs}
        for event in events(server):
            tags = {tag["key"]: tag["value"] for tag in event["run"]["facets"]["tags"]["tags"]}
            found.get(tags["run_id"], []).append(event["eventType"])
        return found if all(kinds[-1:] not in ([], ["START"]) for kinds in found.values()) else None

    kinds = wait_for(told, PATIENCE_S)
    assert kinds == {runs[0]: ["START", "COMPLETE"], runs[1]: ["FAIL"]}


def test_a_value_cannot_change_the_structure_of_the_sql(
    client: BasecampClient, daily: str, server: EngineServer
) -> None:
    asked = {"execution_date": "2026-01-01", "country": "x' OR '1'='1"}
    run = finished(client, record(client.workflow_run(daily, asked))["run_id"])
    assert run["status"] == "FAILED"
    assert "1=1" not in run["error_message"].replace("'", "")


def test_the_log_tells_what_the_run_did(client: BasecampClient, daily: str) -> None:
    run_id = record(client.workflow_run(daily, {"ds": "2026-01-02"}))["run_id"]
    finished(client, run_id)
    log = record(client.workflow_logs(run_id))
    text = " ".join(line["message"] for line in log["lines"])
    assert "clear" in text
    assert "Completed" in text
    assert log["done"] is True


def test_the_latest_complete_interval_is_the_default(client: BasecampClient, daily: str) -> None:
    run = finished(client, record(client.workflow_run(daily))["run_id"])
    yesterday = datetime.now(UTC).date() - timedelta(days=1)
    assert run["logical_date"] == f"{yesterday}T00:00:00Z"


def test_a_dry_run_binds_and_starts_nothing(client: BasecampClient, daily: str) -> None:
    before = client.workflow_history(limit=1).meta
    answer = record(client.workflow_run(daily, {"ds": "2026-01-01"}, dry_run=True))
    assert answer["dry_run"] is True
    assert client.workflow_history(limit=1).meta == before


def test_stop_ends_the_sql_and_leaves_the_table_as_it_was(
    client: BasecampClient, daily: str, slow: str, server: EngineServer
) -> None:
    finished(client, record(client.workflow_run(daily, {"ds": "2026-01-03"}))["run_id"])
    before = rows(server)
    run_id = record(client.workflow_run(slow, {"ds": "2026-01-03"}))["run_id"]
    running(client, run_id)
    stopped = record(client.workflow_stop(run_id, reason="too slow"))
    assert (stopped["status"], stopped["stop_reason"]) == ("KILLED", "too slow")
    assert rows(server) == before  # readable at once: the engine has let the file go
    assert refusal(client.workflow_stop(run_id)) == (409, "DLI-807")


def test_runs_of_one_dataset_wait_for_each_other(client: BasecampClient, slow: str) -> None:
    first = record(client.workflow_run(slow, {"ds": "2026-01-01"}))["run_id"]
    second = record(client.workflow_run(slow, {"ds": "2026-01-02"}))["run_id"]
    running(client, first)
    assert record(client.workflow_status(second))["status"] == "PENDING"
    record(client.workflow_stop(second))
    record(client.workflow_stop(first))


def test_another_dataset_does_not_wait(
    client: BasecampClient, slow: str, daily: str, server: EngineServer
) -> None:
    # Both write one table: it must be there, or each of them would create it.
    finished(client, record(client.workflow_run(daily, {"ds": "2026-01-02"}))["run_id"])
    first = record(client.workflow_run(slow))["run_id"]
    running(client, first)
    other = record(client.workflow_run(daily, {"ds": "2026-01-02"}))["run_id"]
    if server.shares_warehouse:
        assert finished(client, other)["status"] == "COMPLETED"
    else:
        running(client, other)
    assert record(client.workflow_status(first))["status"] == "RUNNING"
    record(client.workflow_stop(first))
    assert finished(client, other)["status"] == "COMPLETED"


def test_a_failing_run_is_tried_again_as_often_as_told(client: BasecampClient) -> None:
    broken = {
        **DAILY,
        "name": "shop.sales.broken",
        "query_statement": "INSERT INTO shop.sales.nowhere SELECT 1",
    }
    record(
        client.workflow_register(
            broken["name"],
            "0 0 * * *",
            spec=broken,
            retry_max_attempts=3,
            retry_delay_seconds=0,
        )
    )
    run = finished(client, record(client.workflow_run(broken["name"]))["run_id"])
    assert (run["status"], run["attempt"], len(run["attempts"])) == ("FAILED", 3, 3)
    assert "nowhere" in run["error_message"]


def test_a_backfill_runs_every_day_in_order(
    client: BasecampClient, daily: str, server: EngineServer
) -> None:
    planned = record(client.workflow_backfill(daily, "2026-01-01", "2026-01-03"))
    whole = finished(client, planned["run_id"])
    assert (whole["status"], whole["completed_runs"], whole["total_runs"]) == ("COMPLETED", 3, 3)
    ends = [record(client.workflow_status(day["run_id"]))["finished_at"] for day in whole["runs"]]
    assert ends == sorted(ends)
    found = rows(server)
    assert [found[f"2026-01-0{day}"] for day in (1, 2, 3)] == [2, 1, 1]


def test_a_backfill_can_leave_out_what_is_done(client: BasecampClient, daily: str) -> None:
    finished(client, record(client.workflow_run(daily, {"ds": "2026-02-02"}))["run_id"])
    planned = record(
        client.workflow_backfill(daily, "2026-02-01", "2026-02-03", skip_completed=True)
    )
    days = [day["date"] for day in finished(client, planned["run_id"])["runs"]]
    assert days == ["2026-02-01", "2026-02-03"]


def test_a_backfill_is_stopped_as_a_whole(client: BasecampClient, slow: str) -> None:
    planned = record(client.workflow_backfill(slow, "2026-01-01", "2026-01-05"))
    running(client, planned["run_id"])
    stopped = record(client.workflow_stop(planned["run_id"]))
    assert {day["status"] for day in stopped["runs"]} == {"KILLED"}


def test_pause_stops_the_schedule_and_nothing_else(client: BasecampClient, daily: str) -> None:
    record(client.workflow_pause(daily, reason="stock taking"))
    (found,) = items(client.workflow_list(dataset_filter=daily))
    assert (found["status"], found["next_run"]) == ("paused", None)
    run = finished(client, record(client.workflow_run(daily, {"ds": "2026-01-01"}))["run_id"])
    assert run["status"] == "COMPLETED"
    assert refusal(client.workflow_pause(daily)) == (409, "DLI-807")
    assert record(client.workflow_unpause(daily))["status"] == "active"


def test_a_schedule_fires_by_itself(
    client: BasecampClient, server: EngineServer, daily: str
) -> None:
    spec = {**DAILY, "name": "shop.sales.minutely"}
    record(client.workflow_register(spec["name"], "* * * * *", spec=spec))
    server.make_due(str(spec["name"]))
    record(client.workflow_pause(daily))  # any change makes the engine look

    def scheduled() -> list[dict[str, Any]]:
        runs = items(client.workflow_history(dataset_filter=str(spec["name"])))
        return [run for run in runs if run["status"] == "COMPLETED"]

    run = wait_for(scheduled, PATIENCE_S)[0]
    assert (run["run_type"], run["triggered_by"]) == ("scheduled", "scheduler")
    record(client.workflow_unregister(str(spec["name"])))


def test_code_overrides_manual_and_gives_it_back(client: BasecampClient, daily: str) -> None:
    record(client.workflow_pause(daily, reason="before CODE"))
    code = {**DAILY, "schedule": {"cron": "30 5 * * *", "timezone": "Asia/Seoul"}}
    assert record(client.workflow_publish([code], version="v1"))["added"] == [daily]
    in_force, hidden = items(client.workflow_list(dataset_filter=daily))
    assert (in_force["source_type"], in_force["cron"]) == ("code", "30 5 * * *")
    assert (hidden["status"], hidden["overridden_by"]) == ("overridden", "code")
    refused = client.workflow_register(daily, "0 0 * * *", spec=DAILY, force=True)
    assert refusal(refused) == (403, "DLI-803")
    assert refusal(client.workflow_unpause(daily)) == (403, "DLI-806")
    run = finished(client, record(client.workflow_run(daily, {"ds": "2026-01-01"}))["run_id"])
    assert (run["source_type"], run["status"]) == ("code", "COMPLETED")
    assert record(client.workflow_publish([], version="v2"))["removed"] == [daily]
    (back,) = items(client.workflow_list(dataset_filter=daily))
    assert (back["source_type"], back["status"]) == ("manual", "paused")
    assert back["pause_reason"] == "before CODE"


def test_unregister_removes_the_schedule_and_keeps_the_history(
    client: BasecampClient, daily: str
) -> None:
    run_id = record(client.workflow_run(daily, {"ds": "2026-01-01"}))["run_id"]
    finished(client, run_id)
    record(client.workflow_unregister(daily))
    assert items(client.workflow_list(dataset_filter=daily)) == []
    assert record(client.workflow_status(run_id))["status"] == "COMPLETED"
    assert refusal(client.workflow_run(daily)) == (404, "DLI-800")
