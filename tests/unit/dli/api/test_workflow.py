"""`WorkflowAPI`: what it knows of a workflow, and how workflows come, pause and go."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from dli.api.workflow import WorkflowAPI
from dli.client.response import ServerResponse
from dli.exceptions import (
    DatasetNotFoundError,
    DLIError,
    DLIValidationError,
    WorkflowExecutionError,
    WorkflowNotFoundError,
    WorkflowPermissionError,
    WorkflowRegistrationError,
)
from dli.models.common import ExecutionContext
from dli.models.state import ResultStatus, RunStatus, SourceType, WorkflowStatus
from dli.specs.schedule import next_fire

CLICKS = "iceberg.analytics.daily_clicks"
SUMMARY = "iceberg.reporting.weekly_summary"
NAME = "a.b.c"
CRON = "0 9 * * *"
WEEK: Any = {"start_date": "2025-01-01", "end_date": "2025-01-07"}

Call = Callable[[WorkflowAPI], Any]

WORKFLOW = {
    "dataset_name": NAME,
    "source_type": "manual",
    "status": "active",
    "cron": CRON,
    "timezone": "UTC",
    "next_run": "2030-01-01T09:00:00Z",
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


class TestGet:
    def test_mock_knows_every_name(self, mock: WorkflowAPI) -> None:
        info = mock.get("anything.at.all")
        assert info is not None
        assert info.dataset_name == "anything.at.all"
        assert (info.source_type, info.status) == (SourceType.MANUAL, WorkflowStatus.ACTIVE)
        assert (info.cron, info.timezone) == (CRON, "UTC")
        assert info.next_run == next_fire(CRON, "UTC", datetime.now(UTC))

    def test_the_exact_name_is_taken(self, on: Any) -> None:
        longer = {**WORKFLOW, "dataset_name": NAME + "_more", "cron": "0 1 * * *"}
        api = on(workflow_list=done([longer, WORKFLOW]))
        info = api.get(NAME)
        assert info is not None
        assert (info.dataset_name, info.cron) == (NAME, CRON)
        assert api._client.asked() == {"dataset_filter": NAME}

    def test_code_wins_over_the_overridden_workflow_of_the_same_name(self, on: Any) -> None:
        manual = {**WORKFLOW, "status": "overridden", "overridden_by": "code"}
        code = {**WORKFLOW, "source_type": "code"}
        for records in ([manual, code], [code, manual]):
            info = on(workflow_list=done(records)).get(NAME)
            assert info.source_type is SourceType.CODE
        alone = on(workflow_list=done([manual])).get(NAME)
        assert (alone.is_overridden, alone.overridden_by) == (True, "code")

    def test_none_only_when_the_server_says_that_there_is_none(
        self, api: WorkflowAPI, on: Any
    ) -> None:
        assert api.get("no.such.name") is None
        assert on(workflow_list=refused(404)).get(NAME) is None
        assert on(workflow_list=refused(200)).get(NAME) is None
        for status, code in ((500, "DLI-503"), (503, "DLI-501"), (401, "DLI-502")):
            with pytest.raises(WorkflowExecutionError) as caught:
                on(workflow_list=refused(status, code)).get(NAME)
            assert caught.value.dataset_name == NAME

    def test_a_workflow_without_schedule_has_an_empty_cron(self, api: WorkflowAPI) -> None:
        info = api.get(SUMMARY)
        assert info is not None
        assert (info.cron, info.is_paused, info.next_run) == ("", True, None)

    def test_a_sample_is_read_in_full(self, api: WorkflowAPI) -> None:
        info = api.get(CLICKS)
        assert info is not None
        assert (info.source_type, info.cron) == (SourceType.CODE, "0 6 * * *")
        assert info.next_run == datetime(2024, 1, 16, 6, tzinfo=UTC)


class TestRegister:
    def test_mock_gives_back_what_it_was_told(self, mock: WorkflowAPI) -> None:
        result = mock.register(NAME, cron="30 8 * * 1", timezone="Asia/Seoul")
        assert (result.status, result.source_type) == (ResultStatus.SUCCESS, SourceType.MANUAL)
        assert "registered" in (result.message or "")
        assert result.warning is None
        info = result.workflow_info
        assert info is not None
        assert (info.cron, info.timezone, info.is_active) == ("30 8 * * 1", "Asia/Seoul", True)
        assert info.next_run == next_fire("30 8 * * 1", "Asia/Seoul", datetime.now(UTC))

    def test_mock_of_a_disabled_one_is_paused_without_next_run(self, mock: WorkflowAPI) -> None:
        info = mock.register(NAME, cron=CRON, enabled=False).workflow_info
        assert info is not None
        assert (info.status, info.next_run) == (WorkflowStatus.PAUSED, None)

    @pytest.mark.parametrize(
        ("cron", "timezone"),
        [("* * * *", "UTC"), ("", "UTC"), ("@daily", "UTC"), (CRON, "Mars"), (CRON, "")],
    )
    @pytest.mark.parametrize("mode", ["mock", "server"])
    def test_a_bad_schedule_is_refused_in_every_mode(
        self, mode: Any, cron: str, timezone: str
    ) -> None:
        api = WorkflowAPI(ExecutionContext(execution_mode=mode))
        with pytest.raises(WorkflowRegistrationError) as caught:
            api.register(NAME, cron=cron, timezone=timezone)
        assert (code_of(caught.value), caught.value.dataset_name) == ("DLI-805", NAME)

    @pytest.mark.parametrize(
        "wrong", [{"retry_max_attempts": 0}, {"retry_delay_seconds": -1}], ids=str
    )
    def test_retries_out_of_range_are_refused(self, mock: WorkflowAPI, wrong: Any) -> None:
        with pytest.raises(DLIValidationError) as caught:
            mock.register(NAME, cron=CRON, **wrong)
        assert code_of(caught.value) == "DLI-204"

    def test_all_settings_reach_the_server_and_the_answer_is_the_result(self, on: Any) -> None:
        answer = {**WORKFLOW, "cron": "0 1 * * *", "status": "PAUSED", "warning": "differs"}
        api = on(workflow_register=done(answer))
        result = api.register(
            NAME,
            cron=CRON,
            timezone="Asia/Seoul",
            enabled=False,
            retry_max_attempts=3,
            retry_delay_seconds=0,
            force=True,
        )
        ((_, positional, keywords),) = api._client.calls
        assert positional == (NAME, CRON)
        assert keywords == {
            "timezone": "Asia/Seoul",
            "enabled": False,
            "retry_max_attempts": 3,
            "retry_delay_seconds": 0,
            "force": True,
        }
        assert (result.workflow_info.cron, result.workflow_info.is_paused) == ("0 1 * * *", True)
        assert result.warning == "differs"

    def test_a_registered_workflow_is_listed(self, api: WorkflowAPI) -> None:
        result = api.register(NAME, cron=CRON)
        assert result.workflow_info == api.get(NAME)

    def test_twice_needs_force(self, api: WorkflowAPI) -> None:
        api.register(NAME, cron=CRON)
        with pytest.raises(WorkflowRegistrationError) as caught:
            api.register(NAME, cron=CRON)
        assert (code_of(caught.value), caught.value.dataset_name) == ("DLI-804", NAME)
        changed = api.register(NAME, cron="0 8 * * *", force=True).workflow_info
        assert changed is not None
        assert changed.cron == "0 8 * * *"

    @pytest.mark.parametrize("force", [False, True])
    def test_a_code_workflow_is_not_replaced(self, api: WorkflowAPI, force: bool) -> None:
        with pytest.raises(WorkflowPermissionError) as caught:
            api.register(CLICKS, cron=CRON, force=force)
        assert (code_of(caught.value), caught.value.dataset_name) == ("DLI-803", CLICKS)

    def test_an_unknown_dataset_is_told_from_other_refusals(self, on: Any) -> None:
        with pytest.raises(DatasetNotFoundError) as unknown:
            on(workflow_register=refused(404, "DLI-101")).register(NAME, cron=CRON)
        assert unknown.value.name == NAME
        with pytest.raises(WorkflowRegistrationError) as other:
            on(workflow_register=refused(404)).register(NAME, cron=CRON)
        assert code_of(other.value) == "DLI-801"

    @pytest.mark.parametrize(
        "answer",
        [None, [], {}, {**WORKFLOW, "source_type": "alien"}, {**WORKFLOW, "next_run": "soon"}],
    )
    def test_an_answer_that_cannot_be_read_is_801(self, on: Any, answer: Any) -> None:
        with pytest.raises(WorkflowRegistrationError) as caught:
            on(workflow_register=done(answer)).register(NAME, cron=CRON)
        assert (code_of(caught.value), caught.value.dataset_name) == ("DLI-801", NAME)


class TestUnregister:
    def test_mock(self, mock: WorkflowAPI) -> None:
        result = mock.unregister(NAME)
        assert (result.dataset_name, result.status) == (NAME, ResultStatus.SUCCESS)
        assert result.run_id is None
        assert "unregistered" in (result.message or "")

    def test_the_workflow_is_gone(self, api: WorkflowAPI) -> None:
        api.register(NAME, cron=CRON)
        run_id = api.run(NAME).run_id
        result = api.unregister(NAME)
        assert (result.status, result.run_id) == (ResultStatus.SUCCESS, None)
        assert api.get(NAME) is None
        assert api.get_status(str(run_id)).run_status is RunStatus.KILLED

    def test_an_unknown_one(self, api: WorkflowAPI) -> None:
        with pytest.raises(WorkflowNotFoundError) as caught:
            api.unregister(NAME)
        assert (code_of(caught.value), caught.value.dataset_name) == ("DLI-800", NAME)

    def test_a_code_workflow(self, api: WorkflowAPI) -> None:
        with pytest.raises(WorkflowPermissionError) as caught:
            api.unregister(CLICKS)
        assert code_of(caught.value) == "DLI-803"

    @pytest.mark.parametrize("status", [409, 422, 500])
    def test_any_other_failure_is_808(self, on: Any, status: int) -> None:
        with pytest.raises(WorkflowRegistrationError) as caught:
            on(workflow_unregister=refused(status)).unregister(NAME)
        assert (code_of(caught.value), caught.value.dataset_name) == ("DLI-808", NAME)

    def test_the_message_of_the_server_is_passed_on(self, on: Any) -> None:
        said = {"dataset_name": NAME, "message": "gone, CODE stays in force"}
        assert on(workflow_unregister=done(said)).unregister(NAME).message == said["message"]
        assert on(workflow_unregister=done()).unregister(NAME).message


class TestPauseUnpause:
    def test_mock(self, mock: WorkflowAPI) -> None:
        paused, resumed = mock.pause(NAME), mock.unpause(NAME)
        assert (paused.status, paused.run_id) == (ResultStatus.SUCCESS, None)
        assert "paused" in (paused.message or "")
        assert (resumed.status, resumed.run_id) == (ResultStatus.SUCCESS, None)
        assert "resumed" in (resumed.message or "")

    def test_pause_and_resume(self, api: WorkflowAPI) -> None:
        assert api.pause(CLICKS).run_id is None
        paused = api.get(CLICKS)
        assert paused is not None
        assert paused.is_paused
        assert api.run(CLICKS).run_id
        api.unpause(CLICKS)
        resumed = api.get(CLICKS)
        assert resumed is not None
        assert resumed.is_active

    def test_twice_is_807(self, api: WorkflowAPI) -> None:
        for call, name in ((api.pause, SUMMARY), (api.unpause, CLICKS)):
            with pytest.raises(WorkflowExecutionError) as caught:
                call(name)
            assert code_of(caught.value) == "DLI-807"

    def test_an_unknown_workflow(self, api: WorkflowAPI) -> None:
        for call in (api.pause, api.unpause):
            with pytest.raises(WorkflowNotFoundError) as caught:
                call("no.such.name")
            assert caught.value.dataset_name == "no.such.name"

    def test_an_overridden_workflow_is_not_resumed(self, on: Any) -> None:
        with pytest.raises(WorkflowPermissionError) as caught:
            on(workflow_unpause=refused(403, "DLI-806")).unpause(NAME)
        assert (code_of(caught.value), caught.value.dataset_name) == ("DLI-806", NAME)

    def test_an_answer_without_content_is_enough(self, on: Any) -> None:
        api = on(workflow_pause=done(), workflow_unpause=done({"dataset_name": NAME}))
        assert NAME in (api.pause(NAME).message or "")
        assert NAME in (api.unpause(NAME).message or "")
