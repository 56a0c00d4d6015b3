"""`MetricAPI`: the metrics of a project or server, their SQL and their rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dli.api.argument import check_minimum, check_text
from dli.api.filter import SpecFilter
from dli.api.remote import Remote
from dli.api.spec import NO_ENGINE, SpecFacade
from dli.exceptions import ExecutionError
from dli.models.common import MetricResult
from dli.models.instant import utc_now
from dli.models.metric import MetricSpec
from dli.models.state import ResultStatus
from dli.warehouse.base import REFUSALS
from dli.warehouse.result import metric_failure, metric_result

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from dli.models.common import DataSource
    from dli.specs.project import Project
    from dli.warehouse.base import Outcome
    from dli.warehouse.reader import Reader

__all__ = ["MetricAPI"]


class MetricAPI(SpecFacade[MetricSpec]):
    """In LOCAL mode statements run on `executor`, else on the project's own warehouse.

    Every method raises DLIValidationError (204) for arguments that cannot be meant, and
    MetricNotFoundError (102) for a name that the project has not.
    """

    _kind = MetricSpec

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
        return self._list(path, source, SpecFilter(domain, owner, tags, catalog, schema))

    def run(
        self,
        name: str,
        *,
        parameters: dict[str, Any] | None = None,
        dry_run: bool = False,
        show_sql: bool = False,
        by: Sequence[str] = (),
        metrics: Sequence[str] = (),
        limit: int | None = None,
    ) -> MetricResult:
        """Render a metric and fetch its rows.

        As it stands, or `metrics` (all declared ones by default) for each value of the dimensions
        in `by`. A dry run renders and parses, and needs no engine.
        Raises: DLIValidationError (202-204), ExecutionError (401-403).
        """
        check_text(name=name)
        if limit is not None:
            check_minimum(1, limit=limit)
        if self._is_mock:
            return _mock_result(name, show_sql=show_sql)
        dry_run = dry_run or self.context.dry_run
        if self._is_server:
            registered = self.get_registered(name)
            values = self._values(registered, parameters)
            result = Remote(self.context).run_metric(
                registered, values, dry_run=dry_run, by=by, metrics=metrics, limit=limit
            )
            return result if show_sql else result.model_copy(update={"sql": None})
        started_at = utc_now()
        if not dry_run and not self._has_engine():
            return metric_failure(name, started_at, NO_ENGINE)
        spec = self._bundle(name)
        sql = self._sql(spec, parameters, by, metrics)
        shown = sql if show_sql else None
        if dry_run:
            return metric_result(name, started_at, None, shown)
        try:
            found = self._rows(spec, sql, limit)
        except ExecutionError as error:
            if error.code not in REFUSALS:
                raise
            return metric_failure(name, started_at, error.message, shown, code=error.code.value)
        return metric_result(name, started_at, found, shown)

    def render_sql(
        self,
        name: str,
        *,
        parameters: dict[str, Any] | None = None,
        format_sql: bool = True,
        by: Sequence[str] = (),
        metrics: Sequence[str] = (),
    ) -> str:
        """The query as it would run; `by` and `metrics` as for `run`.

        Raises: DLIValidationError (202-204).
        """
        check_text(name=name)
        if self._is_mock:
            return f"-- Mock SQL for {name}"
        from dli.specs.sql import format_sql as laid_out

        spec = self._bundle(name)
        sql = self._sql(spec, parameters, by, metrics)
        return laid_out(sql, spec.execution.dialect) if format_sql else sql

    def _sql(
        self,
        spec: MetricSpec,
        parameters: Mapping[str, Any] | None,
        by: Sequence[str],
        metrics: Sequence[str],
    ) -> str:
        from dli.specs.statement import main_sql

        sql = main_sql(self._render(spec, parameters))
        if not by and not metrics:
            return sql
        from dli.specs.measure import measured

        return measured(spec, sql, by=by, metrics=metrics)

    def _rows(self, spec: MetricSpec, sql: str, limit: int | None) -> Outcome:
        execution = spec.execution

        def read(reader: Reader) -> Outcome:
            return reader.rows(sql, max_rows=limit)

        return self._engine.read(
            read, dialect=execution.dialect, timeout_s=execution.timeout_seconds
        )

    def _all(self, project: Project) -> list[MetricSpec]:
        return list(project.metrics().values())

    def _spec(self, name: str) -> MetricSpec:
        return self._project().metric(name)


def _mock_result(name: str, *, show_sql: bool) -> MetricResult:
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
