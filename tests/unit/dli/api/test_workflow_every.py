"""`WorkflowAPI`: what holds for every method."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import Mock

import pytest

from dli.api.workflow import WorkflowAPI
from dli.client.basecamp import create_client
from dli.client.response import ServerResponse
from dli.exceptions import (
    ConfigurationError,
    DLIError,
    DLIValidationError,
    ErrorCode,
    WorkflowExecutionError,
    WorkflowPermissionError,
    WorkflowRegistrationError,
)
from dli.models.common import ExecutionContext
from dli.models.state import ExecutionMode

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
EVERY_CALL = pytest.mark.parametrize(("method", "call"), CALLS.values(), ids=list(CALLS))


def refused(status: int, code: str | None = None, error: str = "no") -> ServerResponse:
    return ServerResponse(success=False, error=error, status_code=status, code=code)


def code_of(error: DLIError) -> str:
    return error.code.value


class TestEveryMethod:
    @EVERY_CALL
    def test_mock_never_calls_a_client(self, mock: WorkflowAPI, method: str, call: Call) -> None:
        call(mock)
        assert mock.__dict__["watched"].mock_calls == []

    @EVERY_CALL
    @pytest.mark.parametrize("mode", [ExecutionMode.LOCAL, ExecutionMode.SERVER])
    def test_without_a_server_each_says_what_is_missing(
        self, mode: ExecutionMode, method: str, call: Call
    ) -> None:
        with pytest.raises(ConfigurationError, match="server_url required") as caught:
            call(WorkflowAPI(ExecutionContext(execution_mode=mode)))
        assert caught.value.code is ErrorCode.CONFIG_INVALID
        assert ("dli up" in str(caught.value)) == (mode is ExecutionMode.LOCAL)

    @EVERY_CALL
    def test_an_injected_client_works_in_local_mode_too(
        self, scripted: Any, method: str, call: Call
    ) -> None:
        client = scripted(**{method: refused(500)})
        with pytest.raises(DLIError):
            call(WorkflowAPI(ExecutionContext(), client=client))
        assert [name for name, _, _ in client.calls] == [method]

    @EVERY_CALL
    @pytest.mark.parametrize(
        ("code", "is_carried"),
        [("501", True), ("502", True), ("402", True), ("504", True), ("503", False)],
    )
    def test_the_cause_of_an_outage_is_the_code(
        self, on: Any, method: str, call: Call, code: str, is_carried: bool
    ) -> None:
        with pytest.raises((WorkflowExecutionError, WorkflowRegistrationError)) as caught:
            call(on(**{method: refused(503, f"DLI-{code}")}))
        assert (code_of(caught.value) == f"DLI-{code}") is is_carried

    @EVERY_CALL
    def test_forbidden_is_a_permission_error(self, on: Any, method: str, call: Call) -> None:
        with pytest.raises(WorkflowPermissionError) as caught:
            call(on(**{method: refused(403)}))
        assert code_of(caught.value) == "DLI-803"

    @pytest.mark.parametrize("mode", list(ExecutionMode))
    @pytest.mark.parametrize("blank", ["", "   ", None])
    @pytest.mark.parametrize(
        "call",
        [
            lambda api, name: api.get(name),
            lambda api, name: api.register(name, cron=CRON),
            lambda api, name: api.unregister(name),
            lambda api, name: api.run(name),
            lambda api, name: api.backfill(name, **WEEK),
            lambda api, name: api.stop(name),
            lambda api, name: api.get_status(name),
            lambda api, name: api.pause(name),
            lambda api, name: api.unpause(name),
        ],
    )
    def test_a_blank_name_is_refused_in_every_mode(
        self, mode: ExecutionMode, call: Any, blank: Any
    ) -> None:
        with pytest.raises(DLIValidationError) as caught:
            call(WorkflowAPI(ExecutionContext(execution_mode=mode)), blank)
        assert code_of(caught.value) == "DLI-204"

    @pytest.mark.parametrize("mode", list(ExecutionMode))
    @pytest.mark.parametrize("limit", [0, -1, 1.5, "5", True])
    def test_a_bad_limit_is_refused_in_every_mode(self, mode: ExecutionMode, limit: Any) -> None:
        api = WorkflowAPI(ExecutionContext(execution_mode=mode))
        for call in (api.list_workflows, api.history):
            with pytest.raises(DLIValidationError) as caught:
                call(limit=limit)
            assert code_of(caught.value) == "DLI-204"

    def test_a_filter_that_is_no_member_is_refused(self, mock: WorkflowAPI) -> None:
        wrong: list[tuple[Callable[..., Any], dict[str, str]]] = [
            (mock.list_workflows, {"source_type": "git"}),
            (mock.list_workflows, {"status": "asleep"}),
            (mock.history, {"run_status": "DONE"}),
        ]
        for call, filters in wrong:
            with pytest.raises(DLIValidationError, match="must be one of"):
                call(**filters)

    def test_a_client_made_of_mocks_will_do(self, server_context: ExecutionContext) -> None:
        client = Mock()
        client.workflow_run.return_value = Mock(success=True, data={"run_id": "r-1"}, error=None)
        assert WorkflowAPI(server_context, client=client).run(NAME).run_id == "r-1"
        client.workflow_list.return_value = Mock(success=True, data=[WORKFLOW])
        assert WorkflowAPI(server_context, client=client).list_workflows().total_count == 1

    def test_one_object_per_thread(self) -> None:
        found: list[int] = []

        def work(name: str) -> None:
            context = ExecutionContext(execution_mode=ExecutionMode.SERVER)
            api = WorkflowAPI(context, client=create_client())
            for number in range(20):
                api.register(f"{name}.t{number}", cron=CRON)
            found.append(api.list_workflows(dataset_filter=name + ".").total_count)

        threads = [threading.Thread(target=work, args=(f"n{n}",)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
        assert found == [20] * 8


class TestConstruction:
    def test_the_context_is_kept_and_shown_without_its_token(self) -> None:
        context = ExecutionContext(api_token="s3cret", server_url="http://h")
        api = WorkflowAPI(context)
        assert api.context is context
        assert repr(api).startswith("WorkflowAPI(context=ExecutionContext(")
        assert "s3cret" not in repr(api)

    def test_a_context_is_made_when_none_is_given(self) -> None:
        assert WorkflowAPI().context.execution_mode is ExecutionMode.LOCAL

    def test_the_client_gets_url_token_and_timeout_of_the_context(self) -> None:
        context = ExecutionContext(
            execution_mode=ExecutionMode.SERVER,
            server_url="http://h:1/",
            api_token="s3cret",
            timeout=7,
        )
        config = WorkflowAPI(context)._connected().config
        assert (config.url, config.api_key, config.timeout) == ("http://h:1/", "s3cret", 7)

    def test_mock_times_are_close_to_now_and_aware(self, mock: WorkflowAPI) -> None:
        info = mock.get(NAME)
        assert info is not None
        assert info.next_run is not None
        assert timedelta() < info.next_run - datetime.now(UTC) <= timedelta(days=1)
