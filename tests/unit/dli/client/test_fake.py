"""The sample server of mock mode: its data, and what calls make of them."""

import re
from typing import Any

import pytest

from dli.client.basecamp import BasecampClient, ServerResponse, create_client

CLICKS = "iceberg.analytics.daily_clicks"
EVENTS = "iceberg.warehouse.user_events"
SUMMARY = "iceberg.reporting.weekly_summary"
RUNNING = f"{CLICKS}_20240115_120000"


def ok(response: ServerResponse) -> Any:
    assert response.success, response.error
    return response.data


def names(response: ServerResponse) -> list[str]:
    return [record["dataset_name"] for record in ok(response)]


def refused(response: ServerResponse) -> tuple[int, str | None]:
    assert not response.success
    assert response.error
    return response.status_code, response.code


def test_the_sample_workflows(samples: BasecampClient) -> None:
    keys = ("source", "schedule", "status", "last_run_at", "last_run_status", "next_run_at")
    found = {
        record["dataset_name"]: tuple(record[key] for key in (*keys, "owner", "team"))
        for record in ok(samples.workflow_list())
    }
    assert found == {
        CLICKS: (
            "code",
            "0 6 * * *",
            "active",
            "2024-01-15T06:00:00Z",
            "COMPLETED",
            "2024-01-16T06:00:00Z",
            "analytics@example.com",
            "@analytics",
        ),
        EVENTS: (
            "code",
            "0 */4 * * *",
            "active",
            "2024-01-15T04:00:00Z",
            "COMPLETED",
            "2024-01-15T08:00:00Z",
            "data@example.com",
            "@data-eng",
        ),
        SUMMARY: (
            "manual",
            None,
            "paused",
            "2024-01-08T10:00:00Z",
            "FAILED",
            None,
            "reporting@example.com",
            "@reporting",
        ),
    }
    assert {record["timezone"] for record in ok(samples.workflow_list())} == {"UTC"}


def test_the_sample_runs(samples: BasecampClient) -> None:
    keys = ("run_id", "source", "run_type", "status", "started_at", "ended_at", "duration_seconds")
    found = [
        tuple(record[key] for key in (*keys, "triggered_by"))
        for record in ok(samples.workflow_history())
    ]
    assert found == [
        (
            RUNNING,
            "manual",
            "adhoc",
            "RUNNING",
            "2024-01-15T12:00:00Z",
            None,
            None,
            "user@example.com",
        ),
        (
            f"{CLICKS}_20240115_060000",
            "code",
            "scheduled",
            "COMPLETED",
            "2024-01-15T06:00:00Z",
            "2024-01-15T06:15:00Z",
            900,
            "scheduler",
        ),
        (
            f"{EVENTS}_20240115_040000",
            "code",
            "scheduled",
            "COMPLETED",
            "2024-01-15T04:00:00Z",
            "2024-01-15T04:30:00Z",
            1800,
            "scheduler",
        ),
        (
            f"{SUMMARY}_20240108_100000",
            "manual",
            "scheduled",
            "FAILED",
            "2024-01-08T10:00:00Z",
            "2024-01-08T10:05:00Z",
            300,
            "scheduler",
        ),
    ]
    assert all(record["params"] == {} for record in ok(samples.workflow_history()))
    (failed,) = ok(samples.workflow_history(status_filter="FAILED"))
    assert failed["error_message"]


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"source": "code"}, [CLICKS, EVENTS]),
        ({"source": "manual"}, [SUMMARY]),
        ({"running_only": True}, [CLICKS]),
        ({"enabled_only": True}, [CLICKS, EVENTS]),
        ({"dataset_filter": "USER"}, [EVENTS]),
        ({"status": "paused"}, [SUMMARY]),
        ({"limit": 1}, [CLICKS]),
        ({"limit": 2, "offset": 1}, [EVENTS, SUMMARY]),
        ({"dataset_filter": "nothing"}, []),
    ],
)
def test_filters_of_the_list(
    samples: BasecampClient, filters: dict[str, Any], expected: list[str]
) -> None:
    assert names(samples.workflow_list(**filters)) == expected


def test_the_list_counts_all_matches(samples: BasecampClient) -> None:
    meta = samples.workflow_list(limit=2).meta
    assert meta == {"total_count": 3, "limit": 2, "offset": 0, "next_offset": 2}


