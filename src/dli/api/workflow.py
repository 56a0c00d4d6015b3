"""`WorkflowAPI`: register, run, watch and stop the workflows of datasets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dli.api.argument import check_date_range, check_minimum, check_text, member
from dli.api.facade import Facade
from dli.api.mock import workflow as mock
from dli.api.project import find_root, open_project
from dli.api.record import Reader
from dli.api.server import connect
from dli.client import answer
from dli.exceptions import DatasetNotFoundError, WorkflowRegistrationError
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
from dli.specs.schedule import check_schedule

if TYPE_CHECKING:
    from collections.abc import Callable

    from dli.client.basecamp import BasecampClient
    from dli.client.response import ServerResponse
    from dli.models.common import ExecutionContext

__all__ = ["WorkflowAPI"]

_CLIENT_LIST_LIMIT = 100
_INFO_KEYS = ("owner", "team", "description", "tags")


class WorkflowAPI(Facade):
    """The workflows of one server, or in MOCK mode fixed samples.

    An injected `client` is used in LOCAL and SERVER mode alike, and never in MOCK. Without one,
    SERVER needs `server_url`, and LOCAL uses `server_url` or the Basecamp that `dli up` runs.
    One object is for one thread at a time.

    Every method raises DLIValidationError (204) for arguments that cannot be meant, and
    WorkflowPermissionError (803, 806) when the server forbids what was asked.
    """

    def __init__(
        self, context: ExecutionContext | None = None, *, client: BasecampClient | None = None
    ) -> None:
        super().__init__(context)
        self._client = client

    def get(self, dataset_name: str) -> WorkflowInfo | None:
        """The workflow of a dataset; `None` only when the server says that there is none.

        Raises: WorkflowExecutionError (802).
        """
        check_text(dataset_name=dataset_name)
        if self._is_mock:
            return mock.get(dataset_name)
        response = self._connected().workflow_list(dataset_filter=dataset_name)
        if not response.success and answer.is_not_found(response):
            return None
        workflows = Reader("get", dataset_name=dataset_name).workflows(response)
        found = [info for info in workflows if info.dataset_name == dataset_name]
        # CODE is in force where it shares the name with an overridden MANUAL workflow.
        found.sort(key=lambda info: info.source_type is not SourceType.CODE)
        return found[0] if found else None

    def register(
        self,
        dataset_name: str,
        *,
        cron: str,
        timezone: str = "UTC",
        enabled: bool = True,
        retry_max_attempts: int = 1,
        retry_delay_seconds: int = 300,
        force: bool = False,
    ) -> WorkflowRegisterResult:
        """Store a MANUAL workflow with exactly these settings; `force` replaces an existing one.

        Sends the dataset's spec when the project has it, else the server uses its own.
        Raises: DatasetNotFoundError (101) when nobody knows the dataset;
        WorkflowRegistrationError (801, 804 exists, 805 cron or timezone).
        """
        check_text(dataset_name=dataset_name)
        check_minimum(1, retry_max_attempts=retry_max_attempts)
        check_minimum(0, retry_delay_seconds=retry_delay_seconds)
        _check_schedule(dataset_name, cron, timezone)
        if self._is_mock:
            return mock.register(dataset_name, cron=cron, timezone=timezone, enabled=enabled)
        spec = self._project_spec(dataset_name)
        response = self._connected().workflow_register(
            dataset_name,
            cron,
            timezone=timezone,
            enabled=enabled,
            retry_max_attempts=retry_max_attempts,
            retry_delay_seconds=retry_delay_seconds,
            force=force,
            **({} if spec is None else {"spec": spec}),
        )
        return Reader("register", dataset_name=dataset_name).registered(response)

    def unregister(self, dataset_name: str) -> WorkflowRunResult:
        """Remove a MANUAL workflow: PENDING runs are killed, a RUNNING one ends, history stays.

        Raises: WorkflowNotFoundError (800), WorkflowRegistrationError (808).
        """
        check_text(dataset_name=dataset_name)
        if self._is_mock:
            return mock.change(dataset_name, "unregistered")
        response = self._connected().workflow_unregister(dataset_name)
        return Reader("unregister", dataset_name=dataset_name).changed(response, "unregistered")

    def run(
        self,
        dataset_name: str,
        *,
        parameters: dict[str, Any] | None = None,
        dry_run: bool = False,
    ) -> WorkflowRunResult:
        """Start one run now; a dry run lets the server check everything and starts nothing.

        Raises: WorkflowNotFoundError (800), WorkflowExecutionError (802).
        """
        check_text(dataset_name=dataset_name)
        dry_run = dry_run or self.context.dry_run
        if self._is_mock:
            return mock.run(dataset_name, dry_run=dry_run)
        response = self._connected().workflow_run(
            dataset_name, params=parameters or {}, dry_run=dry_run
        )
        read = Reader("run", dataset_name=dataset_name)
        return read.checked(response, "run") if dry_run else read.started(response, "run started")

    def backfill(
        self,
        dataset_name: str,
        *,
        start_date: str,
        end_date: str,
        parameters: dict[str, Any] | None = None,
        dry_run: bool = False,
    ) -> WorkflowRunResult:
        """Run every schedule interval that starts on these days (`YYYY-MM-DD`, both included).

        `run_id` names the whole backfill: `get_status` and `stop` work on it.
        Raises: WorkflowNotFoundError (800), WorkflowExecutionError (802).
        """
        check_text(dataset_name=dataset_name)
        days = check_date_range(start_date, end_date)
        dry_run = dry_run or self.context.dry_run
        if self._is_mock:
            return mock.backfill(dataset_name, start_date, end_date, days, dry_run=dry_run)
        response = self._connected().workflow_backfill(
            dataset_name,
            start_date,
            end_date,
            params=parameters or {},
            **({"dry_run": True} if dry_run else {}),
        )
        read = Reader("backfill", dataset_name=dataset_name)
        what = f"backfill of {_total_runs(response, days)} runs, {start_date} to {end_date}"
        if dry_run:
            result, said = read.checked(response, what), f"dry run: {what}, nothing was started"
        else:
            result, said = read.started(response, what), f"{dataset_name}: {what}"
        return result.model_copy(update={"message": said})

    def stop(self, run_id: str) -> WorkflowRunResult:
        """End a PENDING or RUNNING run, or a whole backfill; KILLED is final on return.

        Raises: WorkflowExecutionError (802, 807 when it is finished already).
        """
        check_text(run_id=run_id)
        if self._is_mock:
            return mock.stop(run_id)
        response = self._connected().workflow_stop(run_id)
        return Reader("stop", run_id=run_id).stopped(response)

    def get_status(self, run_id: str) -> WorkflowStatusResult:
        """A run or backfill as the server knows it now.

        Raises: WorkflowNotFoundError (800), WorkflowExecutionError (802).
        """
        check_text(run_id=run_id)
        if self._is_mock:
            return mock.get_status(run_id)
        response = self._connected().workflow_status(run_id)
        return Reader("get_status", run_id=run_id).status(response)

    def list_workflows(
        self,
        *,
        source_type: SourceType | None = None,
        status: WorkflowStatus | None = None,
        dataset_filter: str | None = None,
        running_only: bool = False,
        enabled_only: bool = False,
        limit: int = 100,
    ) -> WorkflowListResult:
        """Workflows by filter; `dataset_filter` is part of the name in any letter case.

        Raises: WorkflowExecutionError (802).
        """
        check_minimum(1, limit=limit)
        source_type = member(SourceType, source_type, "source_type")
        status = member(WorkflowStatus, status, "status")

        def matches(info: WorkflowInfo) -> bool:
            return (
                source_type in (None, info.source_type)
                and status in (None, info.status)
                and (dataset_filter or "").lower() in info.dataset_name.lower()
                and (info.is_active or not enabled_only)
            )

        if self._is_mock:
            return mock.list_workflows(matches, running_only=running_only, limit=limit)
        # A substitute client may not have the newer parameters, so they go only when needed.
        newer: dict[str, Any] = {} if status is None else {"status": status}
        if limit != _CLIENT_LIST_LIMIT:
            newer["limit"] = limit
        response = self._connected().workflow_list(
            source=source_type,
            running_only=running_only,
            enabled_only=enabled_only,
            dataset_filter=dataset_filter,
            **newer,
        )
        sent = Reader("list_workflows").workflows(response)
        found = [info for info in sent if matches(info)]
        total = answer.total_count(response) if len(found) == len(sent) else None
        return WorkflowListResult(
            workflows=found[:limit],
            total_count=max(total or 0, len(found)),
            status=ResultStatus.SUCCESS,
        )

    def history(
        self,
        *,
        dataset_name: str | None = None,
        source_type: SourceType | None = None,
        run_status: RunStatus | None = None,
        limit: int = 20,
        include_dataset_info: bool = True,
    ) -> WorkflowHistoryResult:
        """Runs, newest first. `dataset_info` needs `dataset_name` and a server that knows it.

        Raises: WorkflowExecutionError (802).
        """
        check_minimum(1, limit=limit)
        if dataset_name is not None:
            check_text(dataset_name=dataset_name)
        source_type = member(SourceType, source_type, "source_type")
        run_status = member(RunStatus, run_status, "run_status")

        def matches(run: WorkflowRun) -> bool:
            return (
                dataset_name in (None, run.dataset_name)
                and source_type in (None, run.source_type)
                and run_status in (None, run.status)
            )

        if self._is_mock:
            return mock.history(matches, dataset_name=dataset_name, with_info=include_dataset_info)
        client = self._connected()
        query = {"source": source_type, "limit": limit, "status_filter": run_status}
        found, total_count = _find_runs(client, dataset_name, query, matches)
        info = _dataset_info(client, dataset_name) if include_dataset_info else None
        return WorkflowHistoryResult(
            runs=found[:limit],
            total_count=total_count,
            status=ResultStatus.SUCCESS,
            dataset_info=info,
        )

    def pause(self, dataset_name: str) -> WorkflowRunResult:
        """Stop the schedule; runs on demand and backfills stay possible.

        Raises: WorkflowNotFoundError (800), WorkflowExecutionError (802, 807 if paused already).
        """
        check_text(dataset_name=dataset_name)
        if self._is_mock:
            return mock.change(dataset_name, "paused")
        response = self._connected().workflow_pause(dataset_name)
        return Reader("pause", dataset_name=dataset_name).changed(response, "paused")

    def unpause(self, dataset_name: str) -> WorkflowRunResult:
        """Resume the schedule.

        Raises: WorkflowNotFoundError (800), WorkflowExecutionError (802, 807 if not paused).
        """
        check_text(dataset_name=dataset_name)
        if self._is_mock:
            return mock.change(dataset_name, "resumed")
        response = self._connected().workflow_unpause(dataset_name)
        return Reader("unpause", dataset_name=dataset_name).changed(response, "resumed")

    def _project_spec(self, dataset_name: str) -> dict[str, Any] | None:
        """The project's own spec with its SQL inside; `None` when it does not hold the dataset."""
        if self.context.project_path is None and find_root(self.context) is None:
            return None
        try:
            bundle = open_project(self.context).bundle(dataset_name)
        except DatasetNotFoundError:
            return None
        return bundle.model_dump(mode="json", by_alias=True, exclude_none=True)

    def _connected(self) -> BasecampClient:
        if self._client is None:
            self._client = connect(self.context)
        return self._client


