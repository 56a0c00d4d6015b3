"""The words for modes, sources and states; free of pydantic so that light code can use them."""

from enum import StrEnum
from typing import Literal, TypeAlias

__all__ = [
    "ExecutionMode",
    "ResultStatus",
    "RunStatus",
    "RunType",
    "SourceType",
    "WorkflowStatus",
]


class ExecutionMode(StrEnum):
    """Who does the work: this machine, the server, or nobody (fixed sample answers)."""

    LOCAL = "local"
    SERVER = "server"
    MOCK = "mock"


class ResultStatus(StrEnum):
    """How an operation of the library ended."""

    SUCCESS = "success"
    FAILURE = "failure"
    SKIPPED = "skipped"
    PENDING = "pending"


class SourceType(StrEnum):
    """Where a workflow comes from: the API (MANUAL) or Git (CODE)."""

    MANUAL = "manual"
    CODE = "code"


class WorkflowStatus(StrEnum):
    """State of a workflow's schedule. OVERRIDDEN: a MANUAL workflow hidden by a CODE one."""

    ACTIVE = "active"
    PAUSED = "paused"
    OVERRIDDEN = "overridden"


class RunStatus(StrEnum):
    """State of a run; the last three are final."""

    PENDING = "PENDING"
    RUNNING = "RUNNING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    KILLED = "KILLED"

    @property
    def is_terminal(self) -> bool:
        return self in (RunStatus.COMPLETED, RunStatus.FAILED, RunStatus.KILLED)


RunType: TypeAlias = Literal["adhoc", "scheduled", "backfill"]
