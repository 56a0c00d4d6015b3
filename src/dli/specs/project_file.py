"""`dli.yaml`: its keys, its `${VARIABLES}`, and the files of the user laid over and under it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any, Literal

from pydantic import BaseModel, Field, model_validator

from dli.config import settings_files
from dli.exceptions import ConfigNotFoundError, ConfigurationError, DLIValidationError
from dli.expansion import UnsetVariableError, expand
from dli.models.transpile import MetricDefinition, TranspileRule
from dli.specs.discovery import Places
from dli.specs.document import Document, Place, Plain, read_document, typed
from dli.specs.name import is_name
from dli.specs.parser import unknown_keys, validated
from dli.specs.refusal import refused

__all__ = ["Environment", "ProjectFile", "RuleEntry", "SourceDefinition", "read_project_file"]


class ProjectSection(BaseModel):
    name: str = "unnamed"
    description: str = ""


class Discovery(BaseModel):
    """Where spec files are looked for; directories are relative to the project."""

    datasets_dir: str = "datasets"
    metrics_dir: str = "metrics"
    quality_dir: str = "quality"
    dataset_patterns: list[str] = ["dataset.*.yaml", "dataset.yaml"]
    metric_patterns: list[str] = ["metric.*.yaml", "metric.yaml"]
    sql_patterns: list[str] = ["*.sql"]

    @property
    def places(self) -> Places:
        return Places(
            datasets_dir=self.datasets_dir,
            metrics_dir=self.metrics_dir,
            quality_dir=self.quality_dir,
            dataset_patterns=self.dataset_patterns,
            metric_patterns=self.metric_patterns,
        )


class Defaults(BaseModel):
    """What a spec's `execution` says where it is silent."""

    dialect: Literal["trino", "bigquery", "snowflake", "duckdb", "spark"] = "trino"
    timeout_seconds: int = Field(default=3600, ge=1)
    retry_count: int = Field(default=2, ge=0)
    retry_delay_seconds: int = Field(default=60, ge=0)


class Environment(BaseModel):
    """A place to run in; `variables` is what `var()` reads."""

    connection_string: str | None = Field(default=None, repr=False)
    catalog: str | None = None
    schema_name: str | None = Field(default=None, alias="schema")
    variables: dict[str, Any] = Field(default_factory=dict)


class ServerSection(BaseModel):
    url: str | None = None
    timeout: int = Field(default=30, ge=1, le=3600)
    api_key: str | None = Field(default=None, repr=False)


class RuleEntry(TranspileRule):
    """A transpile rule; of two that fit, the higher priority counts."""

    priority: int = 0


class TranspileSection(BaseModel):
    rules: list[RuleEntry] = Field(default_factory=list)
    metrics: list[MetricDefinition] = Field(default_factory=list)


class LineageSection(BaseModel):
    """Where events of OpenLineage go; `namespace` is the project's name unless given."""

    url: str | None = Field(default=None, pattern=r"^(https?://.+|file:.+|)$")
    api_key: str | None = Field(default=None, repr=False)
    namespace: str | None = None


class SourceDefinition(BaseModel):
    """A table that exists as files of the project, or in a database.

    `path` is a file or glob relative to the project.
    """

    table: str
    path: str | None = None
    url: str | None = Field(default=None, repr=False)
    format: Literal["parquet", "csv", "json"] | None = None

    @model_validator(mode="after")
    def _one_place(self) -> "SourceDefinition":
        if (self.path is None) == (self.url is None):
            raise ValueError("give path or url")
        return self

    def problem(self) -> str | None:
        """What a warehouse would refuse without looking at any file."""
        if not is_name(self.table) or self.table.count(".") != 2:
            return "table needs a name of three parts"
        path = PurePath(self.path or "")
        leads_out = path.is_absolute() or ".." in path.parts
        return "path leads out of the project" if leads_out else None


