"""Kept import path of the parts of a spec."""

from dli.models.spec import (
    DatasetVersion,
    ExecutionConfig,
    ParameterType,
    QueryParameter,
    QueryType,
    SpecType,
    StatementDefinition,
)

__all__ = [
    "DatasetVersion",
    "ExecutionConfig",
    "ParameterType",
    "QueryParameter",
    "QueryType",
    "SpecType",
    "StatementDefinition",
]
