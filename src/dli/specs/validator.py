"""Everything that can be found wrong with a spec of a project without running it."""

import os
from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from dli.exceptions import DLIError, DLIValidationError, ErrorCode
from dli.models.common import ValidationResult
from dli.models.dataset import DatasetSpec
from dli.models.metric import MetricSpec
from dli.specs.document import Place
from dli.specs.gate import render_gate
from dli.specs.measure import broken_measures
from dli.specs.origin import Origin
from dli.specs.parameter import bind, requested_date, samples
from dli.specs.project import Project
from dli.specs.sql import check_statement
from dli.specs.statement import Slot, render_slot, slots
from dli.specs.template import RenderContext, builtin_values, render

__all__ = [
    "Examination",
    "examine",
    "require_valid_dataset",
    "validate_dataset",
    "validate_metric",
]


def validate_dataset(
    project: Project,
    name: str,
    *,
    parameters: Mapping[str, Any] | None = None,
    strict: bool = False,
    check_deps: bool = False,
) -> ValidationResult:
    """Check spec, parameters, templates and SQL; what it finds it tells, and never raises.

    Without `parameters` samples stand in for required ones. `strict` makes errors of warnings.
    With `check_deps` every `depends_on` and `ref` must be a spec or source of the project, and
    nothing may need itself.
    """
    check = _Check(project, parameters)
    check.run(project.dataset, name, check_deps=check_deps)
    return check.result(strict=strict)


def validate_metric(
    project: Project,
    name: str,
    *,
    parameters: Mapping[str, Any] | None = None,
    strict: bool = False,
    check_deps: bool = False,
) -> ValidationResult:
    """As `validate_dataset`, for a metric: its SQL only reads."""
    check = _Check(project, parameters)
    check.run(project.metric, name, check_deps=check_deps)
    return check.result(strict=strict)


@dataclass(frozen=True)
class Examination:
    """The findings about one spec, and what beside its files they depend on: whether the names that
    its templates asked for are known, and the environment variables that they read.
    """

    errors: list[str]
    warnings: list[str]
    asked: dict[str, bool]
    variables: list[str]


def examine(project: Project, name: str, *, check_deps: bool = False) -> Examination:
    """As `validate_dataset` and `validate_metric`, for a usable spec of whatever kind."""
    check = _Check(project, None)
    check.run(lambda name: project.file(name).spec, name, check_deps=check_deps)
    asked = {name: name in project.names for name in check.names.asked}
    return Examination(check.errors, check.warnings, asked, sorted(check.variables.asked))


def require_valid_dataset(project: Project, name: str) -> None:
    """Nothing for a dataset that `validate_dataset` finds valid.

    Raises: DLIValidationError with every finding and the code of the first one; other `DLIError`
    of a project that does not hold this dataset.
    """
    check = _Check(project, None)
    project.dataset(name)
    check.run(project.dataset, name, check_deps=False)
    if check.errors:
        code = check.code or ErrorCode.SPEC_INVALID
        raise DLIValidationError(check.errors[0], code=code, errors=check.errors)