def _find_runs(
    client: BasecampClient,
    dataset_name: str | None,
    query: dict[str, Any],
    matches: Callable[[WorkflowRun], bool],
) -> tuple[list[WorkflowRun], int]:
    """The newest matching runs, at least `limit` of them if there are, and how many match in all.

    The server takes a part of a name, so runs of other datasets may lie in between.
    """
    read = Reader("history", dataset_name=dataset_name or "")
    found: list[WorkflowRun] = []
    dropped_count = offset = 0
    while True:
        page = {**query, "offset": offset} if offset else query
        response = client.workflow_history(dataset_filter=dataset_name, **page)
        sent = read.runs(response)
        kept = [run for run in sent if matches(run)]
        found += kept
        dropped_count += len(sent) - len(kept)
        next_offset = answer.next_offset(response)
        if len(found) >= query["limit"] or next_offset is None or next_offset <= offset:
            known_count = (answer.total_count(response) or 0) - dropped_count
            return found, max(known_count, len(found))
        offset = next_offset


def _dataset_info(client: BasecampClient, dataset_name: str | None) -> dict[str, Any] | None:
    if dataset_name is None:
        return None
    response = client.get_dataset(dataset_name)
    if not response.success:
        if answer.is_not_found(response):
            return None
        raise answer.failure(response, "history", dataset_name=dataset_name)
    if not isinstance(response.data, dict):
        return None
    return {key: response.data.get(key) for key in _INFO_KEYS}


def _total_runs(response: ServerResponse, days: int) -> int:
    record = response.data if isinstance(response.data, dict) else {}
    total, runs = record.get("total_runs"), record.get("runs")
    if isinstance(total, int):
        return total
    return len(runs) if isinstance(runs, list) else days


def _check_schedule(dataset_name: str, cron: str, timezone: str) -> None:
    try:
        check_schedule(cron, timezone)
    except WorkflowRegistrationError as error:
        error.dataset_name = dataset_name
        raise