@pytest.mark.parametrize(
    ("filters", "count"),
    [
        ({"dataset_filter": "CLICKS"}, 2),
        ({"source": "manual"}, 2),
        ({"status_filter": "COMPLETED"}, 2),
        ({"limit": 3}, 3),
        ({"source": "manual", "limit": 1}, 1),
        ({"limit": 3, "offset": 3}, 1),
    ],
)
def test_filters_of_the_history(
    samples: BasecampClient, filters: dict[str, Any], count: int
) -> None:
    assert len(ok(samples.workflow_history(**filters))) == count


@pytest.mark.parametrize("limit", [0, -1])
def test_a_bad_limit_is_refused(samples: BasecampClient, limit: int) -> None:
    assert refused(samples.workflow_list(limit=limit)) == (422, "DLI-204")
    assert refused(samples.workflow_history(limit=limit)) == (422, "DLI-204")


def test_a_run_can_be_started_read_listed_and_stopped(samples: BasecampClient) -> None:
    started = ok(samples.workflow_run("any.dataset", {"day": "2025-01-01"}))
    assert re.fullmatch(r"any\.dataset_\d{8}_\d{6}", started["run_id"])
    assert started["status"] == "PENDING"
    assert started["triggered_by"] == "cli"
    assert started["params"] == {"day": "2025-01-01"}
    run_id = started["run_id"]
    assert ok(samples.workflow_status(run_id))["status"] == "PENDING"
    assert ok(samples.workflow_history("any.dataset"))[0]["run_id"] == run_id
    stopped = ok(samples.workflow_stop(run_id, reason="enough"))
    assert stopped["status"] == "KILLED"
    assert "stopped successfully" in stopped["message"]
    again = samples.workflow_stop(run_id)
    assert refused(again) == (400, "DLI-807")
    assert "cannot stop" in str(again.error)


def test_two_runs_in_one_second_are_two_runs(samples: BasecampClient) -> None:
    for _ in range(3):
        samples.workflow_run("a.b")
    assert len(ok(samples.workflow_history("a.b"))) == 3


def test_a_dry_run_starts_nothing(samples: BasecampClient) -> None:
    checked = ok(samples.workflow_run("a.b", {"x": 1}, dry_run=True))
    assert checked["message"]
    assert (checked["dataset_name"], checked["params"]) == ("a.b", {"x": 1})
    assert checked["would_create_run_id"].startswith("a.b_")
    assert "run_id" not in checked
    assert ok(samples.workflow_history("a.b")) == []


def test_a_backfill_is_one_run_a_day(samples: BasecampClient) -> None:
    started = ok(samples.workflow_backfill("a.b", "2025-02-27", "2025-03-01"))
    assert started["total_runs"] == 3
    assert started["runs"] == [
        {"run_id": "a.b_20250227_000000", "date": "2025-02-27", "status": "PENDING"},
        {"run_id": "a.b_20250228_000000", "date": "2025-02-28", "status": "PENDING"},
        {"run_id": "a.b_20250301_000000", "date": "2025-03-01", "status": "PENDING"},
    ]
    assert (started["start_date"], started["end_date"]) == ("2025-02-27", "2025-03-01")
    run = ok(samples.workflow_status("a.b_20250228_000000"))
    assert run["run_type"] == "backfill"


def test_a_backfill_that_cannot_be_is_not(samples: BasecampClient) -> None:
    backwards = ok(samples.workflow_backfill("a.b", "2025-01-02", "2025-01-01"))
    assert (backwards["total_runs"], backwards["runs"]) == (0, [])
    dry = ok(samples.workflow_backfill("a.b", "2025-01-01", "2025-01-02", dry_run=True))
    assert dry["total_runs"] == 2
    assert "runs" not in dry
    assert refused(samples.workflow_backfill("a.b", "x", "y")) == (422, "DLI-204")
    long = samples.workflow_backfill("a.b", "2020-01-01", "2025-01-01")
    assert refused(long) == (422, "DLI-204")
    assert ok(samples.workflow_history("a.b")) == []


def test_unknown_runs(samples: BasecampClient) -> None:
    for response in (samples.workflow_status("nope"), samples.workflow_stop("nope")):
        assert refused(response) == (404, "DLI-800")
        assert "not found" in str(response.error)


