"""Rules, warnings and results of the SQL translation itself; `common` has the public result."""

from enum import StrEnum
from typing import NamedTuple

from pydantic import BaseModel, Field

from dli.models.instant import Instant, utc_now

__all__ = [
    "Dialect",
    "MetricDefinition",
    "MetricMatch",
    "RuleType",
    "TranspileConfig",
    "TranspileMetadata",
    "TranspileResult",
    "TranspileRule",
    "TranspileWarning",
    "WarningType",
]


class Dialect(StrEnum):
    """Dialects that rules can be applied to."""

    TRINO = "trino"
    BIGQUERY = "bigquery"


class RuleType(StrEnum):
    """What a rule replaces."""

    TABLE_SUBSTITUTION = "table_substitution"
    METRIC_EXPANSION = "metric_expansion"


class WarningType(StrEnum):
    """What a warning is about."""

    NO_LIMIT = "no_limit"
    SELECT_STAR = "select_star"
    DUPLICATE_CTE = "duplicate_cte"
    CORRELATED_SUBQUERY = "correlated_subquery"
    DANGEROUS_STATEMENT = "dangerous_statement"
    METRIC_ERROR = "metric_error"


class MetricMatch(NamedTuple):
    """A `METRIC(name)` found in a SQL text, with its place as string indices."""

    full_match: str
    metric_name: str
    start_pos: int
    end_pos: int


class TranspileConfig(BaseModel):
    """How to translate."""

    dialect: Dialect = Dialect.TRINO
    strict_mode: bool = False
    validate_syntax: bool = False
    retry_count: int = Field(default=1, ge=0, le=5)
    server_url: str | None = None


class TranspileRule(BaseModel):
    """An entry of `transpile.rules`."""

    id: str
    type: RuleType
    source: str
    target: str
    description: str | None = None
    enabled: bool = True


class TranspileWarning(BaseModel):
    """Something in a SQL text to look at. `line` and `column` count from 1."""

    type: WarningType
    message: str
    line: int | None = None
    column: int | None = None


class MetricDefinition(BaseModel):
    """The expression that `METRIC(name)` stands for."""

    name: str
    expression: str
    source_table: str | None = None
    description: str | None = None


class TranspileMetadata(BaseModel):
    """Where a translated text comes from."""

    original_sql: str
    transpiled_at: Instant = Field(default_factory=utc_now)
    dialect: Dialect
    rules_version: str | None = None
    duration_ms: int = Field(default=0, ge=0)


class TranspileResult(BaseModel):
    """A translated text; on failure `sql` is the original and `error` says why."""

    success: bool
    sql: str
    applied_rules: list[TranspileRule] = Field(default_factory=list)
    warnings: list[TranspileWarning] = Field(default_factory=list)
    metadata: TranspileMetadata
    error: str | None = None
