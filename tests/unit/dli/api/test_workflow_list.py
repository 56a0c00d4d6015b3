"""`WorkflowAPI`: lists of workflows and the history of runs."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from dli.api.workflow import WorkflowAPI
from dli.client.response import ServerResponse
from dli.exceptions import (
    DLIError,
    WorkflowExecutionError,
)
from dli.models.state import ResultStatus, RunStatus, SourceType, WorkflowStatus

CLICKS = "iceberg.analytics.daily_clicks"
RUNNING = f"{CLICKS}_20240115_120000"
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


class TestListWorkflows:
    def test_mock_has_two(self, mock: WorkflowAPI) -> None:
        result = mock.list_workflows()
        assert (result.status, result.total_count) == (ResultStatus.SUCCESS, 2)
        one, two = result.workflows
        assert (one.dataset_name, two.dataset_name) == ("mock.dataset.one", "mock.dataset.two")
        assert (one.source_type, two.source_type) == (SourceType.MANUAL, SourceType.CODE)
        assert (one.status, two.status) == (WorkflowStatus.ACTIVE, WorkflowStatus.PAUSED)
        assert (one.cron, two.cron) == (CRON, "0 10 * * *")
        assert (one.timezone, two.timezone) == ("UTC", "Asia/Seoul")

    @pytest.mark.parametrize(
        ("filters", "names"),
        [
            ({"source_type": SourceType.CODE}, ["two"]),
            ({"status": WorkflowStatus.ACTIVE}, ["one"]),
            ({"status": WorkflowStatus.OVERRIDDEN}, []),
            ({"dataset_filter": "ONE"}, ["one"]),
            ({"running_only": True}, ["one"]),
            ({"running_only": True, "source_type": SourceType.CODE}, []),
            ({"enabled_only": True}, ["one"]),
        ],
    )
    def test_mock_honours_filters(self, mock: WorkflowAPI, filters: Any, names: list[str]) -> None:
        result = mock.list_workflows(**filters)
        assert [info.dataset_name for info in result.workflows] == [
            f"mock.dataset.{n}" for n in names
        ]
        assert result.total_count == len(names)

    def test_the_total_counts_what_the_limit_cut_off(
        self, mock: WorkflowAPI, api: WorkflowAPI
    ) -> None:
        for each, total in ((mock, 2), (api, 3)):
            result = each.list_workflows(limit=1)
            assert (len(result.workflows), result.total_count) == (1, total)

    def test_filters_are_sent_and_newer_ones_only_when_used(self, on: Any) -> None:
        api = on(workflow_list=done([]))
        kept = {
            "source": SourceType.MANUAL,
            "running_only": True,
            "enabled_only": True,
            "dataset_filter": "a",
        }
        api.list_workflows(
            source_type=SourceType.MANUAL, running_only=True, enabled_only=True, dataset_filter="a"
        )
        assert api._client.asked() == kept
        api._client.calls.clear()
        api.list_workflows(status=WorkflowStatus.PAUSED, limit=7)
        newer = {"status": WorkflowStatus.PAUSED, "limit": 7}
        assert api._client.asked().items() >= newer.items()

    def test_filters_hold_even_when_the_server_ignores_them(self, on: Any) -> None:
        records = [
            {**WORKFLOW, "dataset_name": "keep.a"},
            {**WORKFLOW, "dataset_name": "keep.b"},
            {**WORKFLOW, "dataset_name": "keep.paused", "status": "paused"},
            {**WORKFLOW, "dataset_name": "keep.code", "source_type": "code"},
            {**WORKFLOW, "dataset_name": "other"},
        ]
        api = on(workflow_list=done(records, meta={"total_count": 5}))
        result = api.list_workflows(
            source_type=SourceType.MANUAL,
            status=WorkflowStatus.ACTIVE,
            dataset_filter="KEEP",
            limit=1,
        )
        assert [info.dataset_name for info in result.workflows] == ["keep.a"]
        assert result.total_count == 2

    @pytest.mark.parametrize(
        "answer",
        [
            done([WORKFLOW], meta={"total_count": 41}),
            done({"workflows": [WORKFLOW], "total_count": 41}),
        ],
    )
    def test_the_total_of_the_server_is_taken(self, on: Any, answer: ServerResponse) -> None:
        result = on(workflow_list=answer).list_workflows()
        assert (len(result.workflows), result.total_count) == (1, 41)

    @pytest.mark.parametrize(
        ("changed", "status"),
        [
            ({"status": None, "paused": True}, WorkflowStatus.PAUSED),
            ({"status": None, "enabled": False}, WorkflowStatus.PAUSED),
            ({"status": None}, WorkflowStatus.ACTIVE),
            ({"status": "Overridden"}, WorkflowStatus.OVERRIDDEN),
            ({"status": "active", "paused": True}, WorkflowStatus.ACTIVE),
        ],
    )
    def test_a_missing_status_follows_older_names(
        self, on: Any, changed: Any, status: WorkflowStatus
    ) -> None:
        (info,) = on(workflow_list=done([{**WORKFLOW, **changed}])).list_workflows().workflows
        assert info.status is status

    def test_older_names_are_read(self, on: Any) -> None:
        record = {
            "dataset_name": NAME,
            "source": "Manual",
            "schedule": "0 1 * * *",
            "next_run_at": "2030-01-01T01:00:00Z",
            "paused": False,
        }
        (info,) = on(workflow_list=done([record])).list_workflows().workflows
        assert (info.cron, info.timezone, info.source_type) == (
            "0 1 * * *",
            "UTC",
            SourceType.MANUAL,
        )
        assert info.next_run == datetime(2030, 1, 1, 1, tzinfo=UTC)

    @pytest.mark.parametrize(
        "answer",
        [None, {}, ["a"], [{**WORKFLOW, "status": "asleep"}], [{**WORKFLOW, "source_type": None}]],
    )
    def test_an_answer_that_cannot_be_read_is_802(self, on: Any, answer: Any) -> None:
        with pytest.raises(WorkflowExecutionError) as caught:
            on(workflow_list=done(answer)).list_workflows()
        assert code_of(caught.value) == "DLI-802"


class TestHistory:
    def test_mock(self, mock: WorkflowAPI) -> None:
        result = mock.history()
        (run,) = result.runs
        assert (run.run_id, run.dataset_name) == ("mock_run_001", "mock.dataset")
        assert (run.source_type, run.status) == (SourceType.MANUAL, RunStatus.COMPLETED)
        assert (run.run_type, run.parameters) == ("adhoc", {"execution_date": "2025-01-01"})
        assert result.dataset_info == {"owner": "mock_owner", "team": "mock_team"}
        assert (result.total_count, result.status) == (1, ResultStatus.SUCCESS)
        assert mock.history(dataset_name=NAME).runs[0].dataset_name == NAME
        assert mock.history(include_dataset_info=False).dataset_info is None

    @pytest.mark.parametrize(
        ("filters", "count"),
        [
            ({"source_type": SourceType.MANUAL}, 1),
            ({"source_type": SourceType.CODE}, 0),
            ({"run_status": RunStatus.COMPLETED}, 1),
            ({"run_status": RunStatus.FAILED}, 0),
        ],
    )
    def test_mock_honours_filters(self, mock: WorkflowAPI, filters: Any, count: int) -> None:
        result = mock.history(**filters)
        assert (len(result.runs), result.total_count) == (count, count)

    def test_newest_first_with_what_the_server_knows_of_the_dataset(self, api: WorkflowAPI) -> None:
        result = api.history(dataset_name=CLICKS)
        assert [run.run_id for run in result.runs] == [RUNNING, f"{CLICKS}_20240115_060000"]
        assert result.dataset_info == {
            "owner": "analytics@example.com",
            "team": "@analytics",
            "description": "Clicks per day",
            "tags": ["analytics", "daily"],
        }

    @pytest.mark.parametrize(
        ("filters", "count"),
        [
            ({}, 4),
            ({"source_type": SourceType.MANUAL}, 2),
            ({"run_status": RunStatus.FAILED}, 1),
            ({"dataset_name": "daily_clicks"}, 0),
        ],
    )
    def test_filters(self, api: WorkflowAPI, filters: Any, count: int) -> None:
        result = api.history(**filters)
        assert (len(result.runs), result.total_count) == (count, count)

    def test_all_filters_are_sent(self, on: Any) -> None:
        api = on(workflow_history=done([]))
        api.history(source_type=SourceType.CODE, run_status=RunStatus.FAILED, limit=3)
        assert api._client.asked() == {
            "dataset_filter": None,
            "source": SourceType.CODE,
            "limit": 3,
            "status_filter": RunStatus.FAILED,
        }

    def test_runs_of_longer_names_do_not_crowd_out_those_of_the_dataset(self, on: Any) -> None:
        twin = {**RUN, "dataset_name": NAME + "_twin"}
        pages = [
            done([twin, {**RUN, "run_id": "r-9"}], meta={"total_count": 5, "next_offset": 2}),
            done([twin, {**RUN, "run_id": "r-8"}], meta={"total_count": 5, "next_offset": 4}),
        ]
        api = on(workflow_history=pages, get_dataset=refused(404))
        result = api.history(dataset_name=NAME, limit=2)
        assert [run.run_id for run in result.runs] == ["r-9", "r-8"]
        assert result.total_count == 3
        assert [call[2].get("offset") for call in api._client.calls[:2]] == [None, 2]

    def test_the_total_counts_what_the_limit_cut_off(self, api: WorkflowAPI) -> None:
        result = api.history(limit=1)
        assert (len(result.runs), result.total_count) == (1, 4)

    def test_no_dataset_info_without_a_name_or_a_wish_or_a_dataset(self, on: Any) -> None:
        nobody = on(workflow_history=done([]))
        assert nobody.history().dataset_info is None
        assert nobody.history(dataset_name=NAME, include_dataset_info=False).dataset_info is None
        unknown = on(workflow_history=done([]), get_dataset=refused(404, "DLI-101"))
        assert unknown.history(dataset_name=NAME).dataset_info is None

    def test_an_outage_while_asking_for_the_dataset_is_not_hidden(self, on: Any) -> None:
        api = on(workflow_history=done([]), get_dataset=refused(503, "DLI-501"))
        with pytest.raises(WorkflowExecutionError) as caught:
            api.history(dataset_name=NAME)
        assert (code_of(caught.value), caught.value.dataset_name) == ("DLI-501", NAME)

    @pytest.mark.parametrize(
        "answer", [None, {}, [{**RUN, "run_type": "odd"}], [{**RUN, "status": "LOST"}]]
    )
    def test_a_record_that_cannot_be_read_is_802(self, on: Any, answer: Any) -> None:
        with pytest.raises(WorkflowExecutionError) as caught:
            on(workflow_history=done(answer)).history()
        assert code_of(caught.value) == "DLI-802"