def test_pause_and_unpause(samples: BasecampClient) -> None:
    paused = ok(samples.workflow_pause(CLICKS))
    assert paused["paused"] is True
    assert "paused successfully" in paused["message"]
    again = samples.workflow_pause(CLICKS)
    assert refused(again) == (400, "DLI-807")
    assert "already paused" in str(again.error)
    assert names(samples.workflow_list(enabled_only=True)) == [EVENTS]
    resumed = ok(samples.workflow_unpause(CLICKS))
    assert resumed["paused"] is False
    assert resumed["next_run"]
    assert "unpaused successfully" in resumed["message"]
    not_paused = samples.workflow_unpause(CLICKS)
    assert refused(not_paused) == (400, "DLI-807")
    assert "not paused" in str(not_paused.error)
    assert refused(samples.workflow_pause("nope")) == (404, "DLI-800")
    assert refused(samples.workflow_unpause("nope")) == (404, "DLI-800")


def test_register_and_unregister(samples: BasecampClient) -> None:
    made = ok(
        samples.workflow_register(
            "a.b", "0 9 * * *", timezone="Asia/Seoul", retry_max_attempts=3, retry_delay_seconds=60
        )
    )
    expected = {
        "dataset_name": "a.b",
        "source_type": "manual",
        "status": "active",
        "cron": "0 9 * * *",
        "timezone": "Asia/Seoul",
        "retry_max_attempts": 3,
        "retry_delay_seconds": 60,
    }
    assert made.items() >= expected.items()
    assert made["next_run"].endswith("T00:00:00Z")
    assert refused(samples.workflow_register("a.b", "0 9 * * *")) == (409, "DLI-804")
    replaced = ok(samples.workflow_register("a.b", "0 8 * * *", enabled=False, force=True))
    assert (replaced["status"], replaced["next_run"]) == ("paused", None)
    assert names(samples.workflow_list(dataset_filter="a.b")) == ["a.b"]
    run_id = ok(samples.workflow_run("a.b"))["run_id"]
    gone = ok(samples.workflow_unregister("a.b"))
    assert gone["dataset_name"] == "a.b"
    assert gone["message"]
    assert ok(samples.workflow_status(run_id))["status"] == "KILLED"
    assert refused(samples.workflow_unregister("a.b")) == (404, "DLI-800")


@pytest.mark.parametrize("force", [False, True])
def test_a_code_workflow_is_not_changed_from_here(samples: BasecampClient, force: bool) -> None:
    registered = samples.workflow_register(CLICKS, "0 9 * * *", force=force)
    assert refused(registered) == (403, "DLI-803")
    assert refused(samples.workflow_unregister(CLICKS)) == (403, "DLI-803")


@pytest.mark.parametrize(
    ("cron", "timezone"), [("* * *", "UTC"), ("0 9 * * *", "Mars/Base"), ("", "UTC")]
)
def test_a_bad_schedule_is_refused(samples: BasecampClient, cron: str, timezone: str) -> None:
    response = samples.workflow_register("a.b", cron, timezone=timezone)
    assert refused(response) == (422, "DLI-805")


def test_what_the_samples_cannot_honour_is_refused(samples: BasecampClient) -> None:
    assert refused(samples.workflow_pause(CLICKS, until="2030-01-01T00:00:00Z"))[0] == 422
    assert refused(samples.workflow_publish([]))[0] == 501
    skipped = samples.workflow_backfill("a.b", "2025-01-01", "2025-01-01", skip_completed=True)
    assert refused(skipped)[0] == 422


def test_the_other_samples(samples: BasecampClient) -> None:
    def listed(response: ServerResponse) -> list[str]:
        return [record["name"] for record in ok(response)]

    health = ok(samples.health_check())
    assert health["status"] == "ok"
    assert health["version"]
    metrics = ["iceberg.reporting.user_summary", "iceberg.analytics.revenue_daily"]
    assert listed(samples.list_metrics()) == metrics
    assert listed(samples.list_metrics(search="revenue")) == metrics[1:]
    assert listed(samples.list_datasets()) == [CLICKS, EVENTS]
    assert listed(samples.list_datasets(tag="daily", owner="analytics@example.com")) == [CLICKS]
    assert listed(samples.catalog_list()) == [
        "my-project.analytics.users",
        "my-project.analytics.orders",
        "my-project.warehouse.events",
        "other-project.reporting.sales_summary",
    ]
    assert listed(samples.catalog_list(project="my-project", tags=["users"])) == [
        "my-project.analytics.users"
    ]
    assert listed(samples.catalog_search("REVENUE")) == ["other-project.reporting.sales_summary"]
    rules = [(rule["source"], rule["target"]) for rule in ok(samples.transpile_get_rules())]
    assert rules == [
        ("raw.events", "warehouse.events_v2"),
        ("analytics.users", "analytics.users_v2"),
        ("legacy.orders", "warehouse.orders"),
    ]
    for name in (
        "revenue",
        "total_orders_from_active_customers",
        "daily_active_users",
        "conversion_rate",
    ):
        assert ok(samples.transpile_get_metric_sql(name))["expression"]
    assert refused(samples.transpile_get_metric_sql("nope")) == (404, "DLI-102")
    assert len(ok(samples.list_qualities())) == 4
    assert refused(samples.get_quality("nope")) == (404, "DLI-606")


