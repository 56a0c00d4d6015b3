"""Public names of the `dli` library, loaded on first use."""

__version__ = "0.4.0"

TYPE_CHECKING = False  # what type checkers take for true, without the import of `typing`
if TYPE_CHECKING:
    from typing import Any

    from dli.api.catalog import CatalogAPI
    from dli.api.config import ConfigAPI
    from dli.api.dataset import DatasetAPI
    from dli.api.metric import MetricAPI
    from dli.api.quality import QualityAPI
    from dli.api.transpile import TranspileAPI
    from dli.api.workflow import WorkflowAPI
    from dli.exceptions import (
        ConfigurationError,
        DatasetNotFoundError,
        DLIError,
        DLIValidationError,
        ErrorCode,
        ExecutionError,
        MetricNotFoundError,
        QualityNotFoundError,
        QualitySpecNotFoundError,
        QualitySpecParseError,
        QualityTargetNotFoundError,
        QualityTestExecutionError,
        ServerError,
        TableNotFoundError,
        TranspileError,
        WorkflowExecutionError,
        WorkflowNotFoundError,
        WorkflowPermissionError,
        WorkflowRegistrationError,
    )
    from dli.models.common import ExecutionContext, ExecutionMode

__all__ = [
    "CatalogAPI",
    "ConfigAPI",
    "ConfigurationError",
    "DLIError",
    "DLIValidationError",
    "DatasetAPI",
    "DatasetNotFoundError",
    "ErrorCode",
    "ExecutionContext",
    "ExecutionError",
    "ExecutionMode",
    "MetricAPI",
    "MetricNotFoundError",
    "QualityAPI",
    "QualityNotFoundError",
    "QualitySpecNotFoundError",
    "QualitySpecParseError",
    "QualityTargetNotFoundError",
    "QualityTestExecutionError",
    "ServerError",
    "TableNotFoundError",
    "TranspileAPI",
    "TranspileError",
    "WorkflowAPI",
    "WorkflowExecutionError",
    "WorkflowNotFoundError",
    "WorkflowPermissionError",
    "WorkflowRegistrationError",
    "__version__",
]


def _home(name: str) -> str:
    if name.endswith("API"):
        return f"dli.api.{name.removesuffix('API').lower()}"
    return {
        "ExecutionContext": "dli.models.context",
        "ExecutionMode": "dli.models.state",
    }.get(name, "dli.exceptions")


def __getattr__(name: str) -> "Any":
    if name not in __all__:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    from importlib import import_module

    value = getattr(import_module(_home(name)), name)
    globals()[name] = value  # the next look-up does not come here
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
