"""One entry of `test_results`: what became of one test of a quality spec."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from dli.models.dq import DqStatus, DqTestResult

if TYPE_CHECKING:
    from dli.models.quality import DqTestDefinitionSpec, QualitySpec

__all__ = ["entry"]


def entry(
    test: DqTestDefinitionSpec, spec: QualitySpec, status: DqStatus, **fields: Any
) -> dict[str, Any]:
    """JSON values only; `fields` are those of `DqTestResult`. A disabled test is never run."""
    result = DqTestResult(
        test_name=test.name,
        resource_name=spec.target.name,
        status=status if test.enabled else DqStatus.SKIPPED,
        **(fields if test.enabled else {}),
    )
    found = asdict(result)
    found["executed_at"] = result.executed_at.isoformat().replace("+00:00", "Z")
    found["status"] = result.status.value
    return {**found, "test_type": test.type.value, "severity": test.severity.value}
