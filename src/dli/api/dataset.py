"""`DatasetAPI`: the datasets of a project or server, their SQL and their runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dli.api.argument import check_list_source, check_text
from dli.api.facade import Facade, not_available
from dli.models.common import DatasetResult, ValidationResult
from dli.models.instant import utc_now
from dli.models.state import ResultStatus

if TYPE_CHECKING:
    from pathlib import Path

    from dli.models.common import DataSource, ExecutionContext, SQLDialect
    from dli.models.dataset import DatasetSpec
    from dli.warehouse.executor import QueryExecutor

__all__ = ["DatasetAPI"]


class DatasetAPI(Facade):
    """In LOCAL mode statements run on `executor`, else on the project's own warehouse.

    Every method raises DLIValidationError (204) for arguments that cannot be meant.
    """

    def __init__(
        self, context: ExecutionContext | None = None, executor: QueryExecutor | None = None
    ) -> None:
        super().__init__(context)
        self._executor = executor

    def list_datasets(
        self,
        path: Path | None = None,
        *,
        source: DataSource = "local",
        domain: str | None = None,
        owner: str | None = None,
        tags: list[str] | None = None,
        catalog: str | None = None,
        schema: str | None = None,
    ) -> list[DatasetSpec]:
        """Specs in the order of their names; filters are exact, and all `tags` must be there."""
        check_list_source(source, path)
        if self._is_mock:
            return []
        raise not_available("DatasetAPI.list_datasets outside of MOCK mode")

    def get(self, name: str) -> DatasetSpec | None:
        """The spec of a dataset, `None` when nobody knows the name."""
        check_text(name=name)
        if self._is_mock:
            return None
        raise not_available("DatasetAPI.get outside of MOCK mode")

    def run(
        self,
        name: str,
        *,
        parameters: dict[str, Any] | None = None,
        dry_run: bool = False,
        show_sql: bool = False,
    ) -> DatasetResult:
        """Render and run a dataset now, without the server's schedule or history.

        Raises: DatasetNotFoundError (101), DLIValidationError (203, 204), ExecutionError (401-403).
        """
        check_text(name=name)
        if self._is_mock:
            return _mock_result(name, f"-- Mock SQL for {name}" if show_sql else None)
        raise not_available("DatasetAPI.run outside of MOCK mode")

    def run_sql(
        self,
        sql: str,
        *,
        parameters: dict[str, Any] | None = None,
        transpile: bool = True,
        dialect: SQLDialect | None = None,
    ) -> DatasetResult:
        """Run a SQL text; `dialect` defaults to the context's."""
        check_text(sql=sql)
        if self._is_mock:
            return _mock_result("<inline>", sql)
        raise not_available("DatasetAPI.run_sql outside of MOCK mode")

    def validate(
        self, name: str, *, strict: bool = False, check_deps: bool = False
    ) -> ValidationResult:
        """Every problem of a spec and its SQL as one text each, also an unknown name."""
        check_text(name=name)
        if self._is_mock:
            return ValidationResult(valid=True)
        raise not_available("DatasetAPI.validate outside of MOCK mode")

    def register(self, name: str, *, force: bool = False) -> None:
        """Send the project's spec to the server.

        Raises: DatasetNotFoundError (101), ServerError (status_code 409 without `force`).
        """
        check_text(name=name)
        if not self._is_mock:
            raise not_available("DatasetAPI.register outside of MOCK mode")

    def render_sql(
        self, name: str, *, parameters: dict[str, Any] | None = None, format_sql: bool = True
    ) -> str:
        """The main statement as it would run.

        Raises: DatasetNotFoundError (101), DLIValidationError (203, 204).
        """
        check_text(name=name)
        if self._is_mock:
            return f"-- Mock SQL for {name}"
        raise not_available("DatasetAPI.render_sql outside of MOCK mode")

    def get_tables(self, name: str) -> list[str]:
        """Tables that the main statement reads. Raises: DatasetNotFoundError (101)."""
        check_text(name=name)
        if self._is_mock:
            return []
        raise not_available("DatasetAPI.get_tables outside of MOCK mode")

    def get_columns(self, name: str) -> list[str]:
        """Output columns of the main statement. Raises: DatasetNotFoundError (101)."""
        check_text(name=name)
        if self._is_mock:
            return []
        raise not_available("DatasetAPI.get_columns outside of MOCK mode")

    def test_connection(self) -> bool:
        """Whether the engine (LOCAL) or the server (SERVER) answers; never an exception."""
        if self._is_mock:
            return True
        raise not_available("DatasetAPI.test_connection outside of MOCK mode")


def _mock_result(name: str, sql: str | None) -> DatasetResult:
    now = utc_now()
    return DatasetResult(
        name=name,
        status=ResultStatus.SUCCESS,
        started_at=now,
        ended_at=now,
        duration_ms=0,
        sql=sql,
    )
