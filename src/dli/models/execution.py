"""What came of checking and running the statements of a spec."""

from typing import Any

from pydantic import BaseModel, Field

from dli.models.instant import Instant, utc_now

__all__ = [
    "DatasetExecutionResult",
    "ExecutionResult",
    "MetricExecutionResult",
    "ValidationResult",
]


class ValidationResult(BaseModel):
    """Findings about one statement; `dli.models.common` has the result about a whole spec."""

    is_valid: bool
    errors: list[str] = Field(default_factory=list)
    warnings: list[str] = Field(default_factory=list)
    rendered_sql: str | None = None
    phase: str = "main"


class ExecutionResult(BaseModel):
    """One statement on an engine. `row_count` is what the engine counted, of rows written or read;
    `rows_affected` those written, None for a statement that only reads or defines.
    """

    dataset_name: str
    phase: str
    statement_name: str | None = None
    success: bool
    row_count: int | None = None
    rows_affected: int | None = None
    columns: list[str] = Field(default_factory=list)
    data: list[dict[str, Any]] = Field(default_factory=list)
    rendered_sql: str = ""
    execution_time_ms: int = 0
    error_message: str | None = None
    executed_at: Instant = Field(default_factory=utc_now)


class DatasetExecutionResult(BaseModel):
    """All statements of a dataset."""

    dataset_name: str
    success: bool
    pre_results: list[ExecutionResult] = Field(default_factory=list)
    main_result: ExecutionResult | None = None
    post_results: list[ExecutionResult] = Field(default_factory=list)
    total_execution_time_ms: int = 0
    error_message: str | None = None
    error_code: str | None = None


class MetricExecutionResult(BaseModel):
    """The rows of a metric."""

    metric_name: str
    success: bool
    rows: list[dict[str, Any]] = Field(default_factory=list)
    row_count: int = 0
    columns: list[str] = Field(default_factory=list)
    error_message: str | None = None
    execution_time_ms: float | None = None
    rendered_sql: str | None = None
    executed_at: Instant = Field(default_factory=utc_now)
