"""A dataset spec and the values of a run turned into the statements to execute."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple

from dli.exceptions import DLIValidationError, ErrorCode
from dli.models.dataset import DatasetSpec
from dli.models.metric import MetricSpec
from dli.models.spec import StatementDefinition
from dli.specs.document import Place
from dli.specs.origin import Origin
from dli.specs.parameter import bind, requested_date
from dli.specs.probe import probes_for, same_structure
from dli.specs.sql import check_statement
from dli.specs.template import RenderContext, builtin_values, render

__all__ = ["Phase", "Slot", "Statement", "render_dataset", "slots"]

Phase = Literal["pre", "main", "post"]


@dataclass(frozen=True, slots=True)
class Statement:
    """Ready SQL in the dialect of the spec."""

    phase: Phase
    name: str | None
    sql: str
    continue_on_error: bool = False


class Slot(NamedTuple):
    """One SQL template of a spec: where it stands there, and its text once inlined."""

    phase: Phase
    name: str | None
    place: Place
    text: str
    continue_on_error: bool = False

    @property
    def origin(self) -> Origin:
        return Origin(f"{self.phase} statement" + (f" '{self.name}'" if self.name else ""))


def render_dataset(
    spec: DatasetSpec, context: RenderContext, parameters: Mapping[str, Any] | None = None
) -> list[Statement]:
    """The statements of one run in order, of a spec that carries its SQL itself.

    `ds` or `execution_date` among the parameters move the run to that day.
    Raises: DLIValidationError 204 (parameters), 203 (template, kind or number of statements, values
    that change the structure of the SQL), 202 (syntax), with the part of the spec and the line.
    """
    if spec.query_statement is None:
        raise _invalid("the spec has no query_statement; it cannot run")
    given = parameters or {}
    day = requested_date(given)
    if day is not None and day != context.logical_date:
        context = replace(context, logical_date=day, interval=None)
    values = bind(spec.parameters, given, builtin_values(context))
    asked = {name: value for name, value in values.items() if name in given}
    return [_rendered(slot, context, values, asked, spec.execution.dialect) for slot in slots(spec)]


def _rendered(
    slot: Slot,
    context: RenderContext,
    values: dict[str, Any],
    asked: dict[str, Any],
    dialect: str,
) -> Statement:
    sql = render(slot.text, context, values, dialect=dialect, origin=slot.origin)
    check_statement(sql, dialect, origin=slot.origin)
    if probes := probes_for(asked, slot.text):
        values = {**values, **probes}
        probe_sql = render(slot.text, context, values, dialect=dialect, origin=slot.origin)
        if not same_structure(sql, probe_sql, dialect, {name: asked[name] for name in probes}):
            names = ", ".join(probes)
            raise _invalid(
                f"{slot.origin}: the values of {names} would change the structure of the SQL; "
                "write them with the filter sql_string or sql_list",
            )
    return Statement(slot.phase, slot.name, sql, slot.continue_on_error)


def slots(spec: DatasetSpec | MetricSpec) -> Iterator[Slot]:
    """The SQL templates of a spec in the order of their execution.

    Raises: DLIValidationError DLI-203 for SQL in a file.
    """
    if isinstance(spec, DatasetSpec):
        yield from _around("pre", "pre_statements", spec.pre_statements)
    if spec.query_statement is not None:
        yield Slot("main", None, ("query_statement",), spec.query_statement)
    if isinstance(spec, DatasetSpec):
        yield from _around("post", "post_statements", spec.post_statements)


def _around(phase: Phase, key: str, statements: list[StatementDefinition]) -> Iterator[Slot]:
    for number, statement in enumerate(statements):
        if statement.sql is None:
            raise _invalid(f"{key}: the SQL of '{statement.name}' is not inlined")
        place = (key, number, "sql")
        yield Slot(phase, statement.name, place, statement.sql, statement.continue_on_error)


def _invalid(message: str) -> DLIValidationError:
    return DLIValidationError(message, code=ErrorCode.SPEC_INVALID, errors=[message])
