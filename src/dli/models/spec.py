"""What dataset and metric specs have in common."""

from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr

__all__ = [
    "DatasetVersion",
    "ExecutionConfig",
    "ParameterType",
    "QueryParameter",
    "QueryType",
    "SpecBase",
    "SpecType",
    "StatementDefinition",
]


class QueryType(StrEnum):
    """Whether the main statement reads or writes."""

    SELECT = "SELECT"
    DML = "DML"


class SpecType(StrEnum):
    """The `type` key of a spec file."""

    METRIC = "Metric"
    DATASET = "Dataset"


class ParameterType(StrEnum):
    """The type that the value of a declared parameter must fit."""

    STRING = "string"
    INTEGER = "integer"
    FLOAT = "float"
    DATE = "date"
    BOOLEAN = "boolean"
    LIST = "list"


class QueryParameter(BaseModel):
    """A parameter that a spec declares; undeclared ones are refused."""

    name: str
    type: ParameterType = ParameterType.STRING
    required: bool = True
    default: Any = None
    description: str = ""


class StatementDefinition(BaseModel):
    """A statement before or after the main one; `file` is relative to the spec."""

    name: str
    sql: str | None = None
    file: str | None = None
    continue_on_error: bool = False


class DatasetVersion(BaseModel):
    """One version in the history of a spec."""

    version: str
    started_at: date
    ended_at: date | None = None
    description: str = ""

    @property
    def is_active(self) -> bool:
        return self.ended_at is None


class ExecutionConfig(BaseModel):
    """Limits of one attempt; the retries concern statements that provably did not start."""

    timeout_seconds: int = 3600
    retry_count: int = 2
    retry_delay_seconds: int = 60
    dialect: str = "trino"


class SpecBase(BaseModel):
    """Keys of every spec file. `schema_fields` is the key `schema` of the file."""

    model_config = ConfigDict(populate_by_name=True)

    name: str
    owner: str
    team: str
    type: SpecType
    query_type: QueryType
    description: str = ""
    domains: list[str] = Field(default_factory=list)
    tags: list[str] = Field(default_factory=list)
    versions: list[DatasetVersion] = Field(default_factory=list)
    parameters: list[QueryParameter] = Field(default_factory=list)
    query_statement: str | None = None
    query_file: str | None = None
    execution: ExecutionConfig = Field(default_factory=ExecutionConfig)
    depends_on: list[str] = Field(default_factory=list)
    schema_fields: list[dict[str, Any]] = Field(default_factory=list, alias="schema")

    _spec_path: Path | None = PrivateAttr(default=None)

    @property
    def catalog(self) -> str:
        return self._leading_parts()[0]

    @property
    def schema_name(self) -> str:
        return self._leading_parts()[1]

    @property
    def table(self) -> str:
        return self.name.rpartition(".")[2]

    def _leading_parts(self) -> tuple[str, str]:
        catalog, _, schema = self.name.rpartition(".")[0].rpartition(".")
        return catalog, schema

    @property
    def active_version(self) -> DatasetVersion | None:
        """The version without an end; the latest start where several have none."""
        active = [version for version in self.versions if version.is_active]
        return max(active, key=lambda version: version.started_at, default=None)

    @property
    def spec_path(self) -> Path | None:
        """The file this spec was read from; `None` when it came from elsewhere."""
        return self._spec_path

    @spec_path.setter
    def spec_path(self, path: Path | None) -> None:
        self._spec_path = path

    @property
    def base_dir(self) -> Path | None:
        """The directory that `query_file` and statement files are relative to."""
        return None if self._spec_path is None else self._spec_path.parent
