"""Runs go out to Airflow once, and what becomes of them comes back as it is."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from basecamp.store import run
from camp import Camp
from dli.exceptions import ErrorCode, ServerError
from identity import BOSS
from stub_airflow import StubAirflow, answering


def test_a_run_is_followed_from_queue_to_end(camp: Camp, airflow: StubAirflow, name: str) -> None:
    run_id = camp.start(name)
    camp.step()
    assert airflow.runs[name, run_id]["conf"]["triggered_by"] == "ana"
    assert camp.status(run_id) == "PENDING"
    airflow.begin(name, run_id)
    camp.step()
    assert camp.status(run_id) == "RUNNING"
    airflow.end(name, run_id)
    airflow.results[name, run_id] = {"rows_affected": 7}
    camp.told.clear()
    camp.step()
    found = camp.runs.get(BOSS, run_id)
    assert (found["status"], found["rows_affected"], found["attempt"]) == ("COMPLETED", 7, 1)
    assert [one["status"] for one in found["attempts"]] == ["COMPLETED"]
    assert camp.told == {run_id}
    assert len(airflow.triggers()) == 1


def test_a_run_takes_the_request_that_asked_for_it_along(
    camp: "Camp", airflow: StubAirflow, name: str
) -> None:
    trace = f"00-{'a' * 32}-{'b' * 16}-01"
    asked = replace(camp.caller, request_id="asked-1", traceparent=trace)
    run_id = camp.runs.start(asked, name, parameters={}).body["run_id"]
    camp.step()
    conf = airflow.runs[name, run_id]["conf"]
    assert (conf["request_id"], conf["traceparent"]) == ("asked-1", trace)


def test_a_failure_tells_its_code_and_every_attempt(
    camp: Camp, airflow: StubAirflow, name: str
) -> None:
    run_id = camp.start(name)
    camp.step()
    airflow.end(name, run_id, "failed", tries=3)
    airflow.results[name, run_id] = {"error_code": "DLI-405", "error_message": "no such table"}
    camp.step()
    found = camp.runs.get(BOSS, run_id)
    assert (found["status"], found["error_message"]) == ("FAILED", "no such table")
    assert (found["attempt"], len(found["attempts"])) == (3, 3)


def test_one_dataset_goes_on_while_another_waits(
    camp: Camp, airflow: StubAirflow, name: str, content: dict[str, Any]
) -> None:
    missing = camp.put({**content, "name": "shop.sales.missing"})
    first, second, third = camp.start(name), camp.start(name), camp.start(missing)
    camp.step()
    assert set(airflow.runs) == {(name, first)}
    assert "engine_lag" in camp.runs.get(BOSS, third)["error_message"]
    airflow.end(name, first)
    camp.step()
    camp.step()
    assert (camp.status(first), (name, second) in airflow.runs) == ("COMPLETED", True)


def test_many_that_wait_and_one_that_fails_hold_up_no_other(
    camp: Camp, airflow: StubAirflow, name: str, content: dict[str, Any]
) -> None:
    for number in range(30):
        camp.start(camp.put({**content, "name": f"shop.missing.n{number}"}))
    broken = camp.put({**content, "name": "shop.sales.broken"})
    airflow.add_dag(broken)
    camp.start(broken)
    run_id = camp.start(name)

    def fail_for_one(request: Any) -> bool:
        return broken in request.path and answering(500)(request)

    airflow.fault = fail_for_one
    for _ in range(3):
        camp.step(seconds=0.1)
    assert (name, run_id) in airflow.runs


def test_a_dag_that_comes_late_is_asked_for_and_its_run_not_lost(
    camp: Camp, airflow: StubAirflow, content: dict[str, Any]
) -> None:
    late = camp.put(content)
    run_id = camp.start(late)
    camp.step()
    parsed = airflow.parsed
    camp.step()
    assert airflow.parsed > parsed
    airflow.add_dag(late)
    camp.step()
    assert (late, run_id) in airflow.runs
    assert camp.runs.get(BOSS, run_id)["error_message"] is None


def test_a_run_waits_for_the_newest_spec_but_not_for_ever(
    camp: Camp, airflow: StubAirflow, name: str
) -> None:
    airflow.add_dag(name, tags=("dli:manual", "spec:0123456789ab"))
    run_id = camp.start(name)
    camp.step()
    assert "engine_lag" in camp.runs.get(BOSS, run_id)["error_message"]
    assert airflow.runs == {}
    camp.step(seconds=31)
    assert (name, run_id) in airflow.runs


def test_f9_an_accepted_run_waits_until_airflow_is_back(
    camp: Camp, airflow: StubAirflow, clock: Any, name: str
) -> None:
    airflow.fault = answering(503)
    run_id = camp.start(name)
    for _ in range(10):
        camp.step()
    found = camp.runs.get(BOSS, run_id)
    assert found["status"] == "PENDING"
    assert "engine_failing" in found["error_message"]
    assert camp.engine.health()["engine"] == "engine_failing"
    assert camp.circuit.is_open
    airflow.fault = None
    clock.advance(timedelta(minutes=2))
    camp.step()
    assert (name, run_id) in airflow.runs
    assert camp.runs.get(BOSS, run_id)["error_message"] is None


def test_an_airflow_that_is_down_is_asked_seldom(
    camp: Camp, airflow: StubAirflow, clock: Any, name: str
) -> None:
    camp.step()
    airflow.asked.clear()
    airflow.fault = answering(500)
    camp.start(name)
    asked_before_open = 0
    for second in range(60):
        clock.advance(timedelta(seconds=1))
        camp.step(seconds=1)
        if second == 5:
            asked_before_open = len(airflow.asked)
    assert len(airflow.triggers()) <= 6
    assert len(airflow.asked) - asked_before_open <= 12


def test_a_refused_run_ends_and_does_not_block_the_next(
    camp: Camp, airflow: StubAirflow, name: str
) -> None:
    camp.step()
    first, second = camp.start(name), camp.start(name)

    def refuse(request: Any) -> bool:
        if not (request.command == "POST" and request.path.endswith("/dagRuns")):
            return False
        airflow.fault = None
        return answering(400)(request)

    airflow.fault = refuse
    camp.step()
    assert camp.status(first) == "FAILED"
    camp.step()
    assert (name, second) in airflow.runs


def test_a_lost_answer_makes_no_second_run(camp: Camp, airflow: StubAirflow, name: str) -> None:
    camp.step()
    run_id = camp.start(name)

    def lose(request: Any) -> bool:
        if not (request.command == "POST" and request.path.endswith("/dagRuns")):
            return False
        airflow.fault = None
        airflow.add_run(name, run_id)
        request.close_connection = True
        return True

    airflow.fault = lose
    camp.step()
    camp.step()
    assert list(airflow.runs) == [(name, run_id)]
    assert camp.runs.get(BOSS, run_id)["error_message"] is None


def test_a_new_server_goes_on_without_triggering_again(
    camp: Camp, airflow: StubAirflow, name: str
) -> None:
    run_id = camp.start(name)
    camp.step()
    airflow.end(name, run_id)
    camp.restart()
    camp.step()
    assert camp.status(run_id) == "COMPLETED"
    assert len(airflow.triggers()) == 1


def test_a_run_whose_hand_over_was_not_stored_is_found_again(
    camp: Camp, airflow: StubAirflow, name: str
) -> None:
    run_id = camp.start(name)
    airflow.add_run(name, run_id, state="running")
    camp.restart()
    camp.step()
    assert camp.status(run_id) == "RUNNING"
    assert len(airflow.runs) == 1


@pytest.mark.parametrize("has_begun", [True, False])
def test_a_stop_ends_the_run_in_airflow(
    camp: Camp, airflow: StubAirflow, name: str, has_begun: bool
) -> None:
    run_id = camp.start(name)
    camp.step()
    if has_begun:
        airflow.begin(name, run_id)
        camp.step()
    camp.runs.stop(camp.caller, run_id, "too slow")
    assert airflow.runs[name, run_id]["state"] == "failed"
    camp.step()
    found = camp.runs.get(BOSS, run_id)
    assert (found["status"], found["stop_reason"], found["stopped_by"]) == (
        "KILLED",
        "too slow",
        "ana",
    )


def test_the_attempt_of_a_stopped_run_is_kept(camp: Camp, airflow: StubAirflow, name: str) -> None:
    run_id = camp.start(name)
    camp.step()
    airflow.begin(name, run_id)
    camp.step()
    camp.runs.stop(camp.caller, run_id)
    airflow.end(name, run_id, "failed")
    camp.step()
    assert [one["status"] for one in camp.runs.get(BOSS, run_id)["attempts"]] == ["KILLED"]


def test_a_stop_that_airflow_could_not_be_told_is_refused(
    camp: Camp, airflow: StubAirflow, name: str
) -> None:
    run_id = camp.start(name)
    camp.step()
    airflow.begin(name, run_id)
    camp.step()
    airflow.fault = answering(503, Retry_After="9")
    with pytest.raises(ServerError) as refused:
        camp.runs.stop(camp.caller, run_id)
    assert (refused.value.code, refused.value.details["retry_after"]) == (
        ErrorCode.SERVER_EXECUTION,
        9,
    )
    assert camp.status(run_id) == "RUNNING"


def test_a_stop_that_got_lost_on_the_way_is_repeated(
    camp: Camp, airflow: StubAirflow, name: str
) -> None:
    run_id = camp.start(name)
    camp.step()
    airflow.begin(name, run_id)
    camp.step()
    camp.runs.stop(camp.caller, run_id)
    airflow.runs[name, run_id]["state"] = "running"
    camp.step()
    assert airflow.runs[name, run_id]["state"] == "failed"


def test_a_run_that_was_stopped_while_it_was_sent_does_not_go_on(
    camp: Camp, airflow: StubAirflow, name: str
) -> None:
    camp.step()
    run_id = camp.start(name)

    def stop_first(request: Any) -> bool:
        if request.command == "POST" and request.path.endswith("/dagRuns"):
            airflow.fault = None
            camp.runs.stop(camp.caller, run_id)
        return False

    airflow.fault = stop_first
    camp.step()
    assert airflow.runs[name, run_id]["state"] == "failed"
    assert camp.status(run_id) == "KILLED"


def test_a_backfill_goes_day_by_day_and_stops_at_the_first_failure(
    camp: Camp, airflow: StubAirflow, name: str
) -> None:
    planned = camp.backfills.start(
        camp.caller, name, start_date="2026-01-01", end_date="2026-01-03", parameters={}
    ).body
    days = [day["run_id"] for day in planned["runs"]]
    camp.step()
    assert list(airflow.runs) == [(name, days[0])]
    airflow.end(name, days[0])
    camp.step()
    camp.step()
    airflow.end(name, days[1], "failed")
    camp.step()
    camp.step()
    whole = camp.runs.get(BOSS, planned["run_id"])
    assert (whole["status"], whole["completed_runs"]) == ("FAILED", 1)
    assert [day["status"] for day in whole["runs"]] == ["COMPLETED", "FAILED", "KILLED"]
    assert len(airflow.runs) == 2


def test_a_backfill_is_stopped_as_a_whole(camp: Camp, airflow: StubAirflow, name: str) -> None:
    planned = camp.backfills.start(
        camp.caller, name, start_date="2026-01-01", end_date="2026-01-03", parameters={}
    ).body
    camp.step()
    camp.runs.stop(camp.caller, planned["run_id"])
    assert {day["status"] for day in camp.runs.get(BOSS, planned["run_id"])["runs"]} == {"KILLED"}
    camp.step()
    assert [one["state"] for one in airflow.runs.values()] == ["failed"]


def test_log_lines_of_all_attempts_are_read_from_airflow(
    camp: Camp, airflow: StubAirflow, name: str
) -> None:
    run_id = camp.start(name)
    assert camp.runs.logs(BOSS, run_id) == {"lines": [], "next": 0, "done": False}
    camp.step()
    airflow.end(name, run_id, tries=2)
    camp.step()
    log = camp.runs.logs(BOSS, run_id, after=1)
    assert [(line["seq"], line["message"]) for line in log["lines"]] == [(2, "attempt 2")]
    assert log["done"] is True


def test_the_end_of_a_run_that_could_not_be_read_is_read_later(
    camp: Camp, airflow: StubAirflow, name: str
) -> None:
    run_id = camp.start(name)
    camp.step()

    def hide_tries(request: Any) -> bool:
        return request.path.endswith("/tries") and answering(400)(request)

    airflow.end(name, run_id)
    airflow.fault = hide_tries
    camp.step()
    assert camp.status(run_id) == "PENDING"
    airflow.fault = None
    camp.step()
    assert camp.status(run_id) == "COMPLETED"


def test_a_registration_waits_until_airflow_shows_it(
    camp: Camp, airflow: StubAirflow, name: str
) -> None:
    assert camp.engine.put_in_force([name]) is None
    airflow.fault = answering(503)
    warning = camp.engine.put_in_force([name])
    assert warning is not None
    assert "engine_failing" in warning


def test_what_lies_in_the_store_is_enough_to_know_what_was_handed_over(
    camp: Camp, airflow: StubAirflow, name: str
) -> None:
    run_id = camp.start(name)
    camp.step()
    with camp.database.read() as tx:
        assert [row.run_id for row in run.handed_over(tx)] == [run_id]


def test_an_attempt_that_failed_is_shown_while_the_run_waits_for_the_next(
    camp: Camp, airflow: StubAirflow, content: dict[str, Any]
) -> None:
    content["schedule"]["retry"] = {"max_attempts": 3, "delay_seconds": 60}
    airflow.add_dag(content["name"])
    name = camp.put(content)
    run_id = camp.start(name)
    camp.step()
    airflow.go_on(name, run_id, "up_for_retry")
    airflow.results[name, run_id] = {"error_code": "DLI-405", "error_message": "no such table"}
    camp.step()
    camp.step()
    shown = camp.runs.get(BOSS, run_id)
    assert (shown["status"], shown["attempt"], len(shown["attempts"])) == ("RUNNING", 1, 1)
    assert shown["attempts"][0]["error_message"] == "no such table"
    assert run_id in camp.told
    airflow.go_on(name, run_id, "failed", "running")
    camp.step()
    shown = camp.runs.get(BOSS, run_id)
    assert (shown["status"], shown["attempt"], len(shown["attempts"])) == ("RUNNING", 2, 1)
    airflow.end(name, run_id, tries=2)
    camp.step()
    shown = camp.runs.get(BOSS, run_id)
    assert (shown["status"], shown["attempt"], len(shown["attempts"])) == ("COMPLETED", 2, 2)
    assert [one["status"] for one in shown["attempts"]] == ["FAILED", "COMPLETED"]


def test_runs_without_a_second_attempt_are_not_asked_about(
    camp: Camp, airflow: StubAirflow, name: str
) -> None:
    run_id = camp.start(name)
    camp.step()
    airflow.go_on(name, run_id, "running")
    camp.step()
    airflow.asked.clear()
    camp.step()
    assert [path for _, path in airflow.asked if path.endswith("/tries")] == []
