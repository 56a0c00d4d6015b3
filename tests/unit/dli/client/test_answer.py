"""Which exception a failed answer becomes: the table of the contract, row by row."""

import json
from typing import Any, get_args
from unittest.mock import Mock

import pytest

from dli.client.answer import (
    Method,
    check,
    failure,
    is_not_found,
    next_offset,
    record,
    records,
    total_count,
)
from dli.client.response import ServerResponse, refusal
from dli.exceptions import (
    CODES,
    DatasetNotFoundError,
    DLIError,
    ErrorCode,
    WorkflowExecutionError,
    WorkflowNotFoundError,
    WorkflowPermissionError,
    WorkflowRegistrationError,
)

METHODS: tuple[Method, ...] = get_args(Method)
CARRIED = ("204", "402", "501", "502", "504", *(str(code) for code in range(801, 809)))

MISSING = (WorkflowNotFoundError, "DLI-800")
FAILED = (WorkflowExecutionError, "DLI-802")
NOT_REGISTERED = (WorkflowRegistrationError, "DLI-801")
EXISTS = (WorkflowRegistrationError, "DLI-804")
KEPT = (WorkflowRegistrationError, "DLI-808")

TABLE: dict[Method, tuple[Any, Any, Any]] = {
    "get": (MISSING, FAILED, FAILED),
    "register": (NOT_REGISTERED, EXISTS, NOT_REGISTERED),
    "publish": (NOT_REGISTERED, EXISTS, NOT_REGISTERED),
    "unregister": (MISSING, KEPT, KEPT),
    "run": (MISSING, FAILED, FAILED),
    "backfill": (MISSING, FAILED, FAILED),
    "pause": (MISSING, FAILED, FAILED),
    "unpause": (MISSING, FAILED, FAILED),
    "stop": (FAILED, FAILED, FAILED),
    "get_status": (MISSING, FAILED, FAILED),
    "logs": (MISSING, FAILED, FAILED),
    "list_workflows": (FAILED, FAILED, FAILED),
    "history": (FAILED, FAILED, FAILED),
}
ROWS = [
    (method, status, *expected)
    for method, (missing, conflict, other) in TABLE.items()
    for status, expected in (
        (404, missing),
        (409, conflict),
        *((status, other) for status in (400, 401, 422, 429, 500, 502, 503, 504)),
    )
]


def refused(status: int, code: str | None = None, error: str = "why") -> ServerResponse:
    return ServerResponse(success=False, error=error, status_code=status, code=code)


def kind_and_code(error: DLIError) -> tuple[type[DLIError], str]:
    return type(error), error.code.value


def test_the_table_has_every_method() -> None:
    assert set(TABLE) == set(METHODS)


@pytest.mark.parametrize(("method", "status", "kind", "code"), ROWS)
def test_without_a_code_of_the_server_the_table_decides(
    method: Method, status: int, kind: type[DLIError], code: str
) -> None:
    found = failure(refused(status), method, dataset_name="a.b", run_id="r-1")
    assert kind_and_code(found) == (kind, code)
    assert found.details == {"status_code": status}


@pytest.mark.parametrize("server_code", sorted(code.value for code in ErrorCode))
def test_the_code_of_the_server_is_carried_only_when_it_says_more(server_code: str) -> None:
    for method, status, kind, code in ROWS:
        found = failure(refused(status, server_code), method, dataset_name="a.b")
        if server_code == "DLI-806":
            expected: tuple[type[DLIError], str] = (WorkflowPermissionError, server_code)
        elif (method, status, server_code) == ("register", 404, "DLI-101"):
            expected = (DatasetNotFoundError, server_code)
        else:
            is_carried = server_code.removeprefix("DLI-") in CARRIED
            expected = (kind, server_code if is_carried else code)
        assert kind_and_code(found) == expected, (method, status)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    ("server_code", "code"),
    [(None, "803"), ("DLI-803", "803"), ("DLI-806", "806"), ("DLI-503", "803")],
)
def test_forbidden_is_forbidden_in_every_method(
    method: Method, server_code: str | None, code: str
) -> None:
    found = failure(refused(403, server_code), method, dataset_name="a.b")
    assert kind_and_code(found) == (WorkflowPermissionError, f"DLI-{code}")
    assert isinstance(found, WorkflowPermissionError)
    assert found.dataset_name == "a.b"


def test_every_code_has_a_row_in_the_code_table() -> None:
    assert set(CODES) == set(ErrorCode)


