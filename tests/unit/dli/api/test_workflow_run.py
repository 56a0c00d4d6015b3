"""`WorkflowAPI`: runs and backfills, their status and their end."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from dli.api.workflow import WorkflowAPI
from dli.client.basecamp import BasecampClient
from dli.client.response import ServerResponse
from dli.exceptions import (
    DLIError,
    DLIValidationError,
    WorkflowExecutionError,
    WorkflowNotFoundError,
    WorkflowPermissionError,
)
from dli.models.common import ExecutionContext
from dli.models.state import ExecutionMode, ResultStatus, RunStatus, SourceType

CLICKS = "iceberg.analytics.daily_clicks"
SUMMARY = "iceberg.reporting.weekly_summary"
RUNNING = f"{CLICKS}_20240115_120000"
NAME = "a.b.c"
CRON = "0 9 * * *"
WEEK: Any = {"start_date": "2025-01-01", "end_date": "2025-01-07"}

Call = Callable[[WorkflowAPI], Any]

RUN = {
    "run_id": "r-1",
    "dataset_name": NAME,
    "source_type": "manual",
    "status": "RUNNING",
    "run_type": "adhoc",
    "parameters": {"x": 1},
    "started_at": "2025-01-01T00:00:00Z",
    "finished_at": None,
}

CALLS: dict[str, tuple[str, Call]] = {
    "get": ("workflow_list", lambda api: api.get(NAME)),
    "register": ("workflow_register", lambda api: api.register(NAME, cron=CRON)),
    "unregister": ("workflow_unregister", lambda api: api.unregister(NAME)),
    "run": ("workflow_run", lambda api: api.run(NAME)),
    "backfill": ("workflow_backfill", lambda api: api.backfill(NAME, **WEEK)),
    "stop": ("workflow_stop", lambda api: api.stop("r-1")),
    "get_status": ("workflow_status", lambda api: api.get_status("r-1")),
    "list_workflows": ("workflow_list", lambda api: api.list_workflows()),
    "history": ("workflow_history", lambda api: api.history(dataset_name=NAME)),
    "pause": ("workflow_pause", lambda api: api.pause(NAME)),
    "unpause": ("workflow_unpause", lambda api: api.unpause(NAME)),
}


def done(data: Any = None, **fields: Any) -> ServerResponse:
    return ServerResponse(success=True, data=data, **fields)


def refused(status: int, code: str | None = None, error: str = "no") -> ServerResponse:
    return ServerResponse(success=False, error=error, status_code=status, code=code)


def code_of(error: DLIError) -> str:
    return error.code.value


class TestRun:
    def test_mock(self, mock: WorkflowAPI) -> None:
        result = mock.run(NAME, parameters={"x": 1})
        assert re.fullmatch(r"mock_a\.b\.c_\d{8}_\d{6}", result.run_id or "")
        assert (result.status, result.run_status) == (ResultStatus.SUCCESS, RunStatus.PENDING)
        assert not result.dry_run

    def test_mock_dry_run(self, mock: WorkflowAPI) -> None:
        result = mock.run(NAME, dry_run=True)
        assert re.fullmatch(r"mock_a\.b\.c_\d{8}_\d{6}", result.run_id or "")
        assert (result.dry_run, result.run_status) == (True, None)
        assert "dry run" in (result.message or "").lower()

    def test_the_answer_is_the_result(self, on: Any) -> None:
        api = on(workflow_run=done({**RUN, "message": "started"}))
        result = api.run(NAME, parameters={"day": "2025-01-01"})
        ((_, positional, keywords),) = api._client.calls
        assert positional == (NAME,)
        assert keywords == {"params": {"day": "2025-01-01"}, "dry_run": False}
        assert (result.run_id, result.run_status, result.message) == (
            "r-1",
            RunStatus.RUNNING,
            "started",
        )

    def test_a_run_without_a_status_is_pending(self, on: Any) -> None:
        assert on(workflow_run=done({"run_id": "r"})).run(NAME).run_status is RunStatus.PENDING

    def test_a_dry_run_is_left_to_the_server(self, api: WorkflowAPI, on: Any) -> None:
        result = api.run(NAME, dry_run=True)
        assert (result.dry_run, result.run_id, result.run_status) == (True, None, None)
        assert api.history(dataset_name=NAME).total_count == 0
        with pytest.raises(WorkflowExecutionError) as caught:
            on(workflow_run=refused(422, "DLI-204")).run(NAME, dry_run=True)
        assert code_of(caught.value) == "DLI-204"

    def test_the_context_can_make_every_run_dry(self, samples: BasecampClient) -> None:
        context = ExecutionContext(execution_mode=ExecutionMode.SERVER, dry_run=True)
        api = WorkflowAPI(context, client=samples)
        assert api.run(NAME).dry_run
        assert api.backfill(NAME, **WEEK).dry_run
        assert api.history(dataset_name=NAME).runs == []

    def test_parameters_of_the_context_are_not_sent(self, scripted: Any) -> None:
        context = ExecutionContext(execution_mode=ExecutionMode.SERVER, parameters={"x": 1})
        client = scripted(workflow_run=done(RUN))
        WorkflowAPI(context, client=client).run(NAME)
        assert client.asked()["params"] == {}

    def test_an_unknown_workflow(self, on: Any) -> None:
        with pytest.raises(WorkflowNotFoundError) as caught:
            on(workflow_run=refused(404)).run(NAME)
        assert caught.value.dataset_name == NAME

    def test_an_overridden_workflow_is_806_at_any_status(self, on: Any) -> None:
        for status in (403, 409):
            with pytest.raises(WorkflowPermissionError) as caught:
                on(workflow_run=refused(status, "DLI-806")).run(NAME)
            assert code_of(caught.value) == "DLI-806"

    @pytest.mark.parametrize("answer", [None, [], {}, {"run_id": ""}, {**RUN, "status": "QUEUED"}])
    def test_an_answer_that_cannot_be_read_is_802(self, on: Any, answer: Any) -> None:
        with pytest.raises(WorkflowExecutionError) as caught:
            on(workflow_run=done(answer)).run(NAME)
        assert (code_of(caught.value), caught.value.dataset_name) == ("DLI-802", NAME)


class TestBackfill:
    def test_mock(self, mock: WorkflowAPI) -> None:
        result = mock.backfill(NAME, **WEEK)
        assert result.run_id == "mock_backfill_a.b.c_2025-01-01_2025-01-07"
        assert result.run_status is RunStatus.PENDING
        assert "7" in (result.message or "")
        dry = mock.backfill(NAME, **WEEK, dry_run=True)
        assert (dry.dry_run, dry.run_status) == (True, None)
        assert "dry run" in (dry.message or "").lower()

    @pytest.mark.parametrize(
        ("start", "end"),
        [
            ("2025-01-02", "2025-01-01"),
            ("2025-1-1", "2025-01-02"),
            ("20250101", "2025-01-02"),
            ("2025-02-30", "2025-03-01"),
            ("2025-W01-1", "2025-01-02"),
            ("", "2025-01-02"),
            ("２０２５-01-01", "2025-01-02"),
            (None, "2025-01-02"),
        ],
    )
    @pytest.mark.parametrize("mode", list(ExecutionMode))
    def test_bad_dates_are_refused_before_anything_else(
        self, mode: ExecutionMode, start: Any, end: Any
    ) -> None:
        api = WorkflowAPI(ExecutionContext(execution_mode=mode))
        with pytest.raises(DLIValidationError) as caught:
            api.backfill(NAME, start_date=start, end_date=end)
        assert code_of(caught.value) == "DLI-204"

    def test_one_id_for_the_range(self, on: Any) -> None:
        answer = {**RUN, "run_id": "b-1", "run_type": "backfill", "total_runs": 168}
        api = on(workflow_backfill=done(answer))
        result = api.backfill(NAME, **WEEK, parameters={"x": 1})
        ((_, positional, keywords),) = api._client.calls
        assert positional == (NAME, "2025-01-01", "2025-01-07")
        assert keywords == {"params": {"x": 1}}
        assert result.run_id == "b-1"
        assert "168" in (result.message or "")

    def test_without_an_id_the_first_run_stands_for_it(self, api: WorkflowAPI) -> None:
        result = api.backfill(NAME, **WEEK)
        assert result.run_id == f"{NAME}_20250101_000000"
        assert "7" in (result.message or "")
        assert api.get_status(str(result.run_id)).run_type == "backfill"

    def test_a_dry_run_counts_and_starts_nothing(self, api: WorkflowAPI) -> None:
        result = api.backfill(NAME, **WEEK, dry_run=True)
        assert (result.dry_run, result.run_id, result.run_status) == (True, None, None)
        assert "7" in (result.message or "")
        assert "dry run" in (result.message or "")
        assert api.history(dataset_name=NAME).runs == []

    @pytest.mark.parametrize("answer", [None, {}, {"runs": []}, {"runs": [{}]}, {"runs": [7]}])
    def test_an_answer_without_any_id_is_802(self, on: Any, answer: Any) -> None:
        with pytest.raises(WorkflowExecutionError) as caught:
            on(workflow_backfill=done(answer)).backfill(NAME, **WEEK)
        assert code_of(caught.value) == "DLI-802"

    def test_an_unknown_workflow(self, on: Any) -> None:
        with pytest.raises(WorkflowNotFoundError):
            on(workflow_backfill=refused(404)).backfill(NAME, **WEEK)


class TestStop:
    def test_mock(self, mock: WorkflowAPI) -> None:
        result = mock.stop("some-run")
        assert (result.run_id, result.dataset_name) == ("some-run", "unknown")
        assert (result.status, result.run_status) == (ResultStatus.SUCCESS, RunStatus.KILLED)
        assert "stopped" in (result.message or "")

    def test_a_running_run_is_killed_for_good(self, api: WorkflowAPI) -> None:
        result = api.stop(RUNNING)
        assert (result.dataset_name, result.run_status) == (CLICKS, RunStatus.KILLED)
        assert api.get_status(RUNNING).run_status is RunStatus.KILLED

    def test_a_finished_run_is_807(self, api: WorkflowAPI) -> None:
        with pytest.raises(WorkflowExecutionError) as caught:
            api.stop(f"{CLICKS}_20240115_060000")
        assert code_of(caught.value) == "DLI-807"
        assert caught.value.run_id == f"{CLICKS}_20240115_060000"

    @pytest.mark.parametrize("code", [None, "DLI-800"])
    def test_an_unknown_run_keeps_802(self, on: Any, code: str | None) -> None:
        with pytest.raises(WorkflowExecutionError) as caught:
            on(workflow_stop=refused(404, code)).stop("nope")
        assert (code_of(caught.value), caught.value.run_id) == ("DLI-802", "nope")

    def test_an_answer_that_names_no_dataset(self, on: Any) -> None:
        assert on(workflow_stop=done({"run_id": "r"})).stop("r").dataset_name == "unknown"


class TestGetStatus:
    def test_mock(self, mock: WorkflowAPI) -> None:
        before = datetime.now(UTC)
        status = mock.get_status("some-run")
        assert (status.run_id, status.dataset_name) == ("some-run", "mock_dataset")
        assert (status.source_type, status.run_status) == (SourceType.MANUAL, RunStatus.COMPLETED)
        assert (status.run_type, status.is_terminal) == ("adhoc", True)
        assert status.started_at == status.finished_at
        assert status.started_at is not None
        assert before <= status.started_at <= datetime.now(UTC)

    def test_a_finished_run(self, api: WorkflowAPI) -> None:
        status = api.get_status(f"{CLICKS}_20240115_060000")
        assert (status.dataset_name, status.source_type) == (CLICKS, SourceType.CODE)
        assert (status.run_type, status.duration_seconds) == ("scheduled", 900)

    def test_a_running_run(self, api: WorkflowAPI) -> None:
        status = api.get_status(RUNNING)
        assert (status.is_running, status.is_terminal) == (True, False)
        assert status.duration_seconds is None

    def test_a_failed_run_says_why(self, api: WorkflowAPI) -> None:
        assert api.get_status(f"{SUMMARY}_20240108_100000").error_message

    def test_an_unknown_run(self, api: WorkflowAPI) -> None:
        with pytest.raises(WorkflowNotFoundError) as caught:
            api.get_status("nope")
        assert code_of(caught.value) == "DLI-800"

    def test_older_names_and_any_letter_case_are_read(self, on: Any) -> None:
        answer = {
            "run_id": "r-1",
            "dataset_name": NAME,
            "source": "CODE",
            "status": "completed",
            "triggered_by": "scheduler",
            "params": {"x": 1},
            "started_at": "2025-01-01T00:00:00",
            "ended_at": "2025-01-01T00:01:00+09:00",
        }
        status = on(workflow_status=done(answer)).get_status("r-1")
        assert (status.source_type, status.run_status) == (SourceType.CODE, RunStatus.COMPLETED)
        assert (status.run_type, status.parameters) == ("scheduled", {"x": 1})
        assert status.started_at == datetime(2025, 1, 1, tzinfo=UTC)
        assert status.finished_at == datetime(2024, 12, 31, 15, 1, tzinfo=UTC)

    @pytest.mark.parametrize(
        ("triggered_by", "run_type"),
        [("scheduler", "scheduled"), ("backfill", "backfill"), ("me", "adhoc"), (None, "adhoc")],
    )
    def test_a_missing_run_type_follows_who_triggered_it(
        self, on: Any, triggered_by: str | None, run_type: str
    ) -> None:
        answer = {**RUN, "run_type": None, "triggered_by": triggered_by}
        assert on(workflow_status=done(answer)).get_status("r-1").run_type == run_type

    @pytest.mark.parametrize(
        "changed",
        [
            {"status": "queued"},
            {"status": None},
            {"run_type": "manual"},
            {"source_type": None},
            {"dataset_name": None},
            {"run_id": ""},
            {"parameters": [1]},
            {"started_at": "yesterday"},
        ],
    )
    def test_a_record_that_cannot_be_read_is_802(self, on: Any, changed: Any) -> None:
        with pytest.raises(WorkflowExecutionError) as caught:
            on(workflow_status=done({**RUN, **changed})).get_status("r-1")
        assert (code_of(caught.value), caught.value.run_id) == ("DLI-802", "r-1")
        assert not isinstance(caught.value.__cause__, ValidationError)
