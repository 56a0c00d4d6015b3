"""The context of all API classes and the results that they share."""

from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, BeforeValidator, Field

from dli.models.instant import Instant
from dli.models.state import ExecutionMode, ResultStatus

if TYPE_CHECKING:
    from dli.models.context import ExecutionContext

__all__ = [
    "BaseResult",
    "CatalogListResult",
    "CatalogSearchResult",
    "ConfigValue",
    "DataSource",
    "DatasetResult",
    "EnvironmentInfo",
    "ExecutionContext",
    "ExecutionMode",
    "MetricResult",
    "ResultStatus",
    "SQLDialect",
    "TableDetailResult",
    "TranspileResult",
    "TranspileRule",
    "TranspileWarning",
    "ValidationResult",
]

DataSource: TypeAlias = Literal["local", "server"]
SQLDialect: TypeAlias = Literal["trino", "bigquery", "snowflake", "duckdb", "spark"]


def __getattr__(name: str) -> Any:
    # The server needs the results but never the context, which costs the import of all settings.
    if name == "ExecutionContext":
        from dli.models.context import ExecutionContext

        return ExecutionContext
    message = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(message)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


class ValidationResult(BaseModel, frozen=True):
    """Findings about a spec or SQL text."""

    valid: bool
    errors: list[str] = Field(default_factory=list)
    warnings: list[str] = Field(default_factory=list)

    @property
    def has_errors(self) -> bool:
        return bool(self.errors)

    @property
    def has_warnings(self) -> bool:
        return bool(self.warnings)


class BaseResult(BaseModel, frozen=True):
    """How an execution went."""

    status: ResultStatus
    started_at: Instant
    ended_at: Instant | None = None
    duration_ms: int | None = None
    error_message: str | None = None


class RunResult(BaseResult, frozen=True):
    """What runs of datasets and metrics have in common; `error_code` is that of a failure."""

    name: str
    sql: str | None = None
    error_code: str | None = None


class DatasetResult(RunResult, frozen=True):
    """A dataset run; `rows_affected` is what the engine counted."""

    rows_affected: int | None = None


class MetricResult(RunResult, frozen=True):
    """A metric run with its rows."""

    data: list[dict[str, Any]] | None = None
    row_count: int | None = None
    columns: list[str] | None = None


class TranspileWarning(BaseModel, frozen=True):
    """Something in a SQL text to look at. `line` and `column` count from 1."""

    message: str
    line: int | None = None
    column: int | None = None
    rule: str | None = None


class TranspileRule(BaseModel, frozen=True):
    """One table that stands for another; the highest priority is applied first."""

    source_table: str
    target_table: str
    priority: int = 0
    enabled: bool = True


class TranspileResult(BaseModel, frozen=True):
    """A SQL text before and after translation."""

    original_sql: str
    transpiled_sql: str
    success: bool
    applied_rules: list[TranspileRule] = Field(default_factory=list)
    warnings: list[TranspileWarning] = Field(default_factory=list)
    duration_ms: int

    @property
    def has_changes(self) -> bool:
        return self.original_sql != self.transpiled_sql


class EnvironmentInfo(BaseModel, frozen=True):
    """An entry of `environments` in `dli.yaml`; API answers show the connection string as `***`."""

    name: str
    connection_string: str | None = Field(default=None, repr=False)
    is_active: bool = False


class ConfigValue(BaseModel, frozen=True):
    """One setting and the layer that it comes from."""

    key: str
    value: Any
    source: str = "config"


def _read_table(value: Any) -> Any:
    from dli.models.catalog import TableInfo

    return _read_as(TableInfo, value)


def _read_detail(value: Any) -> Any:
    from dli.models.catalog import TableDetail

    return _read_as(TableDetail, value)


def _read_as(model: type[BaseModel], value: Any) -> Any:
    """A record that has the keys of `model` becomes one again; anything else is left alone."""
    fields = model.model_fields
    required = {name for name, field in fields.items() if field.is_required()}
    is_record = isinstance(value, dict) and required <= value.keys() <= fields.keys()
    return model.model_validate(value) if is_record else value


class CatalogListResult(BaseModel, frozen=True):
    """Tables (`TableInfo`); `total_count` counts all matches, also those cut off by a limit."""

    status: ResultStatus = ResultStatus.SUCCESS
    tables: list[Annotated[Any, BeforeValidator(_read_table)]] = Field(default_factory=list)
    total_count: int = 0
    has_more: bool = False
    error_message: str | None = None


class TableDetailResult(BaseModel, frozen=True):
    """One table (a `TableDetail`)."""

    status: ResultStatus = ResultStatus.SUCCESS
    table: Annotated[Any, BeforeValidator(_read_detail)] = None
    error_message: str | None = None


class CatalogSearchResult(BaseModel, frozen=True):
    """Tables (`TableInfo`) that match `keyword`, counted before any limit."""

    status: ResultStatus = ResultStatus.SUCCESS
    tables: list[Annotated[Any, BeforeValidator(_read_table)]] = Field(default_factory=list)
    total_matches: int = 0
    keyword: str = ""
    error_message: str | None = None
