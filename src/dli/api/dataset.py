"""`DatasetAPI`: the datasets of a project or server, their SQL and their runs."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from dli.api.argument import check_minimum, check_text
from dli.api.facade import not_available
from dli.api.filter import SpecFilter
from dli.api.project import project_rules
from dli.api.spec import NO_ENGINE, SpecFacade, main_sql, times
from dli.exceptions import ErrorCode, ExecutionError, TranspileError
from dli.models.common import DatasetResult, ValidationResult
from dli.models.dataset import DatasetSpec
from dli.models.instant import utc_now
from dli.models.state import ResultStatus

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from dli.models.common import DataSource, SQLDialect
    from dli.models.execution import DatasetExecutionResult, ExecutionResult
    from dli.models.spec import ExecutionConfig, ParameterType
    from dli.specs.gate import Gate
    from dli.specs.project import Project
    from dli.specs.statement import Statement
    from dli.warehouse.base import Outcome, StatementEvent
    from dli.warehouse.reader import Reader

__all__ = ["DatasetAPI"]

_INLINE = "<inline>"


class DatasetAPI(SpecFacade[DatasetSpec]):
    """In LOCAL mode statements run on `executor`, else on the project's own warehouse.

    Every method raises DLIValidationError (204) for arguments that cannot be meant, and
    DatasetNotFoundError (101) for a name that the project has not.
    """

    _kind = DatasetSpec

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
        return self._list(path, source, SpecFilter(domain, owner, tags, catalog, schema))

    def run(
        self,
        name: str,
        *,
        parameters: dict[str, Any] | None = None,
        dry_run: bool = False,
        show_sql: bool = False,
        skip_pre: bool = False,
        skip_post: bool = False,
        on_event: Callable[[StatementEvent], None] | None = None,
    ) -> DatasetResult:
        """Render and run a dataset now, without the server's schedule or history.

        Its quality gate decides here, too.
        A dry run does what `check` does, and fails when that finds an error. `on_event` is told of
        every statement as it starts and ends.
        Raises: DLIValidationError (202-204), ExecutionError (401-403).
        """
        check_text(name=name)
        if self._is_mock:
            return _mock_result(name, f"-- Mock SQL for {name}" if show_sql else None)
        if self._is_server:
            raise not_available("DatasetAPI.run in SERVER mode")
        started_at = utc_now()
        dry_run = dry_run or self.context.dry_run
        if not dry_run and not self._has_engine():
            return _failure(name, started_at, NO_ENGINE)
        spec = self._bundle(name)
        left_out = {phase for phase, is_out in (("pre", skip_pre), ("post", skip_post)) if is_out}
        statements = [s for s in self._render(spec, parameters) if s.phase not in left_out]
        sql = main_sql(statements) if show_sql else None
        gate = self._gate(spec, parameters)
        if dry_run:
            statements += gate.checked_statements() if gate else []
            return self._dry_result(name, statements, spec.execution, sql)
        try:
            outcome = self._engine.run(
                statements, execution=spec.execution, name=name, on_event=on_event, gate=gate
            )
        except ExecutionError as error:
            if error.code is not ErrorCode.QUALITY_TEST_EXECUTION:
                raise
            return _failure(name, started_at, error.message, sql)
        return _result(name, started_at, outcome, sql)

    def check(self, name: str, *, parameters: dict[str, Any] | None = None) -> ValidationResult:
        """Render every statement, and bind it on the project's warehouse without any effect.

        What could not be bound, such as the reading of a table that is not there yet, is a
        warning; so is all of it when the engine is an injected executor.
        Raises: DLIValidationError (202-204).
        """
        check_text(name=name)
        if self._is_mock:
            return ValidationResult(valid=True)
        spec = self._bundle(name)
        gate = self._gate(spec, parameters)
        tests = gate.checked_statements() if gate else []
        return self._bind([*self._render(spec, parameters), *tests], spec.execution.dialect)

    def get_rows(self, name: str, *, limit: int = 20) -> list[dict[str, Any]]:
        """The first rows of the dataset's table, in the order the engine has them.

        Raises: ExecutionError (403, 405 when there is no such table).
        """
        check_text(name=name)
        check_minimum(1, limit=limit)
        if self._is_mock:
            return []
        if self._is_server:
            raise not_available("DatasetAPI.get_rows in SERVER mode")
        spec = self._spec(name)
        table = ".".join(f'"{part}"' for part in spec.name.split("."))
        sql = f"SELECT * FROM {table} LIMIT {limit}"  # noqa: S608 - the name of a spec has no quote

        def read(reader: Reader) -> Outcome:
            return reader.rows(sql, max_rows=limit)

        timeout_s = spec.execution.timeout_seconds
        try:
            found = self._engine.read(read, dialect="trino", timeout_s=timeout_s)
        except ExecutionError as error:
            from dli.warehouse.failure import is_missing_table

            if not is_missing_table(error):
                raise
            missing = ExecutionError(f"The table {name} is not there yet", error.code, cause=error)
            missing.add_note(f"Fill it with `dli dataset run {name}`.")
            raise missing from error
        return [dict(zip(found.columns, row, strict=True)) for row in found.rows]

    def run_sql(
        self,
        sql: str,
        *,
        parameters: dict[str, Any] | None = None,
        transpile: bool = True,
        dialect: SQLDialect | None = None,
        strict: bool = False,
        dry_run: bool = False,
        on_rows: Callable[[ExecutionResult], None] | None = None,
    ) -> DatasetResult:
        """Run one statement; `dialect` defaults to the context's.

        `on_rows` is given the columns and the first 100 rows when the statement is a query.

        `transpile` applies the project's rules first; with `strict` a warning of theirs is an
        error. A dry run only renders, and binds on the project's warehouse.
        Raises: DLIValidationError (202-204), ExecutionError (401-403), TranspileError (301, 303).
        """
        check_text(sql=sql)
        if self._is_mock:
            return _mock_result(_INLINE, sql)
        if self._is_server:
            raise not_available("DatasetAPI.run_sql in SERVER mode")
        started_at = utc_now()
        if not self._has_engine():
            return _failure(_INLINE, started_at, NO_ENGINE)
        spec = _inline_spec(sql, parameters or {}, dialect or self.context.dialect)
        statements = self._render(spec, parameters)
        execution = spec.execution
        if transpile:
            statements = [
                self._by_rules(one, execution.dialect, strict=strict) for one in statements
            ]
        if dry_run or self.context.dry_run:
            return self._dry_result(_INLINE, statements, execution, main_sql(statements))
        outcome = self._engine.run(statements, execution=execution, name=_INLINE)
        if on_rows is not None and outcome.main_result and outcome.main_result.columns:
            on_rows(outcome.main_result)
        return _result(_INLINE, started_at, outcome, main_sql(statements))

    def render_sql(
        self, name: str, *, parameters: dict[str, Any] | None = None, format_sql: bool = True
    ) -> str:
        """The main statement as it would run.

        Raises: DLIValidationError (202-204).
        """
        check_text(name=name)
        if self._is_mock:
            return f"-- Mock SQL for {name}"
        from dli.specs.sql import format_sql as laid_out

        spec = self._bundle(name)
        sql = main_sql(self._render(spec, parameters))
        return laid_out(sql, spec.execution.dialect) if format_sql else sql

    def _all(self, project: Project) -> list[DatasetSpec]:
        return list(project.datasets().values())

    def _spec(self, name: str) -> DatasetSpec:
        return self._project().dataset(name)

    def _gate(self, spec: DatasetSpec, parameters: Mapping[str, Any] | None) -> Gate | None:
        from dli.specs.gate import render_gate

        values = {**self._defaults(spec), **(parameters or {})}
        return render_gate(spec, self._render_context(), values)

    def _bind(self, statements: Sequence[Statement], dialect: str) -> ValidationResult:
        if self._executor is not None:
            warning = "not bound: an executor can only run statements"
            return ValidationResult(valid=True, warnings=[warning])
        try:
            warnings = self._engine.check(statements, dialect=dialect)
        except ExecutionError as error:
            from dli.warehouse.failure import is_missing_table

            if error.code is ErrorCode.CONNECTION_FAILED or is_missing_table(error):
                return ValidationResult(valid=True, warnings=[f"not bound: {error.message}"])
            return ValidationResult(valid=False, errors=[error.message])
        return ValidationResult(valid=True, warnings=warnings)

    def _dry_result(
        self,
        name: str,
        statements: Sequence[Statement],
        execution: ExecutionConfig,
        sql: str | None,
    ) -> DatasetResult:
        started_at = utc_now()
        errors = self._bind(statements, execution.dialect).errors
        if errors:
            return _failure(name, started_at, errors[0], sql)
        return _success(name, started_at, sql)

    def _by_rules(self, statement: Statement, dialect: str, *, strict: bool) -> Statement:
        from dli.specs.transpile import transpile

        rules = project_rules(self.context)
        done = transpile(statement.sql, read=dialect, write=dialect, rules=rules)
        if strict and done.warnings:
            first = done.warnings[0]
            raise TranspileError(
                first.message, sql=statement.sql, line=first.line, column=first.column
            )
        return replace(statement, sql=done.sql)


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
        **times(started_at),
    )


def _failure(name: str, started_at: datetime, reason: str, sql: str | None = None) -> DatasetResult:
    return DatasetResult(
        name=name,
        status=ResultStatus.FAILURE,
        sql=sql,
        error_message=reason,
        **times(started_at),
    )


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
