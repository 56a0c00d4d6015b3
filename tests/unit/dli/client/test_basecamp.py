"""Each method of the client is the request that the HTTP API names; records keep aliases."""

import logging
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from dli.client.basecamp import BasecampClient, RunStatus, WorkflowSource, create_client
from dli.client.response import ServerConfig

Call = Callable[[BasecampClient], Any]

WORKFLOW = {
    "dataset_name": "a.b",
    "source_type": "manual",
    "status": "paused",
    "cron": "",
    "timezone": "UTC",
    "next_run": None,
}
RUN = {
    "run_id": "r-1",
    "dataset_name": "a.b",
    "source_type": "code",
    "status": "COMPLETED",
    "parameters": {"day": "2025-01-01"},
    "finished_at": "2025-01-01T00:00:00Z",
}

GETS: list[tuple[Call, str, dict[str, list[str]]]] = [
    (lambda c: c.health_check(), "/health", {}),
    (lambda c: c.get_metric("m.n"), "/metrics/m.n", {}),
    (lambda c: c.get_dataset("a.b"), "/datasets/a.b", {}),
    (lambda c: c.get_lineage("a.b"), "/lineage/a.b", {"direction": ["both"], "depth": ["-1"]}),
    (
        lambda c: c.get_lineage("a.b", "upstream", 0),
        "/lineage/a.b",
        {"direction": ["upstream"], "depth": ["0"]},
    ),
    (lambda c: c.get_column_lineage("a.b"), "/lineage/a.b/columns", {}),
    (lambda c: c.workflow_get("a.b"), "/workflows/a.b", {}),
    (lambda c: c.workflow_status("r/1"), "/workflows/runs/r%2F1", {}),
    (lambda c: c.workflow_status("r", wait=2.5), "/workflows/runs/r", {"wait": ["2.5"]}),
    (lambda c: c.workflow_logs("r"), "/workflows/runs/r/logs", {}),
    (
        lambda c: c.workflow_logs("r", after=7, limit=5, wait=3),
        "/workflows/runs/r/logs",
        {"after": ["7"], "limit": ["5"], "wait": ["3"]},
    ),
    (lambda c: c.catalog_get("p.d.t"), "/catalog/tables/p.d.t", {}),
    (
        lambda c: c.catalog_get("p.d.t", include_sample=True),
        "/catalog/tables/p.d.t",
        {"include_sample": ["true"]},
    ),
    (
        lambda c: c.catalog_sample_queries("p.d.t"),
        "/catalog/tables/p.d.t/queries",
        {"limit": ["5"]},
    ),
    (lambda c: c.transpile_get_rules(), "/transpile/rules", {}),
    (lambda c: c.transpile_get_metric_sql("revenue"), "/transpile/metrics/revenue", {}),
    (lambda c: c.get_quality("q"), "/quality/q", {}),
]

LISTS: list[tuple[Call, str, str, dict[str, list[str]]]] = [
    (lambda c: c.workflow_list(), "/workflows", "workflows", {"limit": ["100"]}),
    (
        lambda c: c.workflow_list(
            WorkflowSource.CODE, True, True, "clicks", status="active", limit=7, offset=3
        ),
        "/workflows",
        "workflows",
        {
            "source_type": ["code"],
            "running": ["true"],
            "enabled": ["true"],
            "dataset": ["clicks"],
            "status": ["active"],
            "limit": ["7"],
            "offset": ["3"],
        },
    ),
    (lambda c: c.workflow_history(), "/workflows/history", "runs", {"limit": ["20"]}),
    (
        lambda c: c.workflow_history("a.b", "manual", 5, RunStatus.FAILED),
        "/workflows/history",
        "runs",
        {"dataset": ["a.b"], "source_type": ["manual"], "limit": ["5"], "status": ["FAILED"]},
    ),
    (
        lambda c: c.list_datasets("daily", "me", "click"),
        "/datasets",
        "datasets",
        {"tag": ["daily"], "owner": ["me"], "search": ["click"], "limit": ["500"]},
    ),
    (lambda c: c.list_metrics(), "/metrics", "metrics", {"limit": ["500"]}),
    (
        lambda c: c.list_qualities("dataset", "a.b", "active"),
        "/quality",
        "qualities",
        {"target_type": ["dataset"], "target": ["a.b"], "status": ["active"], "limit": ["500"]},
    ),
    (
        lambda c: c.catalog_list(project="p", tags=["x", "y"]),
        "/catalog/tables",
        "tables",
        {"project": ["p"], "tag": ["x", "y"], "limit": ["50"]},
    ),
    (
        lambda c: c.catalog_search("mail", project="p"),
        "/catalog/search",
        "tables",
        {"keyword": ["mail"], "project": ["p"], "limit": ["20"]},
    ),
]

