"""`QualityAPI`: the quality tests of datasets and metrics."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dli.api.argument import check_text
from dli.api.facade import Facade, not_available
from dli.client.fake.quality import SAMPLE_QUALITIES
from dli.exceptions import DLIValidationError, ErrorCode
from dli.models.dq import DqStatus, DqTestResult
from dli.models.instant import utc_now
from dli.models.quality import DqQualityResult, QualityInfo, QualitySpec

if TYPE_CHECKING:
    from dli.models.common import ExecutionContext, ValidationResult
    from dli.models.quality import DqTestDefinitionSpec
    from dli.warehouse.executor import QueryExecutor

__all__ = ["QualityAPI"]

_NO_EXECUTOR = "Local executor not configured"


class QualityAPI(Facade):
    """In LOCAL mode tests come from the project's files and run on `executor`."""

    def __init__(
        self, context: ExecutionContext | None = None, executor: QueryExecutor | None = None
    ) -> None:
        super().__init__(context)
        self._executor = executor

    def list_qualities(
        self,
        target_type: str | None = None,
        target_name: str | None = None,
        status: str | None = None,
    ) -> list[QualityInfo]:
        """Tests; `target_type` and `status` are exact, `target_name` is a part of the name."""
        if not self._is_mock:
            raise not_available("QualityAPI.list_qualities outside of MOCK mode")
        return [
            info
            for info in map(QualityInfo.model_validate, SAMPLE_QUALITIES)
            if target_type in (None, info.target_type)
            and status in (None, info.status)
            and (target_name or "") in info.target_name
        ]

    def get(self, name: str) -> QualityInfo | None:
        """One test, `None` when nobody knows the name."""
        check_text(name=name)
        return next((info for info in self.list_qualities() if info.name == name), None)

    def get_spec(self, spec_path: str | Path) -> QualitySpec:
        """A quality file; the path is looked for in `project_path`, then in the working directory.

        Raises: QualitySpecNotFoundError (601), QualitySpecParseError (602).
        """
        spec, _ = self._read(spec_path)
        return spec

    def validate(
        self, spec_path: str | Path, *, strict: bool = False, tests: list[str] | None = None
    ) -> ValidationResult:
        """Problems of a quality file; nothing is run. `tests` are names that it must have.

        Raises: QualitySpecNotFoundError (601), QualitySpecParseError (602).
        """
        from dli.specs.quality import check_quality

        spec, unknown = self._read(spec_path)
        found = check_quality(spec, tests=tests)
        warnings = unknown + found.warnings
        errors = found.errors + (warnings if strict else [])
        return found.model_copy(
            update={"valid": not errors, "errors": errors, "warnings": warnings}
        )

    def run(
        self,
        spec_path: str | Path,
        *,
        tests: list[str] | None = None,
        parameters: dict[str, Any] | None = None,
        fail_fast: bool = False,
    ) -> DqQualityResult:
        """Run the tests of a quality file.

        Raises: QualitySpecNotFoundError (601), QualitySpecParseError (602), DLIValidationError
        (204) for an unknown name in `tests`.
        """
        from dli.specs.quality import unknown_tests

        spec, _ = self._read(spec_path)
        if unknown := unknown_tests(spec, tests or ()):
            message = f"tests: the spec has no test of these names: {', '.join(unknown)}"
            raise DLIValidationError(message, ErrorCode.PARAMETER_INVALID)
        is_without_executor = not self._is_server and self._executor is None
        if not self._is_mock and not is_without_executor:
            raise not_available("QualityAPI.run outside of MOCK mode")
        started_at = utc_now()
        status = DqStatus.PASS if self._is_mock else DqStatus.ERROR
        selected = [test for test in spec.tests if not tests or test.name in tests]
        return DqQualityResult(
            target_urn=spec.target_urn,
            execution_mode=self.context.execution_mode.value,
            started_at=started_at,
            finished_at=utc_now(),
            test_results=[_entry(test, spec.target.name, status) for test in selected],
        )

    def _read(self, spec_path: str | Path) -> tuple[QualitySpec, list[str]]:
        from dli.specs.quality import read_quality

        path = Path(spec_path)
        roots = [root for root in (self.context.project_path, Path()) if root is not None]
        places = [root / path for root in roots]
        return read_quality(next((place for place in places if place.is_file()), path))


def _entry(test: DqTestDefinitionSpec, target_name: str, status: DqStatus) -> dict[str, Any]:
    """One of `test_results`: JSON values only. A disabled test is never run."""
    result = DqTestResult(
        test_name=test.name,
        resource_name=target_name,
        status=status if test.enabled else DqStatus.SKIPPED,
    )
    if result.status is DqStatus.ERROR:
        result.error_message = _NO_EXECUTOR
    entry = asdict(result)
    entry["executed_at"] = result.executed_at.isoformat()
    entry["status"] = result.status.value
    return {**entry, "test_type": test.type.value, "severity": test.severity.value}
