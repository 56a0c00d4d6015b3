"""What the states of workflows and runs mean."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from dli.models.state import ResultStatus, RunStatus, SourceType, WorkflowStatus
from dli.models.workflow import (
    WorkflowInfo,
    WorkflowRegisterResult,
    WorkflowRun,
    WorkflowStatusResult,
)

START = datetime(2025, 1, 1, 9, tzinfo=UTC)
FINAL = {RunStatus.COMPLETED, RunStatus.FAILED, RunStatus.KILLED}


def run(status: RunStatus = RunStatus.RUNNING, **given: Any) -> WorkflowRun:
    return WorkflowRun(
        run_id="r",
        dataset_name="d",
        source_type=SourceType.CODE,
        status=status,
        run_type="adhoc",
        **given,
    )


def status_result(status: RunStatus, **given: Any) -> WorkflowStatusResult:
    return WorkflowStatusResult(
        run_id="r",
        dataset_name="d",
        source_type=SourceType.CODE,
        run_status=status,
        run_type="scheduled",
        **given,
    )


@pytest.mark.parametrize("status", WorkflowStatus)
def test_a_workflow_is_in_one_state(status: WorkflowStatus) -> None:
    info = WorkflowInfo(dataset_name="d", source_type=SourceType.CODE, status=status, cron="")
    found = (info.is_active, info.is_paused, info.is_overridden)
    assert found == tuple(status is each for each in WorkflowStatus)


@pytest.mark.parametrize("status", RunStatus)
def test_a_run_is_finished_or_not(status: RunStatus) -> None:
    one = run(status)
    assert one.is_pending is (status is RunStatus.PENDING)
    assert one.is_running is (status is RunStatus.RUNNING)
    assert one.is_finished is (status in FINAL)
    assert one.is_success is (status is RunStatus.COMPLETED)


@pytest.mark.parametrize("status", RunStatus)
def test_a_run_status_is_running_until_it_is_terminal(status: RunStatus) -> None:
    result = status_result(status)
    assert result.is_terminal is status.is_terminal is (status in FINAL)
    assert result.is_running is (status not in FINAL)


def test_duration_of_a_run() -> None:
    assert run().duration_seconds is None
    end = START + timedelta(seconds=90)
    assert run(RunStatus.COMPLETED, started_at=START, finished_at=end).duration_seconds == 90
    running = run(started_at=datetime.now(UTC) - timedelta(minutes=1)).duration_seconds
    assert running is not None
    assert 60 <= running < 120


def test_duration_of_a_run_whose_times_were_set_without_zone() -> None:
    one = run(RunStatus.COMPLETED, started_at=START)
    one.finished_at = datetime(2025, 1, 1, 9, 1)  # noqa: DTZ001 (users do that)
    assert one.duration_seconds == 60


def test_duration_of_a_status_needs_both_times() -> None:
    end = START + timedelta(seconds=1.5)
    assert status_result(RunStatus.RUNNING, started_at=START).duration_seconds is None
    assert status_result(RunStatus.KILLED, finished_at=end).duration_seconds is None
    done = status_result(RunStatus.COMPLETED, started_at=START, finished_at=end)
    assert done.duration_seconds == 1.5


def test_results_take_the_words_of_the_wire() -> None:
    result = WorkflowRegisterResult.model_validate(
        {
            "dataset_name": "d",
            "status": "success",
            "source_type": "manual",
            "workflow_info": {
                "dataset_name": "d",
                "source_type": "manual",
                "status": "paused",
                "cron": "0 9 * * *",
            },
        }
    )
    assert result.status is ResultStatus.SUCCESS
    assert result.workflow_info is not None
    assert result.workflow_info.is_paused
