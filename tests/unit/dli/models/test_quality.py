"""Quality specs and what their results add up to."""

from datetime import UTC, datetime, timedelta

import pytest
from pydantic import ValidationError

from dli.models.dq import DqStatus
from dli.models.quality import DqQualityResult, DqTestDefinitionSpec, QualitySpec


def result(*statuses: str) -> DqQualityResult:
    return DqQualityResult(
        target_urn="dataset:a.b.c", test_results=[{"status": status} for status in statuses]
    )


@pytest.mark.parametrize(
    ("statuses", "worst"),
    [
        ((), "skipped"),
        (("skipped",), "skipped"),
        (("skipped", "pass"), "pass"),
        (("pass", "warn"), "warn"),
        (("warn", "fail", "pass"), "fail"),
        (("fail", "error"), "error"),
    ],
)
def test_the_worst_status_counts(statuses: tuple[str, ...], worst: str) -> None:
    assert result(*statuses).status is DqStatus(worst)


def test_errors_count_as_failed() -> None:
    found = result("pass", "pass", "fail", "error", "warn", "skipped")
    assert (found.passed_count, found.failed_count) == (2, 2)


def test_a_result_that_cannot_be_read_is_refused() -> None:
    with pytest.raises(ValidationError, match="great"):
        result("great")
    with pytest.raises(ValidationError):
        DqQualityResult(target_urn="dataset:x", test_results=[{"test_name": "t"}])


def test_duration_in_milliseconds() -> None:
    start = datetime(2025, 1, 1, tzinfo=UTC)
    done = DqQualityResult(
        target_urn="dataset:x", started_at=start, finished_at=start + timedelta(seconds=1.5)
    )
    assert done.duration_ms == 1500


def test_the_urn_names_type_and_target() -> None:
    spec = QualitySpec.model_validate(
        {"target": {"type": "metric", "name": "a.b"}, "metadata": {"owner": "o"}}
    )
    assert spec.target_urn == spec.target.urn == "metric:a.b"


def test_a_test_keeps_unknown_keys_and_reads_numbers_as_values() -> None:
    test = DqTestDefinitionSpec.model_validate(
        {"name": "t", "type": "accepted_values", "column": "c", "values": [1, "b"], "note": "n"}
    )
    assert test.values == ["1", "b"]
    assert test.model_extra == {"note": "n"}
    assert DqTestDefinitionSpec.model_validate(test.model_dump(mode="json")) == test
