"""The metric spec: a query with named measures and dimensions."""

from enum import StrEnum

from pydantic import BaseModel, Field

from dli.models.spec import QueryType, SpecBase, SpecType

__all__ = [
    "AggregationType",
    "DimensionDefinition",
    "DimensionType",
    "MetricDefinition",
    "MetricSpec",
]


class AggregationType(StrEnum):
    """How the rows of a measure are put together."""

    COUNT = "count"
    COUNT_DISTINCT = "count_distinct"
    SUM = "sum"
    AVG = "avg"
    MIN = "min"
    MAX = "max"


class DimensionType(StrEnum):
    """What kind of values a dimension has."""

    CATEGORICAL = "categorical"
    TIME = "time"


class MetricDefinition(BaseModel):
    """A measure."""

    name: str
    aggregation: AggregationType
    expression: str
    description: str = ""
    filters: list[str] = Field(default_factory=list)


class DimensionDefinition(BaseModel):
    """A column to group by."""

    name: str
    type: DimensionType = DimensionType.CATEGORICAL
    expression: str
    description: str = ""


class MetricSpec(SpecBase):
    """A metric file."""

    type: SpecType = SpecType.METRIC
    query_type: QueryType = QueryType.SELECT
    metrics: list[MetricDefinition] = Field(default_factory=list)
    dimensions: list[DimensionDefinition] = Field(default_factory=list)
