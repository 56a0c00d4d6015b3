"""The quality gate of a dataset: the tests that decide whether a run of it counts."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from dli.exceptions import DLIValidationError
from dli.models.dataset import DatasetSpec
from dli.models.dq import DqSeverity
from dli.models.quality import DqTestDefinitionSpec
from dli.specs.expectation import Expectation, Target, TestText, expectation
from dli.specs.quality_rule import test_problems
from dli.specs.refusal import refused
from dli.specs.statement import Statement, dated
from dli.specs.template import RenderContext

__all__ = ["Gate", "GateTest", "render_gate"]


@dataclass(frozen=True, slots=True)
class GateTest:
    """A test with its SQL, or with the reason why there is none."""

    definition: DqTestDefinitionSpec
    expected: Expectation | str

    @property
    def is_decisive(self) -> bool:
        """Whether a failure fails the run; the others only warn."""
        return self.definition.severity is DqSeverity.ERROR


@dataclass(frozen=True, slots=True)
class Gate:
    """The enabled tests of one run, in the order of the spec."""

    target: Target
    tests: tuple[GateTest, ...]

    def problems(self) -> Iterator[str]:
        """Why tests have no SQL."""
        for test in self.tests:
            if isinstance(test.expected, str):
                yield f"quality: test '{test.definition.name}': {test.expected}"

    def statements(self) -> list[Statement]:
        """The queries of failing rows; those of tests that only warn may fail."""
        return [
            Statement("quality", test.definition.name, test.expected.failing, not test.is_decisive)
            for test in self.tests
            if isinstance(test.expected, Expectation)
        ]

    def checked_statements(self) -> list[Statement]:
        """As `statements`. Raises: DLIValidationError DLI-203 for a test without SQL."""
        for problem in self.problems():
            raise refused(problem)
        return self.statements()


def render_gate(
    spec: DatasetSpec, context: RenderContext, parameters: Mapping[str, Any] | None = None
) -> Gate | None:
    """The gate of one run of a bundled spec; None when it has none.

    Tests see the day and interval of the run, and their own `params`.
    Raises: DLIValidationError DLI-204 for a date that is none.
    """
    if spec.quality is None or not spec.quality.gate:
        return None
    target = Target(spec.name, spec.execution.dialect)
    context = dated(context, parameters or {})
    enabled = (test for test in spec.quality.tests if test.enabled)
    tests = tuple(GateTest(test, _expected(test, target, context)) for test in enabled)
    return Gate(target, tests)


def _expected(
    test: DqTestDefinitionSpec, target: Target, context: RenderContext
) -> Expectation | str:
    if problems := list(test_problems(test)):
        return "; ".join(problems)
    try:
        return expectation(test, target, TestText(context, test.params, {}))
    except DLIValidationError as error:
        return error.message
