"""One class per noun, for Python; the classes are loaded on first use."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dli.api.catalog import CatalogAPI
    from dli.api.config import ConfigAPI
    from dli.api.dataset import DatasetAPI
    from dli.api.metric import MetricAPI
    from dli.api.quality import QualityAPI
    from dli.api.transpile import TranspileAPI
    from dli.api.workflow import WorkflowAPI

__all__ = [
    "CatalogAPI",
    "ConfigAPI",
    "DatasetAPI",
    "MetricAPI",
    "QualityAPI",
    "TranspileAPI",
    "WorkflowAPI",
]


def __getattr__(name: str) -> Any:
    if name in __all__:
        home = f"dli.api.{name.removesuffix('API').lower()}"
        return getattr(import_module(home), name)
    message = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(message)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
