"""Kept import path of the quality models."""

from dli.models.dq import (
    DqSeverity,
    DqStatus,
    DqTestConfig,
    DqTestDefinition,
    DqTestResult,
    DqTestType,
    QualityReport,
)

__all__ = [
    "DqSeverity",
    "DqStatus",
    "DqTestConfig",
    "DqTestDefinition",
    "DqTestResult",
    "DqTestType",
    "QualityReport",
]
