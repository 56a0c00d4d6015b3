"""Data only: specs, states and results. The public names are loaded on first use."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dli.models.common import (
        BaseResult,
        CatalogListResult,
        CatalogSearchResult,
        ConfigValue,
        DatasetResult,
        DataSource,
        EnvironmentInfo,
        ExecutionContext,
        ExecutionMode,
        MetricResult,
        ResultStatus,
        SQLDialect,
        TableDetailResult,
        TranspileResult,
        TranspileRule,
        TranspileWarning,
        ValidationResult,
    )
    from dli.models.quality import (
        DqQualityResult,
        DqTestDefinitionSpec,
        EmailNotification,
        QualityInfo,
        QualityMetadata,
        QualityNotifications,
        QualitySchedule,
        QualitySpec,
        QualityTarget,
        QualityTargetType,
        SlackNotification,
    )
    from dli.models.workflow import (
        WorkflowHistoryResult,
        WorkflowListResult,
        WorkflowRegisterResult,
        WorkflowRunResult,
        WorkflowStatusResult,
    )

__all__ = [
    "BaseResult",
    "CatalogListResult",
    "CatalogSearchResult",
    "ConfigValue",
    "DataSource",
    "DatasetResult",
    "DqQualityResult",
    "DqTestDefinitionSpec",
    "EmailNotification",
    "EnvironmentInfo",
    "ExecutionContext",
    "ExecutionMode",
    "MetricResult",
    "QualityInfo",
    "QualityMetadata",
    "QualityNotifications",
    "QualitySchedule",
    "QualitySpec",
    "QualityTarget",
    "QualityTargetType",
    "ResultStatus",
    "SQLDialect",
    "SlackNotification",
    "TableDetailResult",
    "TranspileResult",
    "TranspileRule",
    "TranspileWarning",
    "ValidationResult",
    "WorkflowHistoryResult",
    "WorkflowListResult",
    "WorkflowRegisterResult",
    "WorkflowRunResult",
    "WorkflowStatusResult",
]


def __getattr__(name: str) -> Any:
    if name in __all__:
        for home in ("dli.models.workflow", "dli.models.quality", "dli.models.common"):
            module = import_module(home)
            if name in module.__all__:
                return getattr(module, name)
    message = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(message)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
