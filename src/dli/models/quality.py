"""Quality specs and the answers of `QualityAPI`."""

from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, field_validator

from dli.models.dq import DqSeverity, DqStatus, DqTestType
from dli.models.instant import Instant, utc_now

__all__ = [
    "DqQualityResult",
    "DqTestDefinitionSpec",
    "EmailNotification",
    "QualityGate",
    "QualityInfo",
    "QualityMetadata",
    "QualityNotifications",
    "QualitySchedule",
    "QualitySpec",
    "QualityTarget",
    "QualityTargetType",
    "SlackNotification",
]

_WORST_FIRST = (DqStatus.ERROR, DqStatus.FAIL, DqStatus.WARN, DqStatus.PASS, DqStatus.SKIPPED)


class QualityTargetType(StrEnum):
    """What a quality spec is about."""

    DATASET = "dataset"
    METRIC = "metric"


class QualityTarget(BaseModel, frozen=True):
    """The dataset or metric under test."""

    type: QualityTargetType
    name: str

    @property
    def urn(self) -> str:
        return f"{self.type.value}:{self.name}"


class DqTestDefinitionSpec(BaseModel):
    """One entry of `tests` in a quality file; keys that it does not know are kept."""

    # `values: [1, 2]` is natural in YAML; the literals are written by the type of the column.
    model_config = ConfigDict(extra="allow", coerce_numbers_to_str=True)

    name: str
    type: DqTestType
    severity: DqSeverity = DqSeverity.ERROR
    description: str | None = None
    enabled: bool = True
    columns: list[str] | None = None
    column: str | None = None
    values: list[str] | None = None
    values_query: str | None = None
    to: str | None = None
    to_column: str | None = None
    expression: str | None = None
    min: int | None = None
    max: int | None = None
    sql: str | None = None
    file: str | None = None
    params: dict[str, Any] = Field(default_factory=dict)


class QualityGate(BaseModel):
    """Whether a failing test of the dataset fails its run.

    `tests` are those of the quality files, filled in where the spec is bundled.
    """

    gate: bool = False
    tests: list[DqTestDefinitionSpec] = Field(default_factory=list)


class QualitySchedule(BaseModel, frozen=True):
    """When the tests run by themselves."""

    cron: str
    timezone: str = "UTC"
    enabled: bool = True


class SlackNotification(BaseModel, frozen=True):
    """A message to a channel."""

    channel: str
    on_failure: bool = True
    on_success: bool = False


class EmailNotification(BaseModel, frozen=True):
    """A message to people."""

    recipients: list[str]
    on_failure: bool = True
    on_success: bool = False


class QualityNotifications(BaseModel, frozen=True):
    """Who is told about the tests."""

    slack: SlackNotification | None = None
    email: EmailNotification | None = None


class QualityMetadata(BaseModel, frozen=True):
    """Who answers for the tests."""

    owner: str
    team: str | None = None
    description: str | None = None
    tags: list[str] = Field(default_factory=list)


class QualitySpec(BaseModel, frozen=True):
    """A quality file."""

    version: int = 1
    target: QualityTarget
    metadata: QualityMetadata
    schedule: QualitySchedule | None = None
    notifications: QualityNotifications | None = None
    tests: list[DqTestDefinitionSpec] = Field(default_factory=list)

    @property
    def target_urn(self) -> str:
        return self.target.urn


class DqQualityResult(BaseModel, frozen=True):
    """All tests of a spec after they ran.

    An entry of `test_results` has the keys of `DqTestResult` plus `test_type` and `severity`.
    """

    target_urn: str
    execution_mode: str = "local"
    execution_id: str | None = None
    started_at: Instant = Field(default_factory=utc_now)
    finished_at: Instant = Field(default_factory=utc_now)
    test_results: list[dict[str, Any]] = Field(default_factory=list)

    @field_validator("test_results")
    @classmethod
    def _has_known_statuses(cls, results: list[dict[str, Any]]) -> list[dict[str, Any]]:
        for result in results:
            DqStatus(str(result.get("status")))
        return results

    @property
    def status(self) -> DqStatus:
        """The worst status of all tests; `skipped` without results."""
        found = self._statuses()
        return next((status for status in _WORST_FIRST if status in found), DqStatus.SKIPPED)

    @property
    def passed_count(self) -> int:
        return self._statuses().count(DqStatus.PASS)

    @property
    def failed_count(self) -> int:
        """Tests that failed or could not run."""
        found = self._statuses()
        return found.count(DqStatus.FAIL) + found.count(DqStatus.ERROR)

    @property
    def duration_ms(self) -> int:
        return round((self.finished_at - self.started_at).total_seconds() * 1000)

    def _statuses(self) -> list[DqStatus]:
        return [DqStatus(result["status"]) for result in self.test_results]


class QualityInfo(BaseModel, frozen=True):
    """One quality test in a list."""

    name: str
    target_urn: str
    target_type: QualityTargetType
    target_name: str
    test_type: str = "generic"
    status: str = "active"
    severity: DqSeverity = DqSeverity.ERROR
    description: str | None = None
    schedule: str | None = None
    last_run: Instant | None = None
    last_status: DqStatus | None = None
