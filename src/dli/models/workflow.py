"""Workflows, their runs, and the answers of `WorkflowAPI`."""

from typing import Any

from pydantic import BaseModel, Field

from dli.models.instant import Instant, seconds_between, utc_now
from dli.models.state import ResultStatus, RunStatus, RunType, SourceType, WorkflowStatus

__all__ = [
    "WorkflowHistoryResult",
    "WorkflowInfo",
    "WorkflowListResult",
    "WorkflowRegisterResult",
    "WorkflowRun",
    "WorkflowRunResult",
    "WorkflowStatusResult",
]


class WorkflowInfo(BaseModel):
    """A workflow as the server knows it. An empty `cron` means that it runs on demand only."""

    dataset_name: str
    source_type: SourceType
    status: WorkflowStatus
    cron: str
    timezone: str = "UTC"
    next_run: Instant | None = None
    overridden_by: str | None = None

    @property
    def is_active(self) -> bool:
        return self.status is WorkflowStatus.ACTIVE

    @property
    def is_paused(self) -> bool:
        return self.status is WorkflowStatus.PAUSED

    @property
    def is_overridden(self) -> bool:
        return self.status is WorkflowStatus.OVERRIDDEN


class WorkflowRun(BaseModel):
    """One run in the history of a workflow."""

    run_id: str
    dataset_name: str
    source_type: SourceType
    status: RunStatus
    run_type: RunType
    parameters: dict[str, Any] = Field(default_factory=dict)
    started_at: Instant | None = None
    finished_at: Instant | None = None

    @property
    def is_running(self) -> bool:
        return self.status is RunStatus.RUNNING

    @property
    def is_pending(self) -> bool:
        return self.status is RunStatus.PENDING

    @property
    def is_finished(self) -> bool:
        return self.status.is_terminal

    @property
    def is_success(self) -> bool:
        return self.status is RunStatus.COMPLETED

    @property
    def duration_seconds(self) -> float | None:
        """`None` before the start; up to now while unfinished."""
        if self.started_at is None:
            return None
        return seconds_between(self.started_at, self.finished_at or utc_now())


class WorkflowRegisterResult(BaseModel, frozen=True):
    """What `register` stored; `warning` is what the server wants the user to know about it."""

    dataset_name: str
    status: ResultStatus
    source_type: SourceType
    workflow_info: WorkflowInfo | None = None
    message: str | None = None
    warning: str | None = None


class WorkflowRunResult(BaseModel, frozen=True):
    """What a change of a workflow or run came to; `run_id` of a backfill names the whole range."""

    dataset_name: str
    run_id: str | None = None
    status: ResultStatus
    run_status: RunStatus | None = None
    dry_run: bool = False
    message: str | None = None


class WorkflowListResult(BaseModel, frozen=True):
    """Workflows; `total_count` counts all matches, also those cut off by `limit`."""

    workflows: list[WorkflowInfo] = Field(default_factory=list)
    total_count: int
    status: ResultStatus


class WorkflowStatusResult(BaseModel, frozen=True):
    """One run as the server knows it now."""

    run_id: str
    dataset_name: str
    source_type: SourceType
    run_status: RunStatus
    run_type: RunType
    parameters: dict[str, Any] = Field(default_factory=dict)
    started_at: Instant | None = None
    finished_at: Instant | None = None
    error_message: str | None = None

    @property
    def is_running(self) -> bool:
        """Whether the run waits or runs."""
        return not self.run_status.is_terminal

    @property
    def is_terminal(self) -> bool:
        return self.run_status.is_terminal

    @property
    def duration_seconds(self) -> float | None:
        """`None` until the run has both started and finished."""
        if self.started_at is None or self.finished_at is None:
            return None
        return seconds_between(self.started_at, self.finished_at)


class WorkflowHistoryResult(BaseModel, frozen=True):
    """Runs, newest first; `total_count` counts all matches, also those cut off by `limit`."""

    runs: list[WorkflowRun] = Field(default_factory=list)
    total_count: int
    status: ResultStatus
    dataset_info: dict[str, Any] | None = None