def test_every_sample_says_who_owns_it(samples: BasecampClient) -> None:
    listed = (samples.list_metrics(), samples.list_datasets(), samples.workflow_list())
    for record in [record for response in listed for record in ok(response)]:
        assert record["owner"]
        assert record["team"]
        assert record["tags"]


def test_sample_tables_have_columns_and_users_have_personal_ones(samples: BasecampClient) -> None:
    for record in ok(samples.catalog_list()):
        assert record["owner"]
        assert record["team"]
        assert record["tags"]
        detail = ok(samples.catalog_get(record["name"]))
        assert len(detail["columns"]) >= 3
        assert "sample_data" not in detail
        has_personal = any(column["is_pii"] for column in detail["columns"])
        assert has_personal == record["name"].endswith(".users")
        assert ok(samples.catalog_sample_queries(record["name"]))
    with_rows = ok(samples.catalog_get("my-project.analytics.users", include_sample=True))
    assert with_rows["sample_data"]
    assert refused(samples.catalog_get("nope")) == (404, "DLI-702")


def test_events_are_upstream_of_clicks(samples: BasecampClient) -> None:
    lineage = ok(samples.get_lineage(CLICKS))
    assert lineage["edges"] == [{"source": EVENTS, "target": CLICKS, "edge_type": "direct"}]
    assert (lineage["total_upstream"], lineage["total_downstream"]) == (1, 0)
    down = ok(samples.get_lineage(EVENTS, "downstream"))
    assert [node["name"] for node in down["nodes"]] == [CLICKS]
    assert ok(samples.get_lineage(EVENTS, "upstream"))["nodes"] == []
    assert refused(samples.get_lineage("nope")) == (404, "DLI-101")
    assert ok(samples.get_column_lineage(CLICKS)) == {"name": CLICKS, "columns": {}}
    assert refused(samples.get_column_lineage("nope")) == (404, "DLI-101")


def test_a_quality_test_passes(samples: BasecampClient) -> None:
    result = ok(samples.execute_quality_test(CLICKS, "pk_unique", "unique"))
    expected = {
        "test_name": "pk_unique",
        "resource_name": CLICKS,
        "status": "pass",
        "failed_rows": 0,
    }
    assert result.items() >= expected.items()


def test_datasets_can_be_registered_once(samples: BasecampClient) -> None:
    assert samples.register_dataset({"name": "a.b"}).success
    assert refused(samples.register_dataset({"name": "a.b"})) == (409, "DLI-201")
    assert samples.register_dataset({"name": "a.b", "owner": "me"}, force=True).success
    assert ok(samples.get_dataset("a.b"))["owner"] == "me"
    assert ok(samples.run_dataset("a.b"))["status"] == "success"
    assert refused(samples.run_dataset("nope")) == (404, "DLI-101")
    assert refused(samples.get_metric("nope")) == (404, "DLI-102")


def test_each_client_has_its_own_copy(samples: BasecampClient) -> None:
    samples.workflow_pause(CLICKS)
    record = ok(samples.workflow_list())[0]
    record["tags"].append("changed")
    other = create_client()
    assert ok(other.workflow_list())[0]["status"] == "active"
    assert "changed" not in ok(other.workflow_list())[0]["tags"]
    assert "changed" not in ok(samples.workflow_list())[0]["tags"]


def test_what_http_cannot_carry_is_refused_here_too(samples: BasecampClient) -> None:
    assert refused(samples.workflow_run("a.b", {"x": object()})) == (422, "DLI-204")
    assert refused(samples.workflow_pause("")) == (422, "DLI-204")