PLAIN_RUN = {"parameters": {}, "dry_run": False}
PLAIN_REGISTER = {
    "dataset_name": "a.b",
    "cron": "0 9 * * *",
    "timezone": "UTC",
    "enabled": True,
    "retry_max_attempts": 1,
    "retry_delay_seconds": 300,
    "force": False,
}

POSTS: list[tuple[Call, str, dict[str, Any]]] = [
    (lambda c: c.workflow_run("a.b"), "/workflows/a.b/run", PLAIN_RUN),
    (
        lambda c: c.workflow_run("a.b", {"day": date(2025, 1, 1)}, True),
        "/workflows/a.b/run",
        {"parameters": {"day": "2025-01-01"}, "dry_run": True},
    ),
    (
        lambda c: c.workflow_backfill("a.b", "2025-01-01", "2025-01-02"),
        "/workflows/a.b/backfill",
        {
            **PLAIN_RUN,
            "start_date": "2025-01-01",
            "end_date": "2025-01-02",
            "skip_completed": False,
        },
    ),
    (
        lambda c: c.workflow_backfill(
            "a.b", "2025-01-01", "2025-01-02", {"x": 1}, dry_run=True, skip_completed=True
        ),
        "/workflows/a.b/backfill",
        {
            "start_date": "2025-01-01",
            "end_date": "2025-01-02",
            "parameters": {"x": 1},
            "dry_run": True,
            "skip_completed": True,
        },
    ),
    (lambda c: c.workflow_stop("r-1"), "/workflows/runs/r-1/stop", {}),
    (lambda c: c.workflow_stop("r-1", reason="why"), "/workflows/runs/r-1/stop", {"reason": "why"}),
    (lambda c: c.workflow_pause("a.b"), "/workflows/a.b/pause", {}),
    (
        lambda c: c.workflow_pause("a.b", reason="why", until=datetime(2025, 1, 1, tzinfo=UTC)),
        "/workflows/a.b/pause",
        {"reason": "why", "until": "2025-01-01T00:00:00Z"},
    ),
    (
        lambda c: c.workflow_pause("a.b", until=datetime(2025, 1, 1)),  # noqa: DTZ001
        "/workflows/a.b/pause",
        {"until": "2025-01-01T00:00:00Z"},
    ),
    (
        lambda c: c.workflow_unpause("a.b", reason="why"),
        "/workflows/a.b/unpause",
        {"reason": "why"},
    ),
    (lambda c: c.workflow_register("a.b", "0 9 * * *"), "/workflows/register", PLAIN_REGISTER),
    (
        lambda c: c.workflow_register("a.b", "0 9 * * *", force=True, spec={"name": "a.b"}),
        "/workflows/register",
        {**PLAIN_REGISTER, "force": True, "spec": {"name": "a.b"}},
    ),
    (
        lambda c: c.workflow_publish([{"name": "a.b"}]),
        "/workflows/publish",
        {"specs": [{"name": "a.b"}], "dry_run": False},
    ),
    (
        lambda c: c.workflow_publish([], version="v1", dry_run=True),
        "/workflows/publish",
        {"specs": [], "dry_run": True, "version": "v1"},
    ),
    (
        lambda c: c.register_dataset({"name": "a.b"}, force=True),
        "/datasets",
        {"spec": {"name": "a.b"}, "force": True},
    ),
    (
        lambda c: c.register_metric({"name": "m"}),
        "/metrics",
        {"spec": {"name": "m"}, "force": False},
    ),
    (
        lambda c: c.run_dataset("a.b", {"x": 1}, True),
        "/datasets/a.b/run",
        {"parameters": {"x": 1}, "dry_run": True},
    ),
    (lambda c: c.run_metric("m", limit=9), "/metrics/m/run", {**PLAIN_RUN, "limit": 9}),
    (
        lambda c: c.run_sql("SELECT 1", dialect="trino"),
        "/sql/run",
        {"sql": "SELECT 1", "parameters": {}, "dialect": "trino"},
    ),
    (
        lambda c: c.execute_quality_test("a.b", "t", "unique", ["id"], {"x": 1}, "warn"),
        "/quality/tests/run",
        {
            "resource_name": "a.b",
            "test_name": "t",
            "test_type": "unique",
            "columns": ["id"],
            "params": {"x": 1},
            "severity": "warn",
        },
    ),
    (
        lambda c: c.run_quality({"version": 1}, tests=["t"], fail_fast=True),
        "/quality/run",
        {"spec": {"version": 1}, "parameters": {}, "fail_fast": True, "tests": ["t"]},
    ),
]


