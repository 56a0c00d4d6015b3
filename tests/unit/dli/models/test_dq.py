"""Quality tests read from a file, and the report over their results."""

from datetime import UTC, datetime

import pytest

from dli.exceptions import QualitySpecParseError
from dli.models.dq import (
    DqSeverity,
    DqStatus,
    DqTestDefinition,
    DqTestResult,
    DqTestType,
    QualityReport,
)


def test_every_key_of_a_test_reaches_it() -> None:
    test = DqTestDefinition.from_yaml(
        {
            "name": "t",
            "type": "relationships",
            "severity": "warn",
            "description": "d",
            "enabled": False,
            "column": "c",
            "to": "x.y",
            "to_column": "id",
            "params": {"where": "1 = 1"},
        },
        "a.b.c",
    )
    assert test == DqTestDefinition(
        name="t",
        test_type=DqTestType.RELATIONSHIPS,
        resource_name="a.b.c",
        columns=["c"],
        params={"where": "1 = 1", "column": "c", "to": "x.y", "to_column": "id"},
        description="d",
        severity=DqSeverity.WARN,
        enabled=False,
    )


@pytest.mark.parametrize(
    ("data", "part"),
    [
        ({"type": "unique"}, "name"),
        ({"name": "t"}, "type"),
        ({"name": "t", "type": "expression"}, "singular"),
        ({"name": "t", "type": "unique", "severity": "low"}, "low"),
    ],
)
def test_a_test_that_cannot_be_read_says_why(data: dict[str, str], part: str) -> None:
    with pytest.raises(QualitySpecParseError, match=part):
        DqTestDefinition.from_yaml(data, "a.b.c")


def test_a_report_counts_its_results() -> None:
    results = [
        DqTestResult("t", "r", status, execution_time_ms=10)
        for status in (*DqStatus, DqStatus.PASS)
    ]
    report = QualityReport.from_results("r", results)
    assert (report.total_tests, report.passed, report.failed) == (6, 2, 1)
    assert (report.warned, report.errors, report.skipped) == (1, 1, 1)
    assert report.total_execution_time_ms == 60
    assert report.results == results


@pytest.mark.parametrize("status", DqStatus)
def test_a_report_succeeds_without_fail_and_error(status: DqStatus) -> None:
    report = QualityReport.from_results("r", [DqTestResult("t", "r", status)])
    assert report.success is (status not in {DqStatus.FAIL, DqStatus.ERROR})


def test_times_are_instants() -> None:
    naive = datetime(2025, 1, 1)  # noqa: DTZ001 (that is the point)
    assert DqTestResult("t", "r", DqStatus.PASS, executed_at=naive).executed_at.tzinfo is UTC
    assert QualityReport("r", executed_at=naive).executed_at.tzinfo is UTC
