"""What became of a run of a dataset, a metric or a statement, as callers are told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dli.exceptions import ErrorCode, ExecutionError
from dli.models.common import DatasetResult, MetricResult, ValidationResult
from dli.models.instant import utc_now
from dli.models.state import ResultStatus

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from dli.models.execution import DatasetExecutionResult
    from dli.warehouse.base import Outcome

__all__ = [
    "binding_result",
    "dataset_failure",
    "dataset_result",
    "dataset_success",
    "gated_result",
    "metric_failure",
    "metric_result",
    "times",
]


def binding_result(check: Callable[[], list[str]]) -> ValidationResult:
    """What binding found: an error is one of the SQL, everything that could not be told a warning.

    `check` binds and gives warnings, as `check_statements` does.
    """
    try:
        return ValidationResult(valid=True, warnings=check())
    except ExecutionError as error:
        from dli.warehouse.failure import is_missing_table  # loads the engine

        if error.code is ErrorCode.CONNECTION_FAILED or is_missing_table(error):
            return ValidationResult(valid=True, warnings=[f"not bound: {error.message}"])
        return ValidationResult(valid=False, errors=[error.message])


def dataset_result(
    name: str,
    started_at: datetime,
    outcome: DatasetExecutionResult,
    sql: str | None,
    *,
    with_read: bool = True,
) -> DatasetResult:
    """SQL that the engine refused is a failure with its reason.

    Rows that the main statement only read are counted `with_read` alone.
    """
    if not outcome.success:
        reason, code = outcome.error_message or _REFUSED, outcome.error_code
        return dataset_failure(name, started_at, reason, sql, code=code)
    main = outcome.main_result
    if main is None:
        return dataset_success(name, started_at, sql)
    rows = main.row_count if with_read else main.rows_affected
    return dataset_success(name, started_at, sql, rows_affected=rows)


def gated_result(
    name: str,
    started_at: datetime,
    work: Callable[[], DatasetExecutionResult],
    sql: str | None,
    *,
    with_read: bool = False,
) -> DatasetResult:
    """The same of `work`, which a quality gate may end."""
    try:
        return dataset_result(name, started_at, work(), sql, with_read=with_read)
    except ExecutionError as error:
        if error.code is not ErrorCode.QUALITY_TEST_EXECUTION:
            raise
        return dataset_failure(name, started_at, error.message, sql, code=error.code.value)


def dataset_success(
    name: str, started_at: datetime, sql: str | None, *, rows_affected: int | None = None
) -> DatasetResult:
    return DatasetResult(
        name=name,
        status=ResultStatus.SUCCESS,
        sql=sql,
        rows_affected=rows_affected,
        **times(started_at),
    )


def dataset_failure(
    name: str, started_at: datetime, reason: str, sql: str | None = None, *, code: str | None = None
) -> DatasetResult:
    return DatasetResult(
        name=name,
        status=ResultStatus.FAILURE,
        sql=sql,
        error_message=reason,
        error_code=code,
        **times(started_at),
    )


def metric_result(
    name: str, started_at: datetime, found: Outcome | None, sql: str | None
) -> MetricResult:
    """The rows that were found; without them, that the query could be read."""
    rows: dict[str, Any] = {}
    if found is not None:
        data = [dict(zip(found.columns, row, strict=True)) for row in found.rows]
        rows = {"data": data, "row_count": len(data), "columns": found.columns}
    return MetricResult(
        name=name, status=ResultStatus.SUCCESS, sql=sql, **rows, **times(started_at)
    )


def metric_failure(
    name: str, started_at: datetime, reason: str, sql: str | None = None, *, code: str | None = None
) -> MetricResult:
    return MetricResult(
        name=name,
        status=ResultStatus.FAILURE,
        error_message=reason,
        error_code=code,
        sql=sql,
        **times(started_at),
    )


def times(started_at: datetime) -> dict[str, Any]:
    """The fields of a result that say when it began, ended, and how long it took."""
    ended_at = utc_now()
    duration_ms = round((ended_at - started_at).total_seconds() * 1000)
    return {"started_at": started_at, "ended_at": ended_at, "duration_ms": duration_ms}


_REFUSED = "The SQL was refused"