@pytest.mark.parametrize(("call", "path", "query"), GETS)
def test_a_question_is_a_get(
    wire: Any, connected: Any, call: Call, path: str, query: dict[str, list[str]]
) -> None:
    wire.script(wire.answers({"rules": [], "queries": []}))
    assert call(connected.client).success
    (request,) = wire.received
    parts = urlsplit(request.target)
    assert (request.method, parts.path) == ("GET", "/api/v1" + path)
    assert parse_qs(parts.query) == query
    assert request.body == b""


@pytest.mark.parametrize(("call", "path", "items", "query"), LISTS)
def test_a_list_is_a_get_and_its_data_are_the_records(
    wire: Any, connected: Any, *, call: Call, path: str, items: str, query: dict[str, list[str]]
) -> None:
    wire.script(wire.answers({items: [{"name": "x"}], "total_count": 9, "next_offset": None}))
    response = call(connected.client)
    assert response.success
    assert response.data == [{"name": "x"}]
    assert response.meta["total_count"] == 9
    parts = urlsplit(wire.received[0].target)
    assert (wire.received[0].method, parts.path) == ("GET", "/api/v1" + path)
    assert parse_qs(parts.query) == query


@pytest.mark.parametrize(("call", "path", "body"), POSTS)
def test_a_change_is_a_post_with_a_json_body(
    wire: Any, connected: Any, call: Call, path: str, body: dict[str, Any]
) -> None:
    assert call(connected.client).success
    (request,) = wire.received
    assert (request.method, request.target) == ("POST", "/api/v1" + path)
    assert request.headers["Content-Type"] == "application/json"
    assert request.json == body


def test_unregister_is_a_delete_with_a_key(wire: Any, connected: Any) -> None:
    assert connected.client.workflow_unregister("a.b").success
    (request,) = wire.received
    assert (request.method, request.target) == ("DELETE", "/api/v1/workflows/a.b")
    assert request.headers["Idempotency-Key"]


@pytest.mark.parametrize(
    "call",
    [
        lambda c: c.workflow_get("a.b").data,
        lambda c: c.workflow_register("a.b", "0 9 * * *").data,
        lambda c: c.workflow_pause("a.b").data,
        lambda c: c.workflow_unpause("a.b").data,
    ],
)
def test_a_workflow_record_has_the_kept_aliases(wire: Any, connected: Any, call: Call) -> None:
    wire.script(wire.answers(WORKFLOW))
    aliases = {"source": "manual", "schedule": None, "paused": True, "next_run_at": None}
    assert call(connected.client) == {**WORKFLOW, **aliases}


@pytest.mark.parametrize(
    "call",
    [
        lambda c: c.workflow_status("r-1").data,
        lambda c: c.workflow_run("a.b").data,
        lambda c: c.workflow_backfill("a.b", "2025-01-01", "2025-01-02").data,
        lambda c: c.workflow_stop("r-1").data,
    ],
)
def test_a_run_record_has_the_kept_aliases(wire: Any, connected: Any, call: Call) -> None:
    wire.script(wire.answers(RUN))
    aliases = {"source": "code", "params": RUN["parameters"], "ended_at": RUN["finished_at"]}
    assert call(connected.client) == {**RUN, **aliases}


def test_listed_records_have_the_kept_aliases(wire: Any, connected: Any) -> None:
    active = {**WORKFLOW, "status": "active", "cron": "0 9 * * *"}
    wire.script(wire.answers({"workflows": [active]}), wire.answers({"runs": [RUN]}))
    (workflow,) = connected.client.workflow_list().data
    assert (workflow["schedule"], workflow["paused"]) == ("0 9 * * *", False)
    (run,) = connected.client.workflow_history().data
    assert run["ended_at"] == RUN["finished_at"]


