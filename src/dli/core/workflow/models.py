"""Kept import path of the workflow models."""

from dli.models.schedule import NotificationConfig, NotificationTarget, RetryConfig, ScheduleConfig
from dli.models.state import RunStatus, RunType, SourceType, WorkflowStatus
from dli.models.workflow import WorkflowInfo, WorkflowRun

__all__ = [
    "NotificationConfig",
    "NotificationTarget",
    "RetryConfig",
    "RunStatus",
    "RunType",
    "ScheduleConfig",
    "SourceType",
    "WorkflowInfo",
    "WorkflowRun",
    "WorkflowStatus",
]
