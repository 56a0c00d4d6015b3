"""Tables as the catalog describes them."""

from typing import Any, Literal

from pydantic import BaseModel, Field

from dli.models.instant import Instant

__all__ = [
    "ColumnInfo",
    "FreshnessInfo",
    "ImpactSummary",
    "OwnershipInfo",
    "QualityInfo",
    "QualityTestResult",
    "SampleQuery",
    "TableDetail",
    "TableInfo",
]

_GOOD_SCORE = 90
_WARNING_SCORE = 70


class ColumnInfo(BaseModel):
    """A column. `fill_rate` is the share of values that are not NULL."""

    name: str
    data_type: str
    description: str | None = None
    is_pii: bool = False
    fill_rate: float | None = Field(default=None, ge=0, le=1)
    distinct_count: int | None = Field(default=None, ge=0)

    @property
    def pii_indicator(self) -> str:
        return "PII" if self.is_pii else ""

    @property
    def fill_rate_percent(self) -> str:
        return "-" if self.fill_rate is None else f"{self.fill_rate:.1%}"


class OwnershipInfo(BaseModel):
    """Who answers for a table and who uses it."""

    owner: str | None = None
    team: str | None = None
    stewards: list[str] = Field(default_factory=list)
    consumers: list[str] = Field(default_factory=list)


class FreshnessInfo(BaseModel):
    """How old the data of a table is."""

    last_updated: Instant | None = None
    avg_update_lag_hours: float | None = Field(default=None, ge=0)
    update_frequency: str | None = None
    is_stale: bool = False
    stale_threshold_hours: int | None = Field(default=None, ge=0)

    @property
    def freshness_status(self) -> Literal["stale", "fresh", "unknown"]:
        if self.is_stale:
            return "stale"
        return "unknown" if self.last_updated is None else "fresh"


class QualityTestResult(BaseModel):
    """The newest result of one quality test of a table."""

    test_name: str
    test_type: str
    status: Literal["pass", "fail", "warn"]
    failed_rows: int = Field(default=0, ge=0)


class QualityInfo(BaseModel):
    """The quality tests of a table in figures."""

    score: int | None = Field(default=None, ge=0, le=100)
    total_tests: int = Field(default=0, ge=0)
    passed_tests: int = Field(default=0, ge=0)
    failed_tests: int = Field(default=0, ge=0)
    warnings: int = Field(default=0, ge=0)
    recent_tests: list[QualityTestResult] = Field(default_factory=list)

    @property
    def score_status(self) -> Literal["good", "warning", "bad", "unknown"]:
        if self.score is None:
            return "unknown"
        if self.score >= _GOOD_SCORE:
            return "good"
        return "warning" if self.score >= _WARNING_SCORE else "bad"


class ImpactSummary(BaseModel):
    """What is built on a table."""

    total_downstream: int = Field(default=0, ge=0)
    tables: list[str] = Field(default_factory=list)
    datasets: list[str] = Field(default_factory=list)
    metrics: list[str] = Field(default_factory=list)
    dashboards: list[str] = Field(default_factory=list)


class SampleQuery(BaseModel):
    """A query that people run on a table."""

    title: str
    sql: str
    author: str | None = None
    run_count: int = Field(default=0, ge=0)
    last_run: Instant | None = None


class _Table(BaseModel):
    """The parts of a table's name, `project.dataset.table`; a missing leading part is empty."""

    name: str
    engine: str

    @property
    def project(self) -> str:
        return self.name.rpartition(".")[0].rpartition(".")[0]

    @property
    def dataset(self) -> str:
        return self.name.rpartition(".")[0].rpartition(".")[2]

    @property
    def table(self) -> str:
        return self.name.rpartition(".")[2]


class TableInfo(_Table):
    """A table in a list."""

    owner: str | None = None
    team: str | None = None
    tags: list[str] = Field(default_factory=list)
    row_count: int | None = Field(default=None, ge=0)
    last_updated: Instant | None = None


class TableDetail(_Table):
    """Everything the catalog knows about one table."""

    description: str | None = None
    tags: list[str] = Field(default_factory=list)
    basecamp_url: str
    ownership: OwnershipInfo = Field(default_factory=OwnershipInfo)
    columns: list[ColumnInfo] = Field(default_factory=list)
    freshness: FreshnessInfo = Field(default_factory=FreshnessInfo)
    quality: QualityInfo = Field(default_factory=QualityInfo)
    impact: ImpactSummary = Field(default_factory=ImpactSummary)
    sample_queries: list[SampleQuery] = Field(default_factory=list)
    sample_data: list[dict[str, Any]] | None = None

    @property
    def pii_column_count(self) -> int:
        return sum(column.is_pii for column in self.columns)
