"""The fixed answers of `WorkflowAPI` in MOCK mode; part of the contract."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from dli.models.state import ResultStatus, RunStatus, SourceType, WorkflowStatus
from dli.models.workflow import (
    WorkflowHistoryResult,
    WorkflowInfo,
    WorkflowListResult,
    WorkflowRegisterResult,
    WorkflowRun,
    WorkflowRunResult,
    WorkflowStatusResult,
)
from dli.specs.schedule import next_fire

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "backfill",
    "change",
    "get",
    "get_status",
    "history",
    "list_workflows",
    "register",
    "run",
    "stop",
]

_CRON = "0 9 * * *"
_RUN_STARTED_AT = datetime(2025, 1, 1, 9, 0, tzinfo=UTC)
_RUN_FINISHED_AT = datetime(2025, 1, 1, 9, 5, tzinfo=UTC)


def get(dataset_name: str) -> WorkflowInfo:
    return _info(dataset_name, SourceType.MANUAL, _CRON, "UTC")


def register(
    dataset_name: str, *, cron: str, timezone: str, enabled: bool
) -> WorkflowRegisterResult:
    return WorkflowRegisterResult(
        dataset_name=dataset_name,
        status=ResultStatus.SUCCESS,
        source_type=SourceType.MANUAL,
        workflow_info=_info(dataset_name, SourceType.MANUAL, cron, timezone, enabled=enabled),
        message=f"{dataset_name} registered (mock)",
    )


def change(dataset_name: str, what: str) -> WorkflowRunResult:
    """Of `unregister`, `pause` and `unpause`."""
    return WorkflowRunResult(
        dataset_name=dataset_name,
        status=ResultStatus.SUCCESS,
        message=f"{dataset_name} {what} (mock)",
    )


def run(dataset_name: str, *, dry_run: bool) -> WorkflowRunResult:
    run_id = f"mock_{dataset_name}_{datetime.now(UTC):%Y%m%d_%H%M%S}"
    return _started(dataset_name, run_id, "run started", dry_run=dry_run)


def backfill(
    dataset_name: str, start_date: str, end_date: str, days: int, *, dry_run: bool
) -> WorkflowRunResult:
    run_id = f"mock_backfill_{dataset_name}_{start_date}_{end_date}"
    return _started(dataset_name, run_id, f"backfill of {days} days", dry_run=dry_run)


def stop(run_id: str) -> WorkflowRunResult:
    return WorkflowRunResult(
        dataset_name="unknown",
        run_id=run_id,
        status=ResultStatus.SUCCESS,
        run_status=RunStatus.KILLED,
        message=f"{run_id} stopped (mock)",
    )


def get_status(run_id: str) -> WorkflowStatusResult:
    now = datetime.now(UTC)
    return WorkflowStatusResult(
        run_id=run_id,
        dataset_name="mock_dataset",
        source_type=SourceType.MANUAL,
        run_status=RunStatus.COMPLETED,
        run_type="adhoc",
        started_at=now,
        finished_at=now,
    )


def list_workflows(
    matches: Callable[[WorkflowInfo], bool], *, running_only: bool, limit: int
) -> WorkflowListResult:
    one = _info("mock.dataset.one", SourceType.MANUAL, _CRON, "UTC")
    two = _info("mock.dataset.two", SourceType.CODE, "0 10 * * *", "Asia/Seoul", enabled=False)
    found = [info for info in ([one] if running_only else [one, two]) if matches(info)]
    return WorkflowListResult(
        workflows=found[:limit], total_count=len(found), status=ResultStatus.SUCCESS
    )


def history(
    matches: Callable[[WorkflowRun], bool], *, dataset_name: str | None, with_info: bool
) -> WorkflowHistoryResult:
    sample = WorkflowRun(
        run_id="mock_run_001",
        dataset_name=dataset_name or "mock.dataset",
        source_type=SourceType.MANUAL,
        status=RunStatus.COMPLETED,
        run_type="adhoc",
        parameters={"execution_date": "2025-01-01"},
        started_at=_RUN_STARTED_AT,
        finished_at=_RUN_FINISHED_AT,
    )
    found = [sample] if matches(sample) else []
    info: dict[str, Any] = {"owner": "mock_owner", "team": "mock_team"}
    return WorkflowHistoryResult(
        runs=found,
        total_count=len(found),
        status=ResultStatus.SUCCESS,
        dataset_info=info if with_info else None,
    )


def _info(
    name: str, source_type: SourceType, cron: str, timezone: str, *, enabled: bool = True
) -> WorkflowInfo:
    return WorkflowInfo(
        dataset_name=name,
        source_type=source_type,
        status=WorkflowStatus.ACTIVE if enabled else WorkflowStatus.PAUSED,
        cron=cron,
        timezone=timezone,
        next_run=next_fire(cron, timezone, datetime.now(UTC)) if enabled else None,
    )


def _started(dataset_name: str, run_id: str, what: str, *, dry_run: bool) -> WorkflowRunResult:
    return WorkflowRunResult(
        dataset_name=dataset_name,
        run_id=run_id,
        status=ResultStatus.SUCCESS,
        run_status=None if dry_run else RunStatus.PENDING,
        dry_run=dry_run,
        message=f"dry run: {what} (mock)" if dry_run else f"{what} (mock)",
    )