def test_names_are_attributes_and_part_of_the_message() -> None:
    on_dataset = failure(refused(500), "run", dataset_name="a.b")
    assert isinstance(on_dataset, WorkflowExecutionError)
    assert (on_dataset.dataset_name, on_dataset.run_id) == ("a.b", "")
    assert str(on_dataset) == "[DLI-802] a.b: why"
    on_run = failure(refused(404), "stop", run_id="r-1")
    assert isinstance(on_run, WorkflowExecutionError)
    assert (on_run.dataset_name, on_run.run_id) == ("", "r-1")
    assert str(on_run) == "[DLI-802] r-1: why"
    named = failure(refused(500, error="a.b is odd"), "run", dataset_name="a.b")
    assert str(named) == "[DLI-802] a.b is odd"
    unknown = failure(refused(404, "DLI-101"), "register", dataset_name="a.b")
    assert isinstance(unknown, DatasetNotFoundError)
    assert (unknown.name, unknown.searched_paths) == ("a.b", [])


def test_details_of_the_server_are_kept_and_can_be_written_as_json() -> None:
    errors = [{"pointer": "/cron", "message": "bad"}]
    response = refused(422, "DLI-805")
    response.details = {"request_id": "req-1", "errors": errors, "other": object()}
    found = failure(response, "register", dataset_name="a.b")
    assert found.details == {"status_code": 422, "request_id": "req-1", "errors": errors}
    json.dumps(found.details)


@pytest.mark.parametrize("error", [None, ""])
def test_a_failure_without_a_text_gets_one(error: Any) -> None:
    found = failure(refused(500, error=error), "run", dataset_name="a.b")
    assert "HTTP 500" in str(found)


@pytest.mark.parametrize("code", ["DLI-999", "800", "", "dli-800"])
def test_a_code_that_nobody_knows_is_no_code(code: str) -> None:
    assert kind_and_code(failure(refused(409, code), "register")) == EXISTS


def test_a_substitute_client_needs_none_of_the_newer_fields() -> None:
    response = Mock(spec=["success", "data", "error", "status_code"])
    response.configure_mock(success=False, data=None, error="no", status_code=409)
    assert kind_and_code(failure(response, "register")) == EXISTS
    careless = Mock(success=False, status_code=500)
    found = failure(careless, "run", dataset_name="a.b")
    assert kind_and_code(found) == FAILED
    assert found.details == {"status_code": 500}
    listed = Mock(spec=["success", "data"], success=True, data=[])
    assert total_count(listed) is None


@pytest.mark.parametrize(
    ("status", "expected"), [(404, True), (200, True), (403, False), (500, False), (503, False)]
)
def test_not_found_is_said_by_404_or_by_no_error_status(status: int, expected: bool) -> None:
    assert is_not_found(refused(status)) is expected


def test_a_success_is_its_data() -> None:
    assert check(ServerResponse(success=True, data={"a": 1}), "run") == {"a": 1}
    assert check(ServerResponse(success=True), "pause") is None
    with pytest.raises(WorkflowExecutionError):
        check(refusal(500, "DLI-503", "no"), "run")


def test_records_come_bare_or_in_an_object() -> None:
    rows = [{"dataset_name": "a.b"}]
    assert records(rows, "list_workflows", "workflows") == rows
    assert records({"workflows": rows}, "list_workflows", "workflows") == rows
    assert record({"run_id": "r"}, "run") == {"run_id": "r"}


@pytest.mark.parametrize("data", [None, "text", {}, {"workflows": None}, ["a.b"], 7])
def test_what_is_no_list_of_records_is_an_error(data: object) -> None:
    with pytest.raises(WorkflowExecutionError) as caught:
        records(data, "list_workflows", "workflows")
    assert caught.value.code is ErrorCode.WORKFLOW_EXECUTION_FAILED


@pytest.mark.parametrize(
    ("method", "expected"), [("register", NOT_REGISTERED), ("unregister", FAILED), ("run", FAILED)]
)
def test_what_is_no_record_is_an_error(method: Method, expected: Any) -> None:
    with pytest.raises(DLIError) as caught:
        record([], method, dataset_name="a.b")
    assert kind_and_code(caught.value) == expected


def test_paging_is_read_from_meta_or_from_the_object() -> None:
    meta = {"total_count": 7, "next_offset": 5}
    assert total_count(ServerResponse(success=True, data=[], meta=meta)) == 7
    assert next_offset(ServerResponse(success=True, data=[], meta=meta)) == 5
    assert total_count(ServerResponse(success=True, data={"total_count": 3})) == 3
    assert next_offset(ServerResponse(success=True, data=[], meta={"next_offset": None})) is None
    assert total_count(ServerResponse(success=True, data=[], meta={"total_count": True})) is None