class ProjectFile(BaseModel):
    """All keys of `dli.yaml`."""

    version: str = "1"
    project: ProjectSection = Field(default_factory=ProjectSection)
    discovery: Discovery = Field(default_factory=Discovery)
    defaults: Defaults = Field(default_factory=Defaults)
    environments: dict[str, Environment] = Field(default_factory=dict)
    server: ServerSection = Field(default_factory=ServerSection)
    transpile: TranspileSection = Field(default_factory=TranspileSection)
    lineage: LineageSection = Field(default_factory=LineageSection)
    sources: list[SourceDefinition] = Field(default_factory=list)


def read_project_file(
    root: Path, env: Mapping[str, str], environment: str
) -> tuple[ProjectFile, list[str]]:
    """The settings of a project and what is doubtful about them.

    `.dli.local.yaml` goes over `dli.yaml`, `~/.dli/config.yaml` under it. Variables must be set
    where they matter: not in other environments, and not for the server, which may be unused.
    Raises: ConfigurationError DLI-001, ConfigNotFoundError DLI-002.
    """
    home, main, local = settings_files(root, env)
    if not main.is_file():
        raise ConfigNotFoundError("There is no dli.yaml", config_path=main)
    merged: dict[str, Any] = {}
    warnings: list[str] = []
    for path in (home, main, local):
        if path == main or path.is_file():
            document = _document(path)
            merged = _laid_over(merged, _values(_Expansion(document, env, environment), path))
            if path == main:
                warnings = _doubts(document)
    return ProjectFile.model_validate(merged), warnings


def _document(path: Path) -> Document:
    try:
        return read_document(path, path.name, may_be_empty=True)
    except DLIValidationError as error:
        raise _unusable(path, error) from None


def _doubts(document: Document) -> list[str]:
    unknown = unknown_keys(ProjectFile, document.data)
    doubts = [f"{document.at(place)}: {message}" for place, message in unknown]
    if document.data.get("version", "1") != "1":
        doubts.append(f"{document.at(('version',))}: version: only 1 is known")
    return doubts


def _values(expansion: "_Expansion", path: Path) -> dict[str, Any]:
    """The values of one file; a mistake is told with the line it is on."""
    try:
        values: dict[str, Any] = expansion.of(expansion.document.data)
        file = validated(ProjectFile, values, expansion.document)
        for number, source in enumerate(file.sources):
            if problem := source.problem():
                raise refused(f"{expansion.document.at(('sources', number))}: sources: {problem}")
    except DLIValidationError as error:
        raise _unusable(path, error) from None
    return values


def _unusable(path: Path, error: DLIValidationError) -> ConfigurationError:
    return ConfigurationError(error.message, config_path=path, details={"errors": error.errors})


@dataclass(frozen=True, slots=True)
class _Expansion:
    """Replaces the variables of one file and types its scalars; leaves empty keys out."""

    document: Document
    env: Mapping[str, str]
    environment: str

    def of(self, value: Any, place: Place = ()) -> Any:
        if isinstance(value, dict):
            items = ((key, self.of(item, (*place, key))) for key, item in value.items())
            return {key: item for key, item in items if item is not None}
        if isinstance(value, list):
            return [self.of(item, (*place, number)) for number, item in enumerate(value)]
        text = None if value is None else self._text(value, place)
        if text is None or not isinstance(value, Plain):
            return text
        is_free = place[0] == "environments" and place[2:3] == ("variables",)
        return (typed(Plain(text)) if is_free else text) if text else None

    def _text(self, value: str, place: Place) -> str | None:
        try:
            return expand(value, self.env)
        except UnsetVariableError as error:
            is_elsewhere = place[0] == "environments" and place[1] != self.environment
            if is_elsewhere or place[0] == "server":
                return None
            raise refused(
                f"{self.document.at(place)}: the variable {error} is not set; "
                f"${{{error}:-...}} would give a default"
            ) from None


def _laid_over(lower: dict[str, Any], upper: dict[str, Any]) -> dict[str, Any]:
    """Single values of `upper` replace those of `lower`; lists are values."""
    merged = dict(lower)
    for key, value in upper.items():
        below = merged.get(key)
        if isinstance(below, dict) and isinstance(value, dict):
            merged[key] = _laid_over(below, value)
        else:
            merged[key] = value
    return merged
