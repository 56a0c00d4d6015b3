"""Kept import path of the transpile models."""

from dli.models.transpile import (
    Dialect,
    MetricDefinition,
    MetricMatch,
    RuleType,
    TranspileConfig,
    TranspileMetadata,
    TranspileResult,
    TranspileRule,
    TranspileWarning,
    WarningType,
)

__all__ = [
    "Dialect",
    "MetricDefinition",
    "MetricMatch",
    "RuleType",
    "TranspileConfig",
    "TranspileMetadata",
    "TranspileResult",
    "TranspileRule",
    "TranspileWarning",
    "WarningType",
]
