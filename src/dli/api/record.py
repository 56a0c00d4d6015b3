"""The server's answers as results of the library; what cannot be read is never guessed."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import ValidationError

from dli.client import answer
from dli.models.state import ResultStatus, RunStatus, SourceType, WorkflowStatus
from dli.models.workflow import (
    WorkflowInfo,
    WorkflowRegisterResult,
    WorkflowRun,
    WorkflowRunResult,
    WorkflowStatusResult,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from dli.client.response import Record, ServerResponse

__all__ = ["Reader"]

_Model = TypeVar("_Model")
_Member = TypeVar("_Member", bound=Enum)
_TRIGGERED_BY = {"scheduler": "scheduled", "backfill": "backfill"}


class Reader:
    """Reads the answer to one call; its errors carry what the caller asked about."""

    def __init__(self, method: answer.Method, *, dataset_name: str = "", run_id: str = "") -> None:
        self._method: answer.Method = method
        self._dataset_name = dataset_name
        self._run_id = run_id

    def workflows(self, response: ServerResponse) -> list[WorkflowInfo]:
        return [self._read(_workflow, record) for record in self._records(response, "workflows")]

    def runs(self, response: ServerResponse) -> list[WorkflowRun]:
        return [self._read(_run, record) for record in self._records(response, "runs")]

    def status(self, response: ServerResponse) -> WorkflowStatusResult:
        return self._read(_status, self._record(response))

    def registered(self, response: ServerResponse) -> WorkflowRegisterResult:
        return self._read(_registered, self._record(response))

    def started(self, response: ServerResponse, what: str) -> WorkflowRunResult:
        """A run or backfill that the server took on."""
        run_id, run_status = self._read(_started, self._record(response))
        return self._done(response, what, run_id=run_id, run_status=run_status)

    def stopped(self, response: ServerResponse) -> WorkflowRunResult:
        run_status = self._read(_stopped, self._record(response))
        return self._done(response, "stopped", run_id=self._run_id, run_status=run_status)

    def changed(self, response: ServerResponse, what: str) -> WorkflowRunResult:
        """A change that ends with the answer, and needs none of its content."""
        self._check(response)
        return self._done(response, what)

    def checked(self, response: ServerResponse, what: str) -> WorkflowRunResult:
        """A dry run: the server found nothing wrong."""
        self._check(response)
        return self._done(response, f"dry run: {what}, nothing was started", dry_run=True)

    def _done(self, response: ServerResponse, what: str, **fields: Any) -> WorkflowRunResult:
        record = response.data if isinstance(response.data, dict) else {}
        name = self._dataset_name or _text(record, "dataset_name") or "unknown"
        return WorkflowRunResult(
            dataset_name=name,
            status=ResultStatus.SUCCESS,
            message=_text(record, "message") or f"{self._dataset_name or self._run_id}: {what}",
            **fields,
        )

    def _check(self, response: ServerResponse) -> Any:
        names = {"dataset_name": self._dataset_name, "run_id": self._run_id}
        return answer.check(response, self._method, **names)

    def _record(self, response: ServerResponse) -> Record:
        names = {"dataset_name": self._dataset_name, "run_id": self._run_id}
        return answer.record(self._check(response), self._method, **names)

    def _records(self, response: ServerResponse, items: str) -> list[Record]:
        data = self._check(response)
        return answer.records(data, self._method, items, dataset_name=self._dataset_name)

    def _read(self, build: Callable[[Record], _Model], record: Record) -> _Model:
        try:
            return build(record)
        except _UnreadableError as error:
            problem = str(error)
        except ValidationError as error:
            fields = {".".join(map(str, found["loc"])) for found in error.errors()}
            problem = f"unknown value of {', '.join(sorted(fields))}"
        names = {"dataset_name": self._dataset_name, "run_id": self._run_id}
        raise answer.malformed(self._method, problem, **names)


class _UnreadableError(Exception):
    """A name is missing or a word unknown."""


def _workflow(record: Record) -> WorkflowInfo:
    return WorkflowInfo(
        dataset_name=_required(record, "dataset_name"),
        source_type=_member(SourceType, record, "source_type", "source"),
        status=_workflow_status(record),
        cron=_first(record, "cron", "schedule") or "",
        timezone=_first(record, "timezone") or "UTC",
        next_run=_first(record, "next_run", "next_run_at"),
        overridden_by=_first(record, "overridden_by"),
    )


def _workflow_status(record: Record) -> WorkflowStatus:
    if _first(record, "status") is not None:
        return _member(WorkflowStatus, record, "status")
    is_paused = bool(record.get("paused")) or record.get("enabled") is False
    return WorkflowStatus.PAUSED if is_paused else WorkflowStatus.ACTIVE


def _run(record: Record) -> WorkflowRun:
    return WorkflowRun(
        run_id=_required(record, "run_id"),
        dataset_name=_required(record, "dataset_name"),
        source_type=_member(SourceType, record, "source_type", "source"),
        status=_member(RunStatus, record, "status"),
        run_type=_run_type(record),
        parameters=_first(record, "parameters", "params") or {},
        started_at=_first(record, "started_at"),
        finished_at=_first(record, "finished_at", "ended_at"),
    )


def _status(record: Record) -> WorkflowStatusResult:
    run = _run(record)
    return WorkflowStatusResult(
        run_id=run.run_id,
        dataset_name=run.dataset_name,
        source_type=run.source_type,
        run_status=run.status,
        run_type=run.run_type,
        parameters=run.parameters,
        started_at=run.started_at,
        finished_at=run.finished_at,
        error_message=_first(record, "error_message"),
    )


def _registered(record: Record) -> WorkflowRegisterResult:
    workflow = _workflow(record)
    return WorkflowRegisterResult(
        dataset_name=workflow.dataset_name,
        status=ResultStatus.SUCCESS,
        source_type=workflow.source_type,
        workflow_info=workflow,
        message=_text(record, "message") or f"{workflow.dataset_name} registered",
        warning=_text(record, "warning"),
    )


def _started(record: Record) -> tuple[str, RunStatus]:
    run_id = _text(record, "run_id") or _first_run_id(record)
    return run_id, _run_status(record, RunStatus.PENDING)


def _stopped(record: Record) -> RunStatus:
    return _run_status(record, RunStatus.KILLED)


def _run_status(record: Record, default: RunStatus) -> RunStatus:
    return default if record.get("status") is None else _member(RunStatus, record, "status")


def _first_run_id(record: Record) -> str:
    runs = record.get("runs")
    first = runs[0] if isinstance(runs, list) and runs else None
    found = _text(first, "run_id") if isinstance(first, dict) else None
    if found is None:
        message = "no run_id"
        raise _UnreadableError(message)
    return found


def _run_type(record: Record) -> Any:
    found = _first(record, "run_type")
    if found is None:
        return _TRIGGERED_BY.get(str(record.get("triggered_by")), "adhoc")
    return found.lower() if isinstance(found, str) else found


def _member(kind: type[_Member], record: Record, *names: str) -> _Member:
    """Enum values are read in any letter case."""
    found = str(_required(record, *names)).lower()
    for one in kind:
        if str(one.value).lower() == found:
            return one
    message = f"unknown value of {names[0]}"
    raise _UnreadableError(message)


def _required(record: Record, *names: str) -> Any:
    found = _first(record, *names)
    if found in (None, ""):
        message = f"no {names[0]}"
        raise _UnreadableError(message)
    return found


def _first(record: Record, *names: str) -> Any:
    return next((record[name] for name in names if record.get(name) is not None), None)


def _text(record: Record, name: str) -> str | None:
    found = record.get(name)
    return found if isinstance(found, str) and found else None
