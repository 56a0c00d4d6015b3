"""Kept import path of the metric spec."""

from dli.models.metric import (
    AggregationType,
    DimensionDefinition,
    DimensionType,
    MetricDefinition,
    MetricSpec,
)

__all__ = [
    "AggregationType",
    "DimensionDefinition",
    "DimensionType",
    "MetricDefinition",
    "MetricSpec",
]
