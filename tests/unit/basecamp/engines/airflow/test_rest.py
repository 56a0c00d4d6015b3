"""The calls to Airflow, and what their answers mean."""

from datetime import UTC, datetime
from typing import Any

import pytest

from basecamp.engines.airflow.fault import AirflowError, Reason
from basecamp.engines.airflow.rest import AirflowRest
from stub_airflow import StubAirflow, answering

NAME = "shop.sales.daily"
EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture(autouse=True)
def dag(airflow: StubAirflow) -> dict[str, Any]:
    return airflow.add_dag(NAME)


def test_a_run_is_triggered_once_under_our_id(airflow: StubAirflow, rest: AirflowRest) -> None:
    first = rest.trigger(NAME, "run-1", {"parameters": {}})
    airflow.begin(NAME, "run-1")
    again = rest.trigger(NAME, "run-1", {"parameters": {}})
    assert first is not None
    assert again is not None
    assert (first.status, again.status) == ("PENDING", "RUNNING")
    assert len(airflow.runs) == 1


def test_f13_an_answer_that_was_lost_does_not_make_a_second_run(
    airflow: StubAirflow, rest: AirflowRest
) -> None:
    rest.part_states()

    def lose(request: Any) -> bool:
        airflow.add_run(NAME, "run-1")
        request.close_connection = True
        return True

    airflow.faults = [lose]
    with pytest.raises(AirflowError):
        rest.trigger(NAME, "run-1", {})
    found = rest.trigger(NAME, "run-1", {})
    assert found is not None
    assert len(airflow.runs) == 1


def test_what_airflow_does_not_know_is_none(airflow: StubAirflow, rest: AirflowRest) -> None:
    assert rest.trigger("no.such", "run-1", {}) is None
    assert rest.dag("no.such") is None
    assert rest.run(NAME, "no-such") is None
    assert rest.stop(NAME, "no-such") is False
    assert rest.tries(NAME, "no-such") == []
    assert rest.result(NAME, "no-such") is None


def test_a_run_that_airflow_refuses(airflow: StubAirflow, rest: AirflowRest) -> None:
    rest.part_states()
    airflow.faults = [answering(400, b'{"detail": "invalid params"}')]
    with pytest.raises(AirflowError) as refused:
        rest.trigger(NAME, "run-1", {})
    assert refused.value.reason is Reason.REFUSED


@pytest.mark.parametrize(
    ("state", "status"),
    [
        ("queued", "PENDING"),
        ("running", "RUNNING"),
        ("success", "COMPLETED"),
        ("failed", "FAILED"),
        ("SUCCESS", None),
        ("succeeded", None),
        ("restarting", None),
    ],
)
def test_a_state_that_is_unknown_is_no_success(
    airflow: StubAirflow, rest: AirflowRest, state: str, status: str | None
) -> None:
    airflow.add_run(NAME, "run-1", state=state)
    found = rest.run(NAME, "run-1")
    assert found is not None
    assert found.status == status
    assert found.has_ended is (status in ("COMPLETED", "FAILED"))


@pytest.mark.parametrize(
    "change",
    [
        {"state": None},
        {"state": 1},
        {"dag_run_id": ["x"]},
        {"run_after": "yesterday"},
        {"run_after": "2026-01-01T00:00:00"},
        {"start_date": 7},
    ],
)
def test_a_run_of_another_form_is_refused(
    airflow: StubAirflow, rest: AirflowRest, change: dict[str, Any]
) -> None:
    airflow.add_run(NAME, "run-1", **change)
    with pytest.raises(AirflowError) as refused:
        rest.run(NAME, "run-1")
    assert refused.value.reason is Reason.PROTOCOL


@pytest.mark.parametrize(
    "value", ["text", {"rows_affected": "3"}, {"rows_affected": True}, {"error_message": {}}]
)
def test_a_result_of_another_form_is_refused(
    airflow: StubAirflow, rest: AirflowRest, value: Any
) -> None:
    airflow.results[NAME, "run-1"] = value
    with pytest.raises(AirflowError) as refused:
        rest.result(NAME, "run-1")
    assert refused.value.reason is Reason.PROTOCOL


def test_changed_runs_come_in_pages(airflow: StubAirflow, rest: AirflowRest) -> None:
    for number in range(130):
        airflow.add_run(NAME, f"run-{number}")
    first = rest.changed_runs(EPOCH)
    assert first.next_cursor is not None
    second = rest.changed_runs(EPOCH, first.next_cursor)
    assert (len(first.runs), len(second.runs), second.next_cursor) == (100, 30, None)
    assert first.at is not None


def test_runs_with_large_parameters_are_read_in_smaller_pages(
    airflow: StubAirflow, rest: AirflowRest
) -> None:
    for number in range(3):
        airflow.add_run(NAME, f"run-{number}", conf={"parameters": {"x": "y" * 600_000}})
    found: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = rest.changed_runs(EPOCH, cursor)
        found += [run.run_id for run in page.runs]
        cursor = page.next_cursor
    assert found == ["run-0", "run-1", "run-2"]


def test_attempts_come_in_order(airflow: StubAirflow, rest: AirflowRest) -> None:
    airflow.add_run(NAME, "run-1")
    airflow.end(NAME, "run-1", "failed", tries=3)
    airflow.tries[NAME, "run-1"].reverse()
    assert [one.number for one in rest.tries(NAME, "run-1")] == [1, 2, 3]


def test_names_are_quoted_in_paths(airflow: StubAirflow, rest: AirflowRest) -> None:
    run_id = "manual__2026-01-01T00:00:00+00:00/../x"
    airflow.add_run(NAME, run_id)
    found = rest.run(NAME, run_id)
    assert found is not None
    assert found.run_id == run_id