def test_pages_are_followed_until_the_limit(wire: Any, connected: Any) -> None:
    def page(first: int, count: int, next_offset: int | None) -> Any:
        records = [{"name": str(n)} for n in range(first, first + count)]
        return wire.answers(
            {"tables": records, "total_count": 1200, "limit": 500, "next_offset": next_offset}
        )

    wire.script(page(0, 100, 100), page(100, 100, 200), page(200, 50, 250))
    response = connected.client.catalog_list(limit=220)
    assert [record["name"] for record in response.data] == [str(n) for n in range(220)]
    assert response.meta == {"total_count": 1200, "limit": 220, "offset": 0, "next_offset": 250}
    queries = [parse_qs(urlsplit(request.target).query) for request in wire.received]
    assert queries == [
        {"limit": ["220"]},
        {"limit": ["120"], "offset": ["100"]},
        {"limit": ["20"], "offset": ["200"]},
    ]


def test_a_list_without_a_limit_has_all_pages(wire: Any, connected: Any) -> None:
    wire.script(
        wire.answers({"datasets": [{"name": "a"}], "next_offset": 1}),
        wire.answers({"datasets": [{"name": "b"}], "next_offset": None}),
    )
    assert connected.client.list_datasets().data == [{"name": "a"}, {"name": "b"}]


def test_a_page_that_fails_fails_the_list(wire: Any, connected: Any) -> None:
    wire.script(
        wire.answers({"datasets": [{"name": "a"}], "next_offset": 1}), wire.problem(500, "DLI-503")
    )
    response = connected.client.list_datasets()
    assert (response.success, response.status_code, response.data) == (False, 500, None)


@pytest.mark.parametrize("next_offset", [0, 1, -5, "2", True])
def test_a_next_page_that_does_not_come_later_ends_the_list(
    wire: Any, connected: Any, next_offset: object
) -> None:
    pages = [wire.answers({"datasets": [{}], "next_offset": n}) for n in (1, next_offset)]
    wire.script(*pages)
    assert connected.client.list_datasets().data == [{}, {}]
    assert len(wire.received) == 2


@pytest.mark.parametrize("body", [{}, {"workflows": {}}, {"workflows": ["a.b"]}])
def test_a_list_that_is_none_is_a_failure(wire: Any, connected: Any, body: object) -> None:
    wire.script(wire.answers(body))
    response = connected.client.workflow_list()
    assert (response.success, response.status_code, response.code) == (False, 502, "DLI-503")


def test_a_refusal_carries_code_text_and_details(wire: Any, connected: Any) -> None:
    errors = [{"pointer": "/cron", "message": "needs five fields"}]
    problem = {
        "status": 422,
        "title": "Unprocessable",
        "detail": "The schedule is\x1b[31m not valid",
        "code": "DLI-805",
        "request_id": "req-7",
        "errors": errors,
    }
    wire.script(wire.answers(problem, 422))
    response = connected.client.workflow_register("a.b", "x")
    assert (response.success, response.data, response.status_code) == (False, None, 422)
    assert response.code == "DLI-805"
    assert response.error == "The schedule is [31m not valid; /cron needs five fields"
    assert response.details == {"request_id": "req-7", "errors": errors}


@pytest.mark.parametrize(
    ("status", "code"),
    [(401, "DLI-502"), (500, "DLI-503"), (429, "DLI-503"), (504, "DLI-402"), (404, None)],
)
def test_a_refusal_without_a_code_gets_that_of_its_status(
    wire: Any, connected: Any, status: int, code: str | None
) -> None:
    wire.script(wire.answers({}, status, {"X-Request-Id": "req-9"}))
    response = connected.client.workflow_get("a.b")
    assert (response.status_code, response.code) == (status, code)
    assert str(status) in (response.error or "")
    assert response.details == {"request_id": "req-9"}


def test_the_token_is_never_shown() -> None:
    client = BasecampClient(ServerConfig(url="http://h", api_key="s3cret"))
    assert "s3cret" not in repr(client)
    assert "s3cret" not in repr(client.config)


def test_create_client_is_a_sample_client_unless_told_otherwise(
    caplog: pytest.LogCaptureFixture,
) -> None:
    client = create_client()
    assert (client.config.url, client.config.timeout) == ("http://localhost:8081", 30)
    assert client.mock_mode
    assert not caplog.records
    real = create_client("http://h:1", timeout=5, api_key="k", mock_mode=False)
    assert (real.config.url, real.config.timeout, real.config.api_key) == ("http://h:1", 5, "k")
    assert not caplog.records


def test_create_client_warns_when_a_given_url_would_not_be_used(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.WARNING):
        assert create_client("http://h:1").mock_mode
    assert "mock_mode=False" in caplog.text
