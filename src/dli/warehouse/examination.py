"""One run of the tests of a quality spec on a warehouse."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

from dli.exceptions import (
    DLIValidationError,
    ErrorCode,
    ExecutionError,
    QualityTargetNotFoundError,
)
from dli.models.dq import DqStatus
from dli.models.dq_entry import entry
from dli.models.metric import MetricSpec
from dli.models.quality import QualityTargetType
from dli.specs.expectation import Expectation, Target, TestText, bare_query, expectation
from dli.specs.metric import render_metric
from dli.specs.parameter import requested_date
from dli.specs.quality_rule import test_problems
from dli.specs.refusal import refused
from dli.warehouse.failure import is_missing_table
from dli.warehouse.quality import examine

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from dli.models.dataset import DatasetSpec
    from dli.models.quality import DqTestDefinitionSpec, QualitySpec
    from dli.specs.template import RenderContext
    from dli.warehouse.quality import Finding
    from dli.warehouse.reader import Reader

__all__ = ["Examination", "Surroundings"]

_DATES = ("ds", "execution_date")


def _no_file(_file: str) -> str:
    raise refused("file: the SQL is not inlined")


@dataclass(frozen=True)
class Surroundings:
    """What is around the tests: where they run, and what is known of their target.

    `target` is the spec of the target with its SQL inside; `dialect` is that of a table without
    one. `is_known`: such a table may be missing, for it is of the project all the same. `defaults`
    are values for parameters that are not given. `casts_values`: see `Target`.
    """

    context: RenderContext
    dialect: str
    target: DatasetSpec | MetricSpec | None = None
    is_known: bool = False
    defaults: Mapping[str, Any] = field(default_factory=dict)
    read_file: Callable[[str], str] = _no_file
    casts_values: bool = False
    executed_on: Literal["local", "server"] = "local"


class Examination:
    """The tests with their SQL, for one set of parameters."""

    def __init__(
        self,
        spec: QualitySpec,
        tests: Sequence[DqTestDefinitionSpec],
        given: Mapping[str, Any],
        around: Surroundings,
    ) -> None:
        """Render what the enabled tests need.

        Raises: QualityTargetNotFoundError 603; DLIValidationError 204 for parameters that neither
        the tests nor the metric declare, 202-204 for a metric whose SQL cannot be rendered.
        """
        self._spec = spec
        self._tests = tests
        self._given = given
        self._around = around
        metric = self._metric()
        _check_parameters(tests, metric, given)
        day = requested_date(given)
        context = around.context if day is None else replace(around.context, logical_date=day)
        self._target = self._made_target(metric, context)
        self._wanted = {
            test.name: self._expectation(test, context) for test in tests if test.enabled
        }

    @property
    def dialect(self) -> str:
        """That of the SQL of the tests."""
        return self._target.dialect

    def results(self, reader: Reader, *, fail_fast: bool) -> list[dict[str, Any]]:
        """One entry per test, in order. Disabled tests, and with `fail_fast` those after the first
        failure, are `skipped`.

        Raises: QualityTargetNotFoundError 603; ExecutionError 401-403.
        """
        self._require_target(reader)
        return list(self._entries(reader, fail_fast=fail_fast))

    def _entries(self, reader: Reader, *, fail_fast: bool) -> Iterator[dict[str, Any]]:
        usable = [one for one in self._wanted.values() if not isinstance(one, str)]
        findings = examine(reader, self._target, usable)
        is_over = False
        for test in self._tests:
            expected = self._wanted.get(test.name)
            if is_over or expected is None:
                yield self._entry(test, DqStatus.SKIPPED)
                continue
            if isinstance(expected, str):
                found = self._entry(test, DqStatus.ERROR, error_message=expected)
            else:
                found = self._entry_of(test, expected, next(findings))
            is_over = fail_fast and found["status"] in (DqStatus.FAIL, DqStatus.ERROR)
            yield found

    def _entry(self, test: DqTestDefinitionSpec, status: DqStatus, **fields: Any) -> dict[str, Any]:
        return entry(test, self._spec, status, executed_on=self._around.executed_on, **fields)

    def _entry_of(
        self, test: DqTestDefinitionSpec, expected: Expectation, finding: Finding
    ) -> dict[str, Any]:
        return self._entry(
            test,
            finding.status(test.severity),
            failed_rows=finding.failed_rows,
            failed_samples=finding.samples,
            execution_time_ms=finding.duration_ms,
            error_message=finding.error,
            rendered_sql=expected.failing,
        )

    def _metric(self) -> MetricSpec | None:
        """The metric under test, None for a table."""
        if self._spec.target.type is not QualityTargetType.METRIC:
            return None
        if isinstance(self._around.target, MetricSpec):
            return self._around.target
        message = "The metric under test is not known"
        raise QualityTargetNotFoundError(message, target_urn=self._spec.target_urn)

    def _made_target(self, metric: MetricSpec | None, context: RenderContext) -> Target:
        """The table or metric under test, in the dialect of its spec."""
        around, name = self._around, self._spec.target.name
        if metric is None:
            dialect = around.dialect if around.target is None else around.target.execution.dialect
            return Target(name, dialect, casts_values=around.casts_values)
        values = {**around.defaults, **self._given}
        asked = {key: values[key] for key in _names(metric) & values.keys()}
        dialect = metric.execution.dialect
        query = bare_query(render_metric(metric, context, asked), dialect)
        return Target(name, dialect, query, casts_values=around.casts_values)

    def _expectation(self, test: DqTestDefinitionSpec, context: RenderContext) -> Expectation | str:
        """The SQL of a test, or why there is none."""
        if problems := list(test_problems(test)):
            return "; ".join(problems)
        defaults = {k: v for k, v in self._around.defaults.items() if k in test.params}
        asked = {k: v for k, v in self._given.items() if k in test.params}
        try:
            sql = self._around.read_file(test.file) if test.file else None
            values = {**test.params, **defaults, **asked}
            return expectation(test, self._target, TestText(context, values, asked, sql))
        except DLIValidationError as error:
            return error.message

    def _require_target(self, reader: Reader) -> None:
        """A table that is neither known nor in the warehouse is a mistake in the name."""
        if self._target.query is not None or reader.session.dialect is None:
            return
        if self._around.is_known:
            return
        target = replace(self._target, dialect=reader.session.dialect)
        sql = f"SELECT 1 FROM {target.relation} LIMIT 0"  # noqa: S608 - quoted
        try:
            reader.rows(sql, reads=frozenset({target.name}))
        except ExecutionError as error:
            if not is_missing_table(error):
                raise
            message = "The table under test is neither in the project nor in the warehouse"
            urn = self._spec.target_urn
            raise QualityTargetNotFoundError(message, target_urn=urn) from error


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
