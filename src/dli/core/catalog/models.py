"""Kept import path of the catalog models."""

from dli.models.catalog import (
    ColumnInfo,
    FreshnessInfo,
    ImpactSummary,
    OwnershipInfo,
    QualityInfo,
    QualityTestResult,
    SampleQuery,
    TableDetail,
    TableInfo,
)

__all__ = [
    "ColumnInfo",
    "FreshnessInfo",
    "ImpactSummary",
    "OwnershipInfo",
    "QualityInfo",
    "QualityTestResult",
    "SampleQuery",
    "TableDetail",
    "TableInfo",
]
