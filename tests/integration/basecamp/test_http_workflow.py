"""The routes of workflows answer what the contract says, on a real store."""

import sqlite3
from typing import Any

import pytest
from pydantic import BaseModel

from basecamp.routes import record

NAME = "shop.sales.daily"
WORKFLOWS = "/api/v1/workflows"


def check(answer: Any, status: int, model: type[BaseModel]) -> dict[str, Any]:
    """The body of an answer that has this status and is one of these records, field by field."""
    assert answer.status == status, answer.text
    model.model_validate_json(answer.text)
    body: dict[str, Any] = answer.body
    return body


def test_a_new_server_has_no_workflows(site: Any) -> None:
    body = check(site.get(WORKFLOWS), 200, record.WorkflowPage)
    assert body == {
        "workflows": [],
        "total_count": 0,
        "limit": 50,
        "offset": 0,
        "next_offset": None,
    }


def test_registering_stores_a_manual_workflow_and_its_file(site: Any) -> None:
    body = check(site.register(), 201, record.WorkflowRegisterRecord)
    assert (body["source_type"], body["status"], body["cron"]) == ("manual", "active", "0 6 * * *")
    assert body["next_run"].endswith("Z")
    file = site.settings.state_dir / "store" / "manual" / f"{NAME}.yaml"
    assert "query_statement: SELECT 1" in file.read_text()
    shown = check(site.get(f"{WORKFLOWS}/{NAME}"), 200, record.WorkflowDetailRecord)
    assert shown["dataset_name"] == NAME


def test_registering_again_needs_force_and_then_replaces(site: Any) -> None:
    site.register()
    assert site.register().body["code"] == "DLI-804"
    body = check(site.register(cron="5 7 * * *", force=True), 200, record.WorkflowRegisterRecord)
    assert body["cron"] == "5 7 * * *"


def test_what_was_acknowledged_is_in_the_store(site: Any) -> None:
    site.register()
    with sqlite3.connect(site.settings.state_dir / "basecamp.db") as store:
        rows = store.execute("SELECT dataset_name FROM workflow").fetchall()
    assert rows == [(NAME,)]


def test_pausing_and_unpausing(site: Any) -> None:
    site.register()
    paused = check(
        site.post(f"{WORKFLOWS}/{NAME}/pause", {"reason": "holiday"}),
        200,
        record.WorkflowChangeRecord,
    )
    assert (paused["status"], paused["pause_reason"]) == ("paused", "holiday")
    again = site.post(f"{WORKFLOWS}/{NAME}/pause")
    assert (again.status, again.body["code"]) == (409, "DLI-807")
    resumed = check(site.post(f"{WORKFLOWS}/{NAME}/unpause"), 200, record.WorkflowChangeRecord)
    assert resumed["status"] == "active"


def test_a_pause_may_end_by_itself(site: Any) -> None:
    site.register()
    answer = site.post(f"{WORKFLOWS}/{NAME}/pause", {"until": "2100-01-01T00:00:00+02:00"})
    assert answer.body["pause_until"] == "2099-12-31T22:00:00Z"


def test_unregistering_removes_workflow_and_file(site: Any) -> None:
    site.register()
    check(site.request("DELETE", f"{WORKFLOWS}/{NAME}"), 200, record.WorkflowRemovalRecord)
    assert site.get(f"{WORKFLOWS}/{NAME}").status == 404
    assert list((site.settings.state_dir / "store" / "manual").iterdir()) == []


def test_a_run_is_queued_shown_listed_and_stopped(site: Any) -> None:
    site.register()
    answer = site.post(f"{WORKFLOWS}/{NAME}/run", {"parameters": {}})
    started = check(answer, 202, record.RunStartRecord)
    path = f"{WORKFLOWS}/runs/{started['run_id']}"
    assert check(site.get(path), 200, record.RunDetailRecord)["status"] == "PENDING"
    listed = check(site.get(f"{WORKFLOWS}/history"), 200, record.RunPage)
    assert [run["run_id"] for run in listed["runs"]] == [started["run_id"]]
    stopped = check(site.post(f"{path}/stop", {"reason": "wrong day"}), 200, record.RunStopRecord)
    assert (stopped["status"], stopped["stop_reason"]) == ("KILLED", "wrong day")
    assert site.post(f"{path}/stop").body["code"] == "DLI-807"


def test_a_dry_run_starts_nothing(site: Any) -> None:
    site.register()
    answer = site.post(f"{WORKFLOWS}/{NAME}/run", {"dry_run": True})
    check(answer, 200, record.RunCheckRecord)
    assert site.get(f"{WORKFLOWS}/history").body["total_count"] == 0


