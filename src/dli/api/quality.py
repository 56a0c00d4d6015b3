"""`QualityAPI`: the quality tests of datasets and metrics."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dli.api.argument import check_text
from dli.api.facade import Facade, not_available
from dli.client.fake.quality import SAMPLE_QUALITIES
from dli.models.quality import DqQualityResult, QualityInfo, QualitySpec

if TYPE_CHECKING:
    from pathlib import Path

    from dli.models.common import ExecutionContext, ValidationResult
    from dli.warehouse.executor import QueryExecutor

__all__ = ["QualityAPI"]


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
        """A quality file.

        Raises: QualitySpecNotFoundError (601), QualitySpecParseError (602).
        """
        raise not_available("QualityAPI.get_spec")

    def validate(
        self, spec_path: str | Path, *, strict: bool = False, tests: list[str] | None = None
    ) -> ValidationResult:
        """Problems of a quality file; nothing is run.

        Raises: QualitySpecNotFoundError (601), QualitySpecParseError (602).
        """
        raise not_available("QualityAPI.validate")

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
        raise not_available("QualityAPI.run")