class _AskedNames(Container[str]):
    """The known names, and which of all names templates asked for."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self.asked: list[str] = []

    def __contains__(self, name: object) -> bool:
        self.asked.append(str(name))
        return name in self._project.names


class _AskedVariables(Mapping[str, str]):
    """The environment, and which variables templates asked for."""

    def __init__(self) -> None:
        self.asked = set[str]()

    def __getitem__(self, name: str) -> str:
        self.asked.add(name)
        return os.environ[name]

    def __iter__(self) -> Iterator[str]:
        return iter(os.environ)

    def __len__(self) -> int:
        return len(os.environ)


@dataclass
class _Check:
    project: Project
    given: Mapping[str, Any] | None
    errors: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    code: ErrorCode | None = None

    def __post_init__(self) -> None:
        self.names = _AskedNames(self.project)
        self.variables = _AskedVariables()

    def result(self, *, strict: bool) -> ValidationResult:
        errors = self.errors + (self.warnings if strict else [])
        return ValidationResult(valid=not errors, errors=errors, warnings=self.warnings)

    def run(
        self,
        find: Callable[[str], DatasetSpec | MetricSpec],
        name: str,
        *,
        check_deps: bool,
    ) -> None:
        try:
            spec = find(name)
            self.warnings += self.project.file(name).warnings
            bundle = self.project.bundled(spec)
        except DLIValidationError as error:
            self._take(error, error.errors or [error.message])
            return
        except DLIError as error:
            self.errors.append(str(error))
            return
        if spec.query_statement is None and spec.query_file is None:
            place = self._at(spec, ())
            self.warnings.append(f"{place}: no query_statement or query_file; it cannot run")
        try:
            context, values = self._context(bundle)
        except DLIValidationError as error:
            place = self._at(spec, ("parameters",))
            self._take(error, [f"{place}: {text}" for text in error.errors])
            return
        for slot in slots(bundle):
            placed = slot._replace(origin=self._origin(spec, slot))
            self._check_slot(placed, context, values, spec.execution.dialect)
        if isinstance(bundle, DatasetSpec):
            self._check_gate(bundle, context)
        if isinstance(spec, MetricSpec):
            self.errors += [f"{self._at(spec, at)}: {text}" for at, text in broken_measures(spec)]
        if check_deps:
            self._check_names(spec, self.names.asked)

    def _at(self, spec: DatasetSpec | MetricSpec, place: Place) -> str:
        return self.project.file(spec.name).document.at(place)

    def _context(self, spec: DatasetSpec | MetricSpec) -> tuple[RenderContext, dict[str, Any]]:
        given = self.given
        if given is None:
            given = samples(spec.parameters)
        context = RenderContext(
            logical_date=requested_date(given) or datetime.now(UTC).date(),
            variables=self.project.variables,
            allowed_env=self.variables,
            known_names=self.names,
        )
        return context, bind(spec.parameters, given, builtin_values(context))

    def _check_slot(
        self, slot: Slot, context: RenderContext, values: Mapping[str, Any], dialect: str
    ) -> None:
        try:
            render_slot(slot, context, values, self.given or {}, dialect)
        except DLIValidationError as error:
            found = _in_kept_lines(slot, context, values, dialect) or error
            self._take(found, found.errors)

    def _check_gate(self, spec: DatasetSpec, context: RenderContext) -> None:
        gate = render_gate(spec, context)
        if gate is None:
            return
        place = self._at(spec, ("quality",))
        self.errors += [f"{place}: {problem}" for problem in gate.problems()]
        if not any(test.is_decisive for test in gate.tests):
            message = "quality: gate: no quality file has a test of severity error for it"
            self.warnings.append(f"{place}: {message}")

    def _take(self, error: DLIValidationError, texts: list[str]) -> None:
        self.errors += texts
        self.code = self.code or error.code

    def _origin(self, spec: DatasetSpec | MetricSpec, slot: Slot) -> Origin:
        """The SQL file, or the place in the spec file where the text begins."""
        file = spec.query_file
        if slot.phase != "main" and isinstance(spec, DatasetSpec):
            around = spec.pre_statements if slot.phase == "pre" else spec.post_statements
            file = around[int(slot.place[1])].file
        if file is not None:
            return Origin(self.project.sql_label(spec, file))
        document = self.project.file(spec.name).document
        return Origin(document.label, document.text_line(slot.place))

    def _check_names(self, spec: DatasetSpec | MetricSpec, refs: list[str]) -> None:
        for number, name in enumerate(spec.depends_on):
            if name not in self.project.names:
                place = self._at(spec, ("depends_on", number))
                self.errors.append(f"{place}: depends_on: '{name}' is not in the project")
        for name in dict.fromkeys(refs):
            if name not in self.project.names:
                self.errors.append(f"{self._at(spec, ())}: ref: '{name}' is not in the project")
        circle = self.project.graph.circle
        if spec.name in circle:
            place = self._at(spec, ("depends_on",))
            self.errors.append(f"{place}: depends_on: {' -> '.join(circle)} is a circle")


def _in_kept_lines(
    slot: Slot, context: RenderContext, values: Mapping[str, Any], dialect: str
) -> DLIValidationError | None:
    """The same error with the line of the template, not of the shorter text it became."""
    origin = slot.origin
    try:
        sql = render(slot.text, context, values, dialect=dialect, keep_lines=True, origin=origin)
        check_statement(sql, dialect, origin=origin, only_query=slot.only_query)
    except DLIValidationError as error:
        return error
    return None
