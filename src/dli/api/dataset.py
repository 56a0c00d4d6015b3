"""`DatasetAPI`: the datasets of a project or server, their SQL and their runs."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from dli.api.argument import check_list_source, check_text
from dli.api.engine import LocalEngine
from dli.api.facade import Facade, not_available
from dli.api.filter import SpecFilter
from dli.api.project import find_root, open_project, project_rules
from dli.api.server import connect
from dli.exceptions import ConfigurationError, DatasetNotFoundError
from dli.models.common import DatasetResult, ValidationResult
from dli.models.instant import utc_now
from dli.models.state import ResultStatus

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from dli.models.common import DataSource, ExecutionContext, SQLDialect
    from dli.models.dataset import DatasetSpec
    from dli.models.execution import DatasetExecutionResult
    from dli.models.spec import ParameterType
    from dli.specs.dataset import Statement
    from dli.specs.project import Project
    from dli.warehouse.executor import QueryExecutor

__all__ = ["DatasetAPI"]

_INLINE = "<inline>"
_NO_ENGINE = "Executor not configured: give one, or set project_path to a project with a warehouse"


class DatasetAPI(Facade):
    """In LOCAL mode statements run on `executor`, else on the project's own warehouse.

    Every method raises DLIValidationError (204) for arguments that cannot be meant.
    """

    def __init__(
        self, context: ExecutionContext | None = None, executor: QueryExecutor | None = None
    ) -> None:
        super().__init__(context)
        self._executor = executor
        self._opened: Project | None = None
        self._engine = LocalEngine(self._project, executor)

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
        if source == "server":
            raise not_available("DatasetAPI.list_datasets with source='server'")
        project = self._project() if path is None else open_project(self.context, path)
        wanted = SpecFilter(domain, owner, tags, catalog, schema)
        return [spec for spec in project.datasets().values() if wanted.fits(spec)]

    def get(self, name: str) -> DatasetSpec | None:
        """The spec of a dataset, `None` when nobody knows the name.

        Raises: DLIValidationError (203) when the file of this name cannot be used.
        """
        check_text(name=name)
        if self._is_mock:
            return None
        if self._is_server and find_root(self.context) is None:
            raise not_available("DatasetAPI.get without a project")
        try:
            return self._project().dataset(name)
        except DatasetNotFoundError:
            return None

    def run(
        self,
        name: str,
        *,
        parameters: dict[str, Any] | None = None,
        dry_run: bool = False,
        show_sql: bool = False,
    ) -> DatasetResult:
        """Render and run a dataset now, without the server's schedule or history.

        A dry run renders and parses, and needs no engine.
        Raises: DatasetNotFoundError (101), DLIValidationError (202-204), ExecutionError (401-403).
        """
        check_text(name=name)
        if self._is_mock:
            return _mock_result(name, f"-- Mock SQL for {name}" if show_sql else None)
        if self._is_server:
            raise not_available("DatasetAPI.run in SERVER mode")
        started_at = utc_now()
        dry_run = dry_run or self.context.dry_run
        if not dry_run and not self._has_engine():
            return _failure(name, started_at, _NO_ENGINE)
        spec = self._project().bundle(name)
        statements = self._render(spec, parameters)
        sql = _main_sql(statements) if show_sql else None
        if dry_run:
            return _success(name, started_at, sql)
        execution = spec.execution
        outcome = self._engine.run(
            statements, dialect=execution.dialect, name=name, timeout_s=execution.timeout_seconds
        )
        return _result(name, started_at, outcome, sql)

    def run_sql(
        self,
        sql: str,
        *,
        parameters: dict[str, Any] | None = None,
        transpile: bool = True,
        dialect: SQLDialect | None = None,
    ) -> DatasetResult:
        """Run one statement; `dialect` defaults to the context's.

        `transpile` applies the project's rules first.
        Raises: DLIValidationError (202-204), ExecutionError (401-403), TranspileError (303).
        """
        check_text(sql=sql)
        if self._is_mock:
            return _mock_result(_INLINE, sql)
        if self._is_server:
            raise not_available("DatasetAPI.run_sql in SERVER mode")
        started_at = utc_now()
        if not self._has_engine():
            return _failure(_INLINE, started_at, _NO_ENGINE)
        spec = _inline_spec(sql, parameters or {}, dialect or self.context.dialect)
        statements = self._render(spec, parameters)
        execution = spec.execution
        if transpile:
            statements = [self._by_rules(statement, execution.dialect) for statement in statements]
        outcome = self._engine.run(
            statements, dialect=execution.dialect, name=_INLINE, timeout_s=execution.timeout_seconds
        )
        return _result(_INLINE, started_at, outcome, _main_sql(statements))

    def validate(
        self, name: str, *, strict: bool = False, check_deps: bool = False
    ) -> ValidationResult:
        """Every problem of a spec and its SQL as one text each, also an unknown name."""
        check_text(name=name)
        if self._is_mock:
            return ValidationResult(valid=True)
        from dli.specs.validator import validate_dataset

        return validate_dataset(self._project(), name, strict=strict, check_deps=check_deps)

    def register(self, name: str, *, force: bool = False) -> None:  # noqa: ARG002 (not there yet)
        """Send the project's spec to the server.

        Raises: DatasetNotFoundError (101), ServerError (status_code 409 without `force`).
        """
        check_text(name=name)
        if not self._is_mock:
            raise not_available("DatasetAPI.register")

    def render_sql(
        self, name: str, *, parameters: dict[str, Any] | None = None, format_sql: bool = True
    ) -> str:
        """The main statement as it would run.

        Raises: DatasetNotFoundError (101), DLIValidationError (202-204).
        """
        check_text(name=name)
        if self._is_mock:
            return f"-- Mock SQL for {name}"
        from dli.specs.sql import format_sql as laid_out

        spec = self._project().bundle(name)
        sql = _main_sql(self._render(spec, parameters))
        return laid_out(sql, spec.execution.dialect) if format_sql else sql

    def get_tables(self, name: str) -> list[str]:
        """Tables that the main statement reads, without names of CTEs.

        Raises: DatasetNotFoundError (101).
        """
        check_text(name=name)
        if self._is_mock:
            return []
        from dli.specs.sql import tables_read

        spec = self._project().bundle(name)
        return tables_read(self._sample_sql(spec), spec.execution.dialect)

    def get_columns(self, name: str) -> list[str]:
        """Output columns of the main statement. Raises: DatasetNotFoundError (101)."""
        check_text(name=name)
        if self._is_mock:
            return []
        from dli.specs.sql import output_columns

        spec = self._project().bundle(name)
        return output_columns(self._sample_sql(spec), spec.execution.dialect)

    def test_connection(self) -> bool:
        """Whether the engine (LOCAL) or the server (SERVER) answers; never an exception."""
        if self._is_mock:
            return True
        if not self._is_server:
            return self._engine.answers()
        try:
            with connect(self.context) as client:
                # The health call needs no token, the list does.
                return client.health_check().success and client.workflow_list(limit=1).success
        except ConfigurationError:
            return False

    def _project(self) -> Project:
        if self._opened is None:
            self._opened = open_project(self.context)
        return self._opened

    def _has_engine(self) -> bool:
        return self._executor is not None or find_root(self.context) is not None

    def _by_rules(self, statement: Statement, dialect: str) -> Statement:
        from dli.specs.transpile import transpile

        rules = project_rules(self.context)
        sql = transpile(statement.sql, read=dialect, write=dialect, rules=rules).sql
        return replace(statement, sql=sql)

    def _sample_sql(self, spec: DatasetSpec) -> str:
        """The main statement, with samples for what nobody gives."""
        from dli.specs.parameter import samples

        return _main_sql(self._render(spec, {**samples(spec.parameters), **self._defaults(spec)}))

    def _defaults(self, spec: DatasetSpec) -> dict[str, Any]:
        declared = {parameter.name for parameter in spec.parameters}
        return {k: v for k, v in self.context.parameters.items() if k in declared}

    def _render(self, spec: DatasetSpec, parameters: Mapping[str, Any] | None) -> list[Statement]:
        from dli.specs.dataset import render_dataset
        from dli.specs.template import RenderContext

        has_project = find_root(self.context) is not None
        context = RenderContext(
            logical_date=datetime.now(UTC).date(),
            variables=self._project().variables if has_project else {},
            known_names=self._project().names if has_project else (),
        )
        return render_dataset(spec, context, {**self._defaults(spec), **(parameters or {})})


def _main_sql(statements: Sequence[Statement]) -> str:
    return next(statement.sql for statement in statements if statement.phase == "main")


def _inline_spec(sql: str, parameters: Mapping[str, Any], dialect: str) -> DatasetSpec:
    """A dataset of one statement that declares just what it is given."""
    from dli.models.dataset import DatasetSpec
    from dli.models.spec import ExecutionConfig, QueryParameter

    return DatasetSpec(
        name="inline",
        owner="inline",
        team="inline",
        query_statement=sql,
        parameters=[
            QueryParameter(name=name, type=_type_of(value), required=value is not None)
            for name, value in parameters.items()
            if name not in ("ds", "execution_date")
        ],
        execution=ExecutionConfig(dialect=dialect),
    )


def _type_of(value: object) -> ParameterType:
    from dli.models.spec import ParameterType

    kinds: list[tuple[type, ParameterType]] = [
        (bool, ParameterType.BOOLEAN),
        (int, ParameterType.INTEGER),
        (float, ParameterType.FLOAT),
        (date, ParameterType.DATE),
        (list, ParameterType.LIST),
    ]
    return next((named for kind, named in kinds if isinstance(value, kind)), ParameterType.STRING)


def _result(
    name: str, started_at: datetime, outcome: DatasetExecutionResult, sql: str | None
) -> DatasetResult:
    if not outcome.success:
        return _failure(name, started_at, outcome.error_message or "The SQL was refused", sql)
    main = outcome.main_result
    return _success(name, started_at, sql, rows_affected=main.row_count if main else None)


def _success(
    name: str, started_at: datetime, sql: str | None, *, rows_affected: int | None = None
) -> DatasetResult:
    return DatasetResult(
        name=name,
        status=ResultStatus.SUCCESS,
        sql=sql,
        rows_affected=rows_affected,
        **_times(started_at),
    )


def _failure(name: str, started_at: datetime, reason: str, sql: str | None = None) -> DatasetResult:
    return DatasetResult(
        name=name,
        status=ResultStatus.FAILURE,
        sql=sql,
        error_message=reason,
        **_times(started_at),
    )


def _times(started_at: datetime) -> dict[str, Any]:
    ended_at = utc_now()
    duration_ms = round((ended_at - started_at).total_seconds() * 1000)
    return {"started_at": started_at, "ended_at": ended_at, "duration_ms": duration_ms}


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