def test_a_backfill_is_shown_with_its_days_and_stopped_as_a_whole(site: Any) -> None:
    site.register()
    days = {"start_date": "2026-01-01", "end_date": "2026-01-03"}
    dry = site.post(f"{WORKFLOWS}/{NAME}/backfill", {**days, "dry_run": True})
    assert check(dry, 200, record.BackfillCheckRecord)["total_runs"] == 3
    answer = site.post(f"{WORKFLOWS}/{NAME}/backfill", days)
    started = check(answer, 202, record.BackfillChangeRecord)
    assert [day["date"] for day in started["runs"]] == ["2026-01-01", "2026-01-02", "2026-01-03"]
    path = f"{WORKFLOWS}/runs/{started['run_id']}"
    check(site.get(path), 200, record.BackfillRecord)
    stopped = check(site.post(f"{path}/stop"), 200, record.BackfillChangeRecord)
    assert {day["status"] for day in stopped["runs"]} == {"KILLED"}


def test_pages_follow_each_other_without_gap(site: Any) -> None:
    site.publish("a.b1", "a.b2", "a.b3")
    first = site.get(f"{WORKFLOWS}?limit=2").body
    rest = site.get(f"{WORKFLOWS}?limit=2&offset={first['next_offset']}").body
    names = [one["dataset_name"] for one in (*first["workflows"], *rest["workflows"])]
    assert names == ["a.b1", "a.b2", "a.b3"]
    assert (first["total_count"], rest["next_offset"]) == (3, None)


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("source_type=manual", ["b.two"]),
        ("source_type=code", ["a.one"]),
        ("status=paused", []),
        ("dataset=ONE", ["a.one"]),
        ("owner=ana%40example.com", ["a.one", "b.two"]),
        ("owner=nobody", []),
        ("running=true", ["b.two"]),
        ("running=false", ["a.one", "b.two"]),
        ("enabled=true", ["a.one", "b.two"]),
    ],
)
def test_every_filter_narrows_the_list(site: Any, query: str, names: list[str]) -> None:
    site.publish("a.one")
    site.register("b.two")
    site.start_run("b.two")
    found = site.get(f"{WORKFLOWS}?{query}").body
    assert [one["dataset_name"] for one in found["workflows"]] == names
    assert found["total_count"] == len(names)


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("dataset=DAILY", 1),
        ("dataset=other", 0),
        ("source_type=manual", 1),
        ("source_type=code", 0),
        ("status=PENDING", 1),
        ("status=FAILED", 0),
        ("run_type=adhoc", 1),
        ("run_type=backfill", 0),
        ("start_date=2000-01-01&end_date=2100-01-01", 1),
        ("end_date=2000-01-01", 0),
    ],
)
def test_every_filter_narrows_the_history(site: Any, query: str, count: int) -> None:
    site.register()
    site.start_run()
    assert site.get(f"{WORKFLOWS}/history?{query}").body["total_count"] == count


def test_fixed_segments_win_over_names(site: Any) -> None:
    assert "runs" in site.get(f"{WORKFLOWS}/history").body
    site.register("history.runs")
    assert site.get(f"{WORKFLOWS}/history.runs").body["dataset_name"] == "history.runs"


def test_a_published_set_is_in_force_at_once(site: Any) -> None:
    body = check(site.publish("a.one", "a.two", version="4f2c"), 200, record.PublicationRecord)
    assert (body["version"], body["added"]) == ("4f2c", ["a.one", "a.two"])
    body = check(site.publish("a.two", "a.three"), 200, record.PublicationRecord)
    assert (body["added"], body["removed"], body["unchanged"]) == (
        ["a.three"],
        ["a.one"],
        ["a.two"],
    )
    assert site.get(f"{WORKFLOWS}/a.two").body["source_type"] == "code"
    assert site.get(f"{WORKFLOWS}/a.one").status == 404


def test_logs_of_a_run(site: Any) -> None:
    site.register()
    run_id = site.start_run()
    found = site.get(f"{WORKFLOWS}/runs/{run_id}/logs")
    assert check(found, 200, record.LogRecord) == {"lines": [], "next": 0, "done": False}


def test_every_setting_of_a_registration_is_kept(site: Any) -> None:
    body = check(
        site.register(
            timezone="Asia/Seoul", enabled=False, retry_max_attempts=4, retry_delay_seconds=9
        ),
        201,
        record.WorkflowRegisterRecord,
    )
    assert (body["timezone"], body["enabled"], body["status"]) == ("Asia/Seoul", False, "paused")
    assert (body["retry_max_attempts"], body["retry_delay_seconds"]) == (4, 9)
    assert body["next_run"] is None
    shown = site.get(f"{WORKFLOWS}/{NAME}").body
    assert (shown["timezone"], shown["retry_max_attempts"]) == ("Asia/Seoul", 4)


