"""`DatasetAPI`: the datasets of a project or server, their SQL and their runs."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from dli.api.argument import check_minimum, check_text
from dli.api.filter import SpecFilter
from dli.api.remote import Remote
from dli.api.rule import project_rules
from dli.api.spec import NO_ENGINE, SpecFacade
from dli.exceptions import ExecutionError, TableNotFoundError
from dli.models.common import DatasetResult, ValidationResult
from dli.models.dataset import DatasetSpec
from dli.models.instant import utc_now
from dli.models.state import ResultStatus
from dli.warehouse.result import (
    binding_result,
    dataset_failure,
    dataset_result,
    dataset_success,
    gated_result,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from dli.models.common import DataSource, SQLDialect
    from dli.models.execution import DatasetExecutionResult, ExecutionResult
    from dli.models.spec import ExecutionConfig
    from dli.specs.gate import Gate
    from dli.specs.project import Project
    from dli.specs.statement import Statement
    from dli.warehouse.base import Outcome, StatementEvent
    from dli.warehouse.reader import Reader
    from dli.warehouse.trace import Trace

__all__ = ["DatasetAPI"]

_log = logging.getLogger(__name__)


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
        dry_run = dry_run or self.context.dry_run
        if self._is_server:
            result = self._run_on_server(
                name, parameters, dry_run=dry_run, skip_pre=skip_pre, skip_post=skip_post
            )
            return result if show_sql else result.model_copy(update={"sql": None})
        from dli.specs.statement import main_sql

        started_at = utc_now()
        if not dry_run and not self._has_engine():
            return dataset_failure(name, started_at, NO_ENGINE)
        spec = self._bundle(name)
        left_out = {phase for phase, is_out in (("pre", skip_pre), ("post", skip_post)) if is_out}
        statements = [s for s in self._render(spec, parameters) if s.phase not in left_out]
        sql = main_sql(statements) if show_sql else None
        gate = self._gate(spec, parameters)
        if dry_run:
            statements += gate.checked_statements() if gate else []
            return self._dry_result(name, statements, spec.execution, sql)

        def work() -> DatasetExecutionResult:
            with self._traced(spec) as trace:
                return self._engine.run(
                    statements,
                    execution=spec.execution,
                    name=name,
                    on_event=self._listener(on_event),
                    gate=gate,
                    trace=trace,
                )

        # An executor of the caller's cannot tell what was written from what was read.
        with_read = self._executor is not None
        return gated_result(name, started_at, work, sql, with_read=with_read)

    def check(self, name: str, *, parameters: dict[str, Any] | None = None) -> ValidationResult:
        """Render every statement, and bind it on the warehouse without any effect.

        In SERVER mode this is done with the registered spec, and errors alone are told.
        What could not be bound, such as the reading of a table that is not there yet, is a
        warning; so is all of it when the engine is an injected executor.
        Raises: DLIValidationError (202-204).
        """
        check_text(name=name)
        if self._is_mock:
            return ValidationResult(valid=True)
        if self._is_server:
            result = self._run_on_server(name, parameters, dry_run=True)
            errors = [] if result.error_message is None else [result.error_message]
            return ValidationResult(valid=not errors, errors=errors)
        spec = self._bundle(name)
        gate = self._gate(spec, parameters)
        tests = gate.checked_statements() if gate else []
        return self._bind([*self._render(spec, parameters), *tests], spec.execution.dialect)

    def get_rows(self, name: str, *, limit: int = 20) -> list[dict[str, Any]]:
        """The first rows of the dataset's table, in the order the engine has them.

        In SERVER mode at most 100.
        Raises: TableNotFoundError (103) before the first run, ExecutionError (403, 405).
        """
        check_text(name=name)
        check_minimum(1, limit=limit)
        if self._is_mock:
            return []
        spec = self.get_registered(name) if self._is_server else self._spec(name)
        try:
            return self._first_rows(spec, limit)
        except ExecutionError as error:
            from dli.warehouse.failure import is_missing_table

            if not is_missing_table(error):
                raise
            missing = TableNotFoundError(f"The table {name} is not there yet", table_ref=name)
            missing.add_note(f"Fill it with `dli dataset run {name}`.")
            raise missing from error

    def _first_rows(self, spec: DatasetSpec, limit: int) -> list[dict[str, Any]]:
        table = ".".join(f'"{part}"' for part in spec.name.split("."))
        sql = f"SELECT * FROM {table} LIMIT {limit}"  # noqa: S608 - the name of a spec has no quote
        if self._is_server:
            return Remote(self.context).first_rows(sql, limit)

        def read(reader: Reader) -> Outcome:
            return reader.rows(sql, max_rows=limit)

        timeout_s = spec.execution.timeout_seconds
        found = self._engine.read(read, dialect="trino", timeout_s=timeout_s)
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
            return _mock_result("<inline>", sql)
        dry_run, dialect = dry_run or self.context.dry_run, dialect or self.context.dialect
        if self._is_server:
            result, found = Remote(self.context).run_sql(
                sql,
                parameters or {},
                dialect=dialect,
                transpile=transpile,
                strict=strict,
                dry_run=dry_run,
            )
            if on_rows is not None and found is not None:
                on_rows(found)
            return result
        from dli.specs.inline import INLINE, by_rules, inline_spec
        from dli.specs.statement import main_sql

        started_at = utc_now()
        if not self._has_engine():
            return dataset_failure(INLINE, started_at, NO_ENGINE)
        spec = inline_spec(sql, parameters or {}, dialect)
        statements = self._render(spec, parameters)
        execution = spec.execution
        if transpile:
            rules = project_rules(self.context)
            statements = by_rules(statements, rules, dialect=execution.dialect, strict=strict)
        if dry_run:
            return self._dry_result(INLINE, statements, execution, main_sql(statements))
        outcome = self._engine.run(
            statements, execution=execution, name=INLINE, on_event=self._listener(None)
        )
        if on_rows is not None and outcome.main_result and outcome.main_result.columns:
            on_rows(outcome.main_result)
        return dataset_result(INLINE, started_at, outcome, main_sql(statements))

    def _listener(
        self, on_event: Callable[[StatementEvent], None] | None
    ) -> Callable[[StatementEvent], None] | None:
        """With `verbose` the log tells of every statement, too."""
        if not self.context.verbose:
            return on_event

        def tell(event: StatementEvent) -> None:
            _log.info("%s", event)
            if on_event is not None:
                on_event(event)

        return tell

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
        from dli.specs.statement import main_sql

        spec = self._bundle(name)
        sql = main_sql(self._render(spec, parameters))
        return laid_out(sql, spec.execution.dialect) if format_sql else sql

    def _run_on_server(
        self,
        name: str,
        parameters: Mapping[str, Any] | None,
        *,
        dry_run: bool,
        skip_pre: bool = False,
        skip_post: bool = False,
    ) -> DatasetResult:
        spec = self.get_registered(name)
        return Remote(self.context).run_dataset(
            spec,
            self._values(spec, parameters),
            dry_run=dry_run,
            skip_pre=skip_pre,
            skip_post=skip_post,
        )

    def _all(self, project: Project) -> list[DatasetSpec]:
        return list(project.datasets().values())

    def _spec(self, name: str) -> DatasetSpec:
        return self._project().dataset(name)

    @contextmanager
    def _traced(self, spec: DatasetSpec) -> Iterator[Trace]:
        """Tells the project's lineage target; what an injected executor does is not told."""
        from dli.warehouse.emitter import emitter_of
        from dli.warehouse.report import Attempt
        from dli.warehouse.trace import traced

        emitter = emitter_of(self._project()) if self._executor is None else None
        try:
            with traced(emitter, spec, Attempt(str(uuid4()))) as trace:
                yield trace
        finally:
            if emitter is not None:
                emitter.flush()

    def _gate(self, spec: DatasetSpec, parameters: Mapping[str, Any] | None) -> Gate | None:
        from dli.specs.gate import render_gate

        return render_gate(spec, self._render_context(), self._values(spec, parameters))

    def _bind(self, statements: Sequence[Statement], dialect: str) -> ValidationResult:
        if self._executor is not None:
            warning = "not bound: an executor can only run statements"
            return ValidationResult(valid=True, warnings=[warning])
        return binding_result(lambda: self._engine.check(statements, dialect=dialect))

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
            return dataset_failure(name, started_at, errors[0], sql)
        return dataset_success(name, started_at, sql)


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
