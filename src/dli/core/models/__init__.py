"""Kept import path of specs and of what came of running them."""

from dli.models.dataset import DatasetSpec
from dli.models.execution import (
    DatasetExecutionResult,
    ExecutionResult,
    MetricExecutionResult,
    ValidationResult,
)
from dli.models.metric import (
    AggregationType,
    DimensionDefinition,
    DimensionType,
    MetricDefinition,
    MetricSpec,
)
from dli.models.spec import (
    DatasetVersion,
    ExecutionConfig,
    ParameterType,
    QueryParameter,
    QueryType,
    SpecBase,
    SpecType,
    StatementDefinition,
)

__all__ = [
    "AggregationType",
    "DatasetExecutionResult",
    "DatasetSpec",
    "DatasetVersion",
    "DimensionDefinition",
    "DimensionType",
    "ExecutionConfig",
    "ExecutionResult",
    "MetricDefinition",
    "MetricExecutionResult",
    "MetricSpec",
    "ParameterType",
    "QueryParameter",
    "QueryType",
    "SpecBase",
    "SpecType",
    "StatementDefinition",
    "ValidationResult",
]
