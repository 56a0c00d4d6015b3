"""One run of the tests of a quality file in LOCAL mode, and what a result looks like."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from dli.exceptions import (
    DLIValidationError,
    ErrorCode,
    ExecutionError,
    MetricNotFoundError,
    QualityTargetNotFoundError,
)
from dli.models.dq import DqSeverity, DqStatus, DqTestResult
from dli.models.quality import QualityTargetType

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from dli.api.engine import LocalEngine
    from dli.models.common import ExecutionContext
    from dli.models.metric import MetricSpec
    from dli.models.quality import DqTestDefinitionSpec, QualitySpec
    from dli.specs.expectation import Expectation, Target
    from dli.specs.project import Project
    from dli.specs.template import RenderContext
    from dli.warehouse.quality import Finding
    from dli.warehouse.reader import Reader

__all__ = ["Examination", "entry"]

_DATES = ("ds", "execution_date")


class Examination:
    """`folder` is that of the quality file; `project` is None outside of one."""

    def __init__(
        self,
        spec: QualitySpec,
        folder: Path,
        project: Project | None,
        *,
        context: ExecutionContext,
        engine: LocalEngine,
        casts_values: bool,
    ) -> None:
        self._spec = spec
        self._folder = folder
        self._project = project
        self._context = context
        self._engine = engine
        self._casts_values = casts_values

    def results(
        self, tests: Sequence[DqTestDefinitionSpec], given: Mapping[str, Any], *, fail_fast: bool
    ) -> list[dict[str, Any]]:
        """One entry per test, in order. Disabled tests, and with `fail_fast` those after the first
        failure, are `skipped`.

        Raises: QualityTargetNotFoundError 603; DLIValidationError 204 for parameters that neither
        the tests nor the metric declare, 202-204 for a metric whose SQL cannot be rendered;
        ExecutionError 401-403.
        """
        metric = self._metric()
        _check_parameters(tests, metric, given)
        render_context = self._render_context(given)
        target = self._target(metric, render_context, given)
        wanted = {
            test.name: self._expectation(test, target, render_context, given)
            for test in tests
            if test.enabled
        }

        def work(reader: Reader) -> list[dict[str, Any]]:
            self._require_target(reader, target)
            return list(self._entries(reader, tests, target, wanted, fail_fast=fail_fast))

        timeout_s = None if self._project is None else self._project.defaults.timeout_seconds
        return self._engine.read(work, dialect=target.dialect, timeout_s=timeout_s)

    def _entries(
        self,
        reader: Reader,
        tests: Sequence[DqTestDefinitionSpec],
        target: Target,
        wanted: Mapping[str, Expectation | str],
        *,
        fail_fast: bool,
    ) -> Iterator[dict[str, Any]]:
        from dli.warehouse.quality import examine

        usable = [one for one in wanted.values() if not isinstance(one, str)]
        findings = examine(reader, target, usable)
        is_over = False
        for test in tests:
            expected = wanted.get(test.name)
            if is_over or expected is None:
                yield entry(test, self._spec, DqStatus.SKIPPED)
                continue
            if isinstance(expected, str):
                found = entry(test, self._spec, DqStatus.ERROR, error_message=expected)
            else:
                found = _entry_of(test, self._spec, expected, next(findings))
            is_over = fail_fast and found["status"] in (DqStatus.FAIL, DqStatus.ERROR)
            yield found

    def _render_context(self, given: Mapping[str, Any]) -> RenderContext:
        from dli.specs.parameter import requested_date
        from dli.specs.template import RenderContext

        project = self._project
        return RenderContext(
            logical_date=requested_date(given) or datetime.now(UTC).date(),
            variables={} if project is None else project.variables,
            known_names=() if project is None else project.names,
        )

    def _metric(self) -> MetricSpec | None:
        """The metric under test, None for a table."""
        if self._spec.target.type is not QualityTargetType.METRIC:
            return None
        try:
            if self._project is not None:
                return self._project.bundled(self._project.metric(self._spec.target.name))
        except MetricNotFoundError:
            pass
        raise QualityTargetNotFoundError(
            "The metric under test is not in the project", target_urn=self._spec.target_urn
        )

    def _target(
        self, metric: MetricSpec | None, context: RenderContext, given: Mapping[str, Any]
    ) -> Target:
        """The table or metric under test, in the dialect of its spec."""
        from dli.specs.expectation import Target, bare_query
        from dli.specs.metric import render_metric

        name, project = self._spec.target.name, self._project
        if metric is not None:
            declared = _names(metric)
            values = {**self._context.parameters, **given}
            sql = render_metric(metric, context, {k: values[k] for k in declared & values.keys()})
            dialect = metric.execution.dialect
            query = bare_query(sql, dialect)
            return Target(name, dialect, query, casts_values=self._casts_values)
        dialect = self._context.dialect
        if project is not None:
            known = project.datasets().get(name)
            dialect = project.defaults.dialect if known is None else known.execution.dialect
        return Target(name, dialect, casts_values=self._casts_values)

    def _expectation(
        self,
        test: DqTestDefinitionSpec,
        target: Target,
        context: RenderContext,
        given: Mapping[str, Any],
    ) -> Expectation | str:
        """The SQL of a test, or why there is none."""
        from dli.specs.expectation import TestText, expectation
        from dli.specs.quality import read_sql_file
        from dli.specs.quality_rule import test_problems

        if problems := list(test_problems(test)):
            return "; ".join(problems)
        defaults = {k: v for k, v in self._context.parameters.items() if k in test.params}
        asked = {k: v for k, v in given.items() if k in test.params}
        try:
            root = self._folder if self._project is None else self._project.root
            sql = read_sql_file(self._folder, root, test.file) if test.file else None
            values = {**test.params, **defaults, **asked}
            return expectation(test, target, TestText(context, values, asked, sql))
        except DLIValidationError as error:
            return error.message

    def _require_target(self, reader: Reader, target: Target) -> None:
        """A table that is neither of the project nor in the warehouse is a mistake in the name."""
        if target.query is not None or reader.session.dialect is None:
            return
        if self._project is not None and target.name in self._project.names:
            return
        from dli.warehouse.failure import is_missing_table

        try:
            reader.rows(f"SELECT 1 FROM {target.relation} LIMIT 0")  # noqa: S608 - quoted
        except ExecutionError as error:
            if is_missing_table(error):
                message = "The table under test is neither in the project nor in the warehouse"
                urn = self._spec.target_urn
                raise QualityTargetNotFoundError(message, target_urn=urn) from error
            raise


def _names(metric: MetricSpec | None) -> set[str]:
    declared = () if metric is None else metric.parameters
    return {parameter.name for parameter in declared}.union(_DATES)


def _check_parameters(
    tests: Sequence[DqTestDefinitionSpec], metric: MetricSpec | None, given: Mapping[str, Any]
) -> None:
    known = {name for test in tests for name in test.params} | _names(metric)
    if not known.issuperset(given):
        listed = ", ".join(sorted(known.difference(_DATES))) or "none"
        raise DLIValidationError(
            f"undeclared parameter; declared: {listed}", ErrorCode.PARAMETER_INVALID
        )


def entry(
    test: DqTestDefinitionSpec, spec: QualitySpec, status: DqStatus, **fields: Any
) -> dict[str, Any]:
    """One of `test_results`: JSON values only. A disabled test is never run."""
    result = DqTestResult(
        test_name=test.name,
        resource_name=spec.target.name,
        status=status if test.enabled else DqStatus.SKIPPED,
        **(fields if test.enabled else {}),
    )
    found = asdict(result)
    found["executed_at"] = result.executed_at.isoformat()
    found["status"] = result.status.value
    return {**found, "test_type": test.type.value, "severity": test.severity.value}


def _entry_of(
    test: DqTestDefinitionSpec, spec: QualitySpec, expected: Expectation, finding: Finding
) -> dict[str, Any]:
    status = DqStatus.PASS
    if finding.error is not None:
        status = DqStatus.ERROR
    elif finding.failed_rows:
        status = DqStatus.WARN if test.severity is DqSeverity.WARN else DqStatus.FAIL
    return entry(
        test,
        spec,
        status,
        failed_rows=finding.failed_rows,
        failed_samples=finding.samples,
        execution_time_ms=finding.duration_ms,
        error_message=finding.error,
        rendered_sql=expected.failing,
    )
