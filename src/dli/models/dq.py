"""Quality tests as they run: definitions, results and the report over them."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Literal

from dli.exceptions import QualitySpecParseError
from dli.models.instant import as_utc, utc_now

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from typing import Self

__all__ = [
    "DqSeverity",
    "DqStatus",
    "DqTestConfig",
    "DqTestDefinition",
    "DqTestResult",
    "DqTestType",
    "QualityReport",
]


class DqTestType(StrEnum):
    """What a test looks for."""

    NOT_NULL = "not_null"
    UNIQUE = "unique"
    ACCEPTED_VALUES = "accepted_values"
    RELATIONSHIPS = "relationships"
    RANGE_CHECK = "range_check"
    ROW_COUNT = "row_count"
    SINGULAR = "singular"


class DqSeverity(StrEnum):
    """Whether failing rows make a test `fail` or only `warn`."""

    ERROR = "error"
    WARN = "warn"


class DqStatus(StrEnum):
    """How a test ended; `error` means that it could not run."""

    PASS = "pass"  # noqa: S105 (not a password)
    FAIL = "fail"
    WARN = "warn"
    ERROR = "error"
    SKIPPED = "skipped"


@dataclass
class DqTestDefinition:
    """A test on one resource. `params` has every key of the test that has no field of its own."""

    name: str
    test_type: DqTestType
    resource_name: str
    columns: list[str] | None = None
    params: dict[str, Any] = field(default_factory=dict)
    description: str | None = None
    severity: DqSeverity = DqSeverity.ERROR
    sql: str | None = None
    file: str | None = None
    enabled: bool = True

    @classmethod
    def from_yaml(cls, data: Mapping[str, Any], resource_name: str) -> Self:
        """Read one entry of `tests` in a quality file.

        Raises: QualitySpecParseError (602) when name, type or severity is missing or unknown.
        """
        own = {"description", "sql", "file", "enabled", "columns"}
        rest = data.keys() - own - {"name", "type", "severity", "params"}
        try:
            test = cls(
                name=data["name"],
                test_type=DqTestType(data["type"]),
                resource_name=resource_name,
                severity=DqSeverity(data.get("severity", DqSeverity.ERROR)),
                params={**(data.get("params") or {}), **{key: data[key] for key in sorted(rest)}},
                **{key: data[key] for key in own & data.keys()},
            )
        except KeyError as exc:
            message = f"a test needs {exc}"
            raise QualitySpecParseError(message) from exc
        except ValueError as exc:
            message = f"{exc} (types: {', '.join(DqTestType)}; severities: {', '.join(DqSeverity)})"
            raise QualitySpecParseError(message) from exc
        if test.columns is None and "column" in data:
            test.columns = [data["column"]]
        return test


@dataclass
class DqTestResult:
    """One test after it ran. `failed_rows` counts all, `failed_samples` holds some of them."""

    test_name: str
    resource_name: str
    status: DqStatus
    failed_rows: int = 0
    failed_samples: list[dict[str, Any]] = field(default_factory=list)
    execution_time_ms: int = 0
    executed_at: datetime = field(default_factory=utc_now)
    error_message: str | None = None
    executed_on: Literal["local", "server"] = "local"
    rendered_sql: str | None = None

    def __post_init__(self) -> None:
        self.executed_at = as_utc(self.executed_at)


@dataclass
class DqTestConfig:
    """How tests run; `limit` is the most failing rows that are kept of one test."""

    fail_fast: bool = False
    severity: DqSeverity = DqSeverity.ERROR
    limit: int = 100
    store_failures: bool = True


@dataclass
class QualityReport:
    """All tests of one resource."""

    resource_name: str
    total_tests: int = 0
    passed: int = 0
    failed: int = 0
    warned: int = 0
    errors: int = 0
    skipped: int = 0
    results: list[DqTestResult] = field(default_factory=list)
    executed_at: datetime = field(default_factory=utc_now)
    executed_on: Literal["local", "server"] = "local"
    total_execution_time_ms: int = 0

    def __post_init__(self) -> None:
        self.executed_at = as_utc(self.executed_at)

    @property
    def success(self) -> bool:
        return self.failed == 0 and self.errors == 0

    @classmethod
    def from_results(
        cls,
        resource_name: str,
        results: Sequence[DqTestResult],
        executed_on: Literal["local", "server"] = "local",
    ) -> Self:
        statuses = [result.status for result in results]
        return cls(
            resource_name=resource_name,
            total_tests=len(statuses),
            passed=statuses.count(DqStatus.PASS),
            failed=statuses.count(DqStatus.FAIL),
            warned=statuses.count(DqStatus.WARN),
            errors=statuses.count(DqStatus.ERROR),
            skipped=statuses.count(DqStatus.SKIPPED),
            results=list(results),
            executed_on=executed_on,
            total_execution_time_ms=sum(result.execution_time_ms for result in results),
        )