def test_the_history_comes_in_pages_newest_first(site: Any) -> None:
    site.register()
    started = [site.start_run() for _ in range(3)]
    first = site.get(f"{WORKFLOWS}/history?limit=2").body
    assert [run["run_id"] for run in first["runs"]] == started[:0:-1]
    rest = site.get(f"{WORKFLOWS}/history?limit=2&offset={first['next_offset']}").body
    assert [run["run_id"] for run in rest["runs"]] == started[:1]
    assert (rest["total_count"], rest["next_offset"]) == (3, None)


def test_a_backfill_follows_all_that_it_is_told(site: Any) -> None:
    parameters = [{"name": "country", "type": "string", "default": "US"}]
    site.register(spec=site.spec(parameters=parameters), enabled=False)
    days = {"start_date": "2026-01-01", "end_date": "2026-01-02"}
    path = f"{WORKFLOWS}/{NAME}/backfill"
    told = {**days, "parameters": {"country": "KR"}}
    started = check(site.post(path, told), 202, record.BackfillChangeRecord)
    first, second = (day["run_id"] for day in started["runs"])
    shown = site.get(f"{WORKFLOWS}/runs/{second}").body
    assert shown["parameters"]["country"] == "KR"
    site.end_run(first)
    site.post(f"{WORKFLOWS}/runs/{started['run_id']}/stop")
    again = site.post(path, {**told, "skip_completed": True}).body
    assert [day["date"] for day in again["runs"]] == ["2026-01-02"]


def test_an_entry_is_addressed_by_its_source(site: Any) -> None:
    site.register()
    site.publish(NAME)
    manual, code = {"source_type": "manual"}, {"source_type": "code"}
    days = {"start_date": "2026-01-01", "end_date": "2026-01-01"}
    for action, body in (("run", {}), ("backfill", days)):
        refused = site.post(f"{WORKFLOWS}/{NAME}/{action}", {**body, **manual})
        assert (refused.status, refused.body["code"]) == (409, "DLI-806")
        assert site.post(f"{WORKFLOWS}/{NAME}/{action}", {**body, **code}).status == 202
    reason = {"reason": "audit"}
    paused = site.post(f"{WORKFLOWS}/{NAME}/pause", {**reason, **code})
    assert (paused.body["source_type"], paused.body["status"]) == ("code", "paused")
    refused = site.post(f"{WORKFLOWS}/{NAME}/unpause", manual)
    assert (refused.status, refused.body["code"]) == (403, "DLI-806")
    resumed = site.post(f"{WORKFLOWS}/{NAME}/unpause", {**reason, **code})
    assert (resumed.body["source_type"], resumed.body["status"]) == ("code", "active")


def test_a_publication_can_be_tried(site: Any) -> None:
    body = {"specs": [site.spec("a.one")], "dry_run": True}
    tried = site.post(f"{WORKFLOWS}/publish", body)
    assert check(tried, 200, record.PublicationRecord)["added"] == ["a.one"]
    assert site.get(f"{WORKFLOWS}/a.one").status == 404


FIELDS = {
    "workflow": """
        dataset_name source_type status enabled cron timezone next_run overridden_by owner team
        description tags retry_max_attempts retry_delay_seconds last_run_at last_run_status error
        created_at updated_at
    """,
    "run": """
        run_id dataset_name source_type status run_type parameters logical_date created_at
        started_at finished_at duration_seconds attempt max_attempts triggered_by backfill_id
        stop_reason error_message
    """,
    "backfill": """
        run_id dataset_name source_type status run_type parameters created_at started_at
        finished_at duration_seconds triggered_by stop_reason error_message
        start_date end_date total_runs completed_runs runs
    """,
}


def test_records_have_the_fields_of_the_contract(site: Any) -> None:
    site.register()
    days = {"start_date": "2026-01-01", "end_date": "2026-01-01"}
    backfill = site.post(f"{WORKFLOWS}/{NAME}/backfill", days).body
    found = {
        "workflow": [site.get(f"{WORKFLOWS}/{NAME}").body, *site.get(WORKFLOWS).body["workflows"]],
        "run": [
            site.get(f"{WORKFLOWS}/runs/{site.start_run()}").body,
            *site.get(f"{WORKFLOWS}/history").body["runs"],
        ],
        "backfill": [site.get(f"{WORKFLOWS}/runs/{backfill['run_id']}").body],
    }
    for kind, records in found.items():
        for one in records:
            assert set(FIELDS[kind].split()) <= one.keys(), kind
    (backfilled,) = (run for run in found["run"] if run["run_type"] == "backfill")
    assert backfilled["backfill_id"] == backfill["run_id"]
    assert backfill["runs"][0].keys() == {"run_id", "date", "status"}
