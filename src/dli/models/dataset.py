"""The dataset spec: one table, the SQL that fills it, and when."""

from pydantic import Field

from dli.models.quality import QualityGate
from dli.models.schedule import ScheduleConfig
from dli.models.spec import QueryType, SpecBase, SpecType, StatementDefinition

__all__ = ["DatasetSpec"]


class DatasetSpec(SpecBase):
    """A dataset file.

    Its stored form is `model_dump(mode="json", by_alias=True, exclude_none=True)` with all SQL
    files inlined.
    """

    type: SpecType = SpecType.DATASET
    query_type: QueryType = QueryType.DML
    pre_statements: list[StatementDefinition] = Field(default_factory=list)
    post_statements: list[StatementDefinition] = Field(default_factory=list)
    schedule: ScheduleConfig | None = None
    quality: QualityGate | None = None
