"""What Airflow, and people in its own UI, do by themselves is taken over and shown."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from camp import Camp
from dli.exceptions import ErrorCode, WorkflowExecutionError
from dli.specs.run_id import scheduled_run_id
from identity import BOSS
from stub_airflow import StubAirflow


def _fire(airflow: StubAirflow, name: str, at: datetime) -> str:
    start = at - timedelta(days=1)
    run_id = scheduled_run_id(name, start)
    airflow.add_run(
        name,
        run_id,
        run_type="scheduled",
        run_after=at.isoformat(),
        data_interval_start=start.isoformat(),
        data_interval_end=at.isoformat(),
    )
    airflow.end(name, run_id)
    return run_id


def test_runs_that_airflow_scheduled_meanwhile_are_taken_over_once(
    camp: Camp, airflow: StubAirflow, name: str
) -> None:
    (listed,), _ = camp.workflows.list(BOSS)
    due = datetime.fromisoformat(listed["next_run"])
    run_id = _fire(airflow, name, due)
    camp.step()
    camp.restart()
    camp.step()
    (found,), count = camp.runs.history(BOSS)
    assert count == 1
    assert (found["run_id"], found["run_type"], found["status"]) == (
        run_id,
        "scheduled",
        "COMPLETED",
    )
    (listed,), _ = camp.workflows.list(BOSS)
    assert datetime.fromisoformat(listed["next_run"]) > due


def test_ticks_that_gave_no_run_are_recorded(camp: Camp, airflow: StubAirflow, name: str) -> None:
    due = datetime.fromisoformat(camp.workflows.get(BOSS, name)["next_run"])
    _fire(airflow, name, due + timedelta(days=3))
    camp.step()
    (skipped,) = camp.workflows.get(BOSS, name)["skipped_ticks"]
    assert (skipped["count"], skipped["reason"]) == (3, "missed")


def test_a_run_made_in_airflow_itself_is_shown(camp: Camp, airflow: StubAirflow, name: str) -> None:
    airflow.add_run(name, "manual__2026-01-01T00:00:00+00:00", state="running")
    airflow.add_run("of.somebody.else", "run-9", state="running")
    camp.step()
    (found,), count = camp.runs.history(BOSS)
    assert (count, found["status"], found["triggered_by"]) == (1, "RUNNING", "airflow")


def test_a_run_that_is_done_again_by_hand_becomes_a_run_of_its_own(
    camp: Camp, airflow: StubAirflow, name: str
) -> None:
    run_id = camp.start(name)
    camp.step()
    airflow.end(name, run_id)
    camp.step()
    later = datetime.now(UTC) + timedelta(seconds=10)
    airflow.runs[name, run_id] |= {"state": "running", "queued_at": later.isoformat()}
    camp.step()
    camp.step()
    (again, first), count = camp.runs.history(BOSS)
    assert (count, first["status"]) == (2, "COMPLETED")
    assert (again["status"], again["triggered_by"]) == ("RUNNING", "airflow")


def test_f14_a_run_that_vanished_is_lost_and_not_stuck(
    camp: Camp, airflow: StubAirflow, name: str
) -> None:
    run_id = camp.start(name)
    camp.step()
    airflow.begin(name, run_id)
    camp.step()
    airflow.runs.clear()
    camp.step()
    found = camp.runs.get(BOSS, run_id)
    assert found["status"] == "FAILED"
    assert found["error_message"].startswith("lost:")


def test_a_state_that_is_unknown_is_shown_and_never_a_success(
    camp: Camp, airflow: StubAirflow, name: str
) -> None:
    run_id = camp.start(name)
    camp.step()
    airflow.runs[name, run_id]["state"] = "triumphant"
    camp.step()
    found = camp.runs.get(BOSS, run_id)
    assert found["status"] == "PENDING"
    assert "engine_protocol" in found["error_message"]


def test_a_dag_paused_by_hand_refuses_runs_and_shows_why(
    camp: Camp, airflow: StubAirflow, name: str
) -> None:
    run_id = camp.start(name)
    airflow.dags[name]["is_paused"] = True
    camp.step()
    assert "airflow_paused" in camp.runs.get(BOSS, run_id)["error_message"]
    assert "airflow_paused" in camp.workflows.get(BOSS, name)["error"]
    with pytest.raises(WorkflowExecutionError) as refused:
        camp.start(name)
    assert refused.value.code is ErrorCode.WORKFLOW_INVALID_STATE
    airflow.dags[name]["is_paused"] = False
    camp.step()
    camp.step()
    assert (name, run_id) in airflow.runs
    assert camp.workflows.get(BOSS, name)["error"] is None


def test_a_run_that_is_queued_when_its_dag_is_paused_tells_why(
    camp: Camp, airflow: StubAirflow, name: str
) -> None:
    run_id = camp.start(name)
    camp.step()
    airflow.dags[name]["is_paused"] = True
    camp.step()
    assert "airflow_paused" in camp.runs.get(BOSS, run_id)["error_message"]
    airflow.dags[name]["is_paused"] = False
    airflow.begin(name, run_id)
    camp.step()
    found = camp.runs.get(BOSS, run_id)
    assert (found["status"], found["error_message"]) == ("RUNNING", None)


def test_a_spec_that_airflow_cannot_use_is_shown(
    camp: Camp, airflow: StubAirflow, name: str
) -> None:
    trace = "Traceback\n  File x\nDLIError: not valid"
    airflow.import_errors = [{"filename": f"problems/{name}.py", "stack_trace": trace}]
    camp.step()
    assert "not valid" in camp.workflows.get(BOSS, name)["error"]


def test_a_pause_is_written_where_the_timetable_reads_it(
    camp: Camp, airflow: StubAirflow, name: str
) -> None:
    camp.step()
    parsed = airflow.parsed
    camp.workflows.pause(camp.caller, name, reason="stock taking")
    camp.step()
    state = camp.root / "store" / "state" / f"{name}.json"
    assert json.loads(state.read_text()) == {
        "paused": True,
        "source_type": "manual",
        "until": None,
    }
    assert airflow.parsed == parsed + 1
    camp.workflows.unpause(camp.caller, name)
    camp.restart()
    camp.step()
    assert not state.exists()
