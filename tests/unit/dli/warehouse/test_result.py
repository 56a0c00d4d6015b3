"""What callers are told of runs."""

from datetime import UTC, datetime, timedelta

import pytest

from dli.exceptions import ErrorCode, ExecutionError
from dli.models.execution import DatasetExecutionResult
from dli.models.instant import utc_now
from dli.models.state import ResultStatus
from dli.warehouse.base import Outcome
from dli.warehouse.result import (
    binding_result,
    dataset_result,
    gated_result,
    metric_result,
    times,
)

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def refusing(code: ErrorCode, message: str = "no") -> ExecutionError:
    return ExecutionError(message, code=code)


def test_binding_tells_errors_of_the_sql_from_what_could_not_be_told() -> None:
    def failing(error: ExecutionError) -> list[str]:
        raise error

    assert binding_result(lambda: ["careful"]).warnings == ["careful"]
    bad = binding_result(lambda: failing(refusing(ErrorCode.EXECUTION_QUERY, "no such column")))
    assert (bad.valid, bad.errors) == (False, ["no such column"])
    held = binding_result(lambda: failing(refusing(ErrorCode.CONNECTION_FAILED, "held")))
    assert (held.valid, held.warnings) == (True, ["not bound: held"])
    missing = "Catalog Error: Table with name t does not exist!"
    later = binding_result(lambda: failing(refusing(ErrorCode.EXECUTION_QUERY, missing)))
    assert later.valid


def test_a_gate_fails_a_run_and_other_errors_are_raised() -> None:
    def work(code: ErrorCode) -> DatasetExecutionResult:
        raise refusing(code, "2 rows")

    held = gated_result("a.b", NOW, lambda: work(ErrorCode.QUALITY_TEST_EXECUTION), "SELECT 1")
    assert (held.status, held.error_message) == (ResultStatus.FAILURE, "2 rows")
    with pytest.raises(ExecutionError):
        gated_result("a.b", NOW, lambda: work(ErrorCode.TIMEOUT), None)


def test_a_run_without_a_reason_still_has_one() -> None:
    outcome = DatasetExecutionResult(dataset_name="a.b", success=False)
    assert dataset_result("a.b", NOW, outcome, None).error_message == "The SQL was refused"


def test_rows_of_a_metric_are_told_by_column() -> None:
    found = metric_result("a.b", NOW, Outcome(None, ["x", "y"], [(1, 2)], 5), "SELECT 1")
    assert (found.data, found.row_count, found.columns) == ([{"x": 1, "y": 2}], 1, ["x", "y"])
    assert metric_result("a.b", NOW, None, None).data is None


def test_times_are_those_of_the_work() -> None:
    began = utc_now() - timedelta(seconds=2)
    told = times(began)
    assert told["started_at"] == began
    assert told["duration_ms"] >= 2_000
