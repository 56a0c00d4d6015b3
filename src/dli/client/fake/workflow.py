"""Sample workflows and what calls make of them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from dli.client.fake.page import done, page
from dli.client.fake.run import FakeRuns, in_wire_form
from dli.client.response import refusal
from dli.exceptions import WorkflowRegistrationError
from dli.models.state import SourceType, WorkflowStatus
from dli.specs.schedule import check_schedule, next_fire

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dli.client.response import Record, ServerResponse

__all__ = ["FakeWorkflows"]

_BACKFILL_LIMIT = 1000


class FakeWorkflows:
    """The workflows of one mock client, in the order in which they came."""

    def __init__(self) -> None:
        self._workflows = {record["dataset_name"]: record for record in _samples()}
        self._runs = FakeRuns()

    def answer(
        self, method: str, path: Sequence[str], query: Mapping[str, Any], body: Record
    ) -> ServerResponse:
        match (method, *path):
            case ("GET",):
                return page("workflows", self._list(query), query)
            case ("GET", "history"):
                return page("runs", self._runs.history(query), query)
            case ("POST", "register"):
                return self._register(body)
            case ("POST", "publish"):
                return refusal(501, "DLI-801", "The sample server takes no published projects")
            case (_, "runs", run_id, *rest):
                return self._runs.answer(run_id, rest, body)
            case (_, name, "run" | "backfill" as verb):
                return self._start(name, verb, body)
            case (_, name, *rest) if name in self._workflows:
                return self._on_one(self._workflows[name], method, rest, body)
            case _:
                return refusal(404, "DLI-800", "Workflow not found")

    def _on_one(
        self, workflow: Record, method: str, path: Sequence[str], body: Record
    ) -> ServerResponse:
        match (method, *path):
            case ("GET",):
                return done(self._shown(workflow))
            case ("DELETE",):
                return self._unregister(workflow)
            case ("POST", "pause"):
                return self._pause(workflow, body)
            case ("POST", "unpause"):
                return self._unpause(workflow)
            case _:
                return refusal(405, "DLI-201", "No such operation")

    def _list(self, query: Mapping[str, Any]) -> list[Record]:
        wanted = {key: query[key] for key in ("source_type", "status") if query.get(key)}
        if query.get("enabled"):
            wanted["enabled"] = True
        text = (query.get("dataset") or "").lower()
        found = [
            self._shown(workflow)
            for name, workflow in self._workflows.items()
            if all(workflow[key] == value for key, value in wanted.items())
            and text in name.lower()
            and (not query.get("running") or self._runs.are_active(name))
        ]
        return sorted(found, key=lambda record: record["dataset_name"].lower() != text)

    def _shown(self, workflow: Record) -> Record:
        return {**workflow, **self._runs.last_finished(workflow["dataset_name"])}

    def _register(self, body: Record) -> ServerResponse:
        name = body["dataset_name"]
        existing = self._workflows.get(name)
        if existing and existing["source_type"] == SourceType.CODE:
            return refusal(403, "DLI-803", "A CODE workflow of this name exists; change it in Git")
        if existing and not body["force"]:
            return refusal(409, "DLI-804", "A MANUAL workflow of this name exists; use force")
        try:
            check_schedule(body["cron"], body["timezone"])
        except WorkflowRegistrationError as error:
            return refusal(422, error.code.value, error.message)
        if body["retry_max_attempts"] < 1 or body["retry_delay_seconds"] < 0:
            return refusal(422, "DLI-204", "retry_max_attempts or retry_delay_seconds out of range")
        about = body.get("spec") or existing or {}
        workflow = _workflow(
            name,
            SourceType.MANUAL,
            cron=body["cron"],
            timezone=body["timezone"],
            enabled=body["enabled"],
            owner=about.get("owner", ""),
            team=about.get("team", ""),
            description=about.get("description", ""),
            tags=about.get("tags", []),
            retry_max_attempts=body["retry_max_attempts"],
            retry_delay_seconds=body["retry_delay_seconds"],
        )
        workflow["next_run"] = _next_run(workflow)
        self._workflows[name] = workflow
        return done({**self._shown(workflow), "message": f"{name} registered", "warning": None})

    def _unregister(self, workflow: Record) -> ServerResponse:
        name = workflow["dataset_name"]
        if workflow["source_type"] == SourceType.CODE:
            return refusal(403, "DLI-803", "This is a CODE workflow; remove it in Git")
        del self._workflows[name]
        self._runs.kill_pending(name)
        return done({"dataset_name": name, "message": f"{name} unregistered"})

    def _pause(self, workflow: Record, body: Record) -> ServerResponse:
        if body.get("until"):
            return refusal(422, "DLI-204", "The sample server has no clock to resume a schedule")
        if workflow["status"] == WorkflowStatus.PAUSED:
            return refusal(400, "DLI-807", "The workflow is already paused")
        workflow.update(status=WorkflowStatus.PAUSED.value, enabled=False, next_run=None)
        message = f"{workflow['dataset_name']} paused successfully"
        return done({**self._shown(workflow), "message": message})

    def _unpause(self, workflow: Record) -> ServerResponse:
        if workflow["status"] != WorkflowStatus.PAUSED:
            return refusal(400, "DLI-807", "The workflow is not paused")
        workflow.update(status=WorkflowStatus.ACTIVE.value, enabled=True)
        workflow["next_run"] = _next_run(workflow)
        message = f"{workflow['dataset_name']} unpaused successfully"
        return done({**self._shown(workflow), "message": message})

    def _start(self, name: str, verb: str, body: Record) -> ServerResponse:
        source_type = self._workflows.get(name, {}).get("source_type", SourceType.MANUAL.value)
        if verb == "run":
            return self._runs.start(name, source_type, body)
        if body.get("skip_completed"):
            return refusal(422, "DLI-204", "The sample server cannot leave out completed days")
        try:
            first = date.fromisoformat(body["start_date"])
            last = date.fromisoformat(body["end_date"])
        except ValueError:
            return refusal(422, "DLI-204", "start_date and end_date must be YYYY-MM-DD")
        days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
        if len(days) > _BACKFILL_LIMIT:
            return refusal(422, "DLI-204", f"More than {_BACKFILL_LIMIT} days")
        return self._runs.backfill(name, source_type, days, body)


def _next_run(workflow: Record) -> str | None:
    if not workflow["enabled"] or not workflow["cron"]:
        return None
    fire = next_fire(workflow["cron"], workflow["timezone"], datetime.now(UTC))
    return None if fire is None else in_wire_form(fire)


def _workflow(name: str, source_type: SourceType, *, enabled: bool, **fields: Any) -> Record:
    now = in_wire_form(datetime.now(UTC))
    status = WorkflowStatus.ACTIVE if enabled else WorkflowStatus.PAUSED
    return {
        "dataset_name": name,
        "source_type": source_type.value,
        "status": status.value,
        "enabled": enabled,
        "timezone": "UTC",
        "next_run": None,
        "overridden_by": None,
        "retry_max_attempts": 1,
        "retry_delay_seconds": 300,
        "created_at": now,
        "updated_at": now,
        **fields,
    }


def _samples() -> list[Record]:
    made = {"created_at": "2024-01-01T00:00:00Z", "updated_at": "2024-01-01T00:00:00Z"}
    return [
        _workflow(
            "iceberg.analytics.daily_clicks",
            SourceType.CODE,
            enabled=True,
            cron="0 6 * * *",
            next_run="2024-01-16T06:00:00Z",
            owner="analytics@example.com",
            team="@analytics",
            description="Clicks per day",
            tags=["analytics", "daily"],
            **made,
        ),
        _workflow(
            "iceberg.warehouse.user_events",
            SourceType.CODE,
            enabled=True,
            cron="0 */4 * * *",
            next_run="2024-01-15T08:00:00Z",
            owner="data@example.com",
            team="@data-eng",
            description="Events of users",
            tags=["events"],
            **made,
        ),
        _workflow(
            "iceberg.reporting.weekly_summary",
            SourceType.MANUAL,
            enabled=False,
            cron="",
            owner="reporting@example.com",
            team="@reporting",
            description="Summary per week",
            tags=["reporting", "weekly"],
            **made,
        ),
    ]
