"""`MetricAPI`: the metrics of a project or server, their SQL and their rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dli.api.argument import check_list_source, check_text
from dli.api.facade import Facade, not_available
from dli.api.filter import SpecFilter
from dli.api.project import find_root, open_project
from dli.exceptions import MetricNotFoundError
from dli.models.common import MetricResult, ValidationResult
from dli.models.instant import utc_now
from dli.models.state import ResultStatus

if TYPE_CHECKING:
    from pathlib import Path

    from dli.models.common import DataSource, ExecutionContext
    from dli.models.metric import MetricSpec
    from dli.specs.project import Project
    from dli.warehouse.executor import QueryExecutor

__all__ = ["MetricAPI"]


class MetricAPI(Facade):
    """In LOCAL mode statements run on `executor`, else on the project's own warehouse.

    Every method raises DLIValidationError (204) for arguments that cannot be meant.
    """

    def __init__(
        self, context: ExecutionContext | None = None, executor: QueryExecutor | None = None
    ) -> None:
        super().__init__(context)
        self._executor = executor
        self._opened: Project | None = None

    def list_metrics(
        self,
        path: Path | None = None,
        *,
        source: DataSource = "local",
        domain: str | None = None,
        owner: str | None = None,
        tags: list[str] | None = None,
        catalog: str | None = None,
        schema: str | None = None,
    ) -> list[MetricSpec]:
        """Specs in the order of their names; filters are exact, and all `tags` must be there."""
        check_list_source(source, path)
        if self._is_mock:
            return []
        if source == "server":
            raise not_available("MetricAPI.list_metrics with source='server'")
        project = self._project() if path is None else open_project(self.context, path)
        wanted = SpecFilter(domain, owner, tags, catalog, schema)
        return [spec for spec in project.metrics().values() if wanted.fits(spec)]

    def get(self, name: str) -> MetricSpec | None:
        """The spec of a metric, `None` when nobody knows the name."""
        check_text(name=name)
        if self._is_mock:
            return None
        if self._is_server and find_root(self.context) is None:
            raise not_available("MetricAPI.get without a project")
        try:
            return self._project().metric(name)
        except MetricNotFoundError:
            return None

    def run(
        self,
        name: str,
        *,
        parameters: dict[str, Any] | None = None,
        dry_run: bool = False,
        show_sql: bool = False,
    ) -> MetricResult:
        """Render a metric and fetch its rows."""
        check_text(name=name)
        if self._is_mock:
            now = utc_now()
            return MetricResult(
                name=name,
                status=ResultStatus.SUCCESS,
                started_at=now,
                ended_at=now,
                duration_ms=0,
                sql=f"-- Mock SQL for {name}" if show_sql else None,
                data=[],
                row_count=0,
            )
        raise not_available("MetricAPI.run outside of MOCK mode")

    def validate(
        self, name: str, *, strict: bool = False, check_deps: bool = False
    ) -> ValidationResult:
        """Every problem of a spec and its SQL as one text each, also an unknown name."""
        check_text(name=name)
        if self._is_mock:
            return ValidationResult(valid=True)
        from dli.specs.validator import validate_metric

        return validate_metric(self._project(), name, strict=strict, check_deps=check_deps)

    def register(self, name: str, *, force: bool = False) -> None:
        """Send the project's spec to the server."""
        check_text(name=name)
        if not self._is_mock:
            raise not_available("MetricAPI.register outside of MOCK mode")

    def render_sql(
        self, name: str, *, parameters: dict[str, Any] | None = None, format_sql: bool = True
    ) -> str:
        """The statement as it would run."""
        check_text(name=name)
        if self._is_mock:
            return f"-- Mock SQL for {name}"
        raise not_available("MetricAPI.render_sql outside of MOCK mode")

    def get_tables(self, name: str) -> list[str]:
        """Tables that the statement reads."""
        check_text(name=name)
        if self._is_mock:
            return []
        raise not_available("MetricAPI.get_tables outside of MOCK mode")

    def get_columns(self, name: str) -> list[str]:
        """Output columns of the statement."""
        check_text(name=name)
        if self._is_mock:
            return []
        raise not_available("MetricAPI.get_columns outside of MOCK mode")

    def test_connection(self) -> bool:
        """Whether the engine (LOCAL) or the server (SERVER) answers; never an exception."""
        if self._is_mock:
            return True
        raise not_available("MetricAPI.test_connection outside of MOCK mode")

    def _project(self) -> Project:
        if self._opened is None:
            self._opened = open_project(self.context)
        return self._opened
