"""The SQL templates of a spec, and the one checked statement that each of them becomes."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple

from dli.models.dataset import DatasetSpec
from dli.models.metric import MetricSpec
from dli.models.spec import StatementDefinition
from dli.specs.document import Place
from dli.specs.origin import Origin
from dli.specs.parameter import bind, requested_date
from dli.specs.refusal import refused
from dli.specs.template import RenderContext, builtin_values, render

__all__ = [
    "Phase",
    "Slot",
    "Statement",
    "dated",
    "main_sql",
    "render_slot",
    "render_spec",
    "slots",
]

Phase = Literal["pre", "main", "post", "quality"]


@dataclass(frozen=True, slots=True)
class Statement:
    """Ready SQL in the dialect of the spec."""

    phase: Phase
    name: str | None
    sql: str
    continue_on_error: bool = False


def main_sql(statements: Sequence[Statement]) -> str:
    """The SQL of the main statement, which every run has."""
    return next(statement.sql for statement in statements if statement.phase == "main")


class Slot(NamedTuple):
    """One SQL template: what it is for, its text, and where that comes from."""

    phase: Phase
    name: str | None
    text: str
    place: Place
    origin: Origin
    continue_on_error: bool = False
    only_query: bool = False


def slots(spec: DatasetSpec | MetricSpec) -> Iterator[Slot]:
    """The templates of a spec in the order of their execution.

    Raises: DLIValidationError DLI-203 for SQL in a file.
    """
    if isinstance(spec, DatasetSpec):
        yield from _around("pre", "pre_statements", spec.pre_statements)
    if spec.query_statement is not None:
        yield Slot(
            "main",
            None,
            spec.query_statement,
            ("query_statement",),
            Origin("main statement"),
            only_query=isinstance(spec, MetricSpec),
        )
    if isinstance(spec, DatasetSpec):
        yield from _around("post", "post_statements", spec.post_statements)


def _around(phase: Phase, key: str, statements: list[StatementDefinition]) -> Iterator[Slot]:
    for number, statement in enumerate(statements):
        if statement.sql is None:
            raise refused(f"{key}: the SQL of '{statement.name}' is not inlined")
        origin = Origin(f"{phase} statement '{statement.name}'")
        place = (key, number, "sql")
        yield Slot(phase, statement.name, statement.sql, place, origin, statement.continue_on_error)


def render_spec(
    spec: DatasetSpec | MetricSpec, context: RenderContext, parameters: Mapping[str, Any] | None
) -> list[Statement]:
    """The statements of one run in order, of a spec that carries its SQL itself.

    `ds` or `execution_date` among the parameters move the run to that day.
    Raises: DLIValidationError 204 (parameters), 203 (template, kind or number of statements, values
    that change the structure of the SQL), 202 (syntax), with the part of the spec and the line.
    """
    if spec.query_statement is None:
        raise refused("the spec has no query_statement; it cannot run")
    given = parameters or {}
    context = dated(context, given)
    values = bind(spec.parameters, given, builtin_values(context))
    dialect = spec.execution.dialect
    return [render_slot(slot, context, values, given, dialect) for slot in slots(spec)]


def dated(context: RenderContext, given: Mapping[str, Any]) -> RenderContext:
    """The context of the day that `ds` or `execution_date` ask for, if they do.

    Raises: DLIValidationError 204.
    """
    day = requested_date(given)
    if day is None or day == context.logical_date:
        return context
    return replace(context, logical_date=day, interval=None)


def render_slot(
    slot: Slot,
    context: RenderContext,
    values: Mapping[str, Any],
    given: Mapping[str, Any],
    dialect: str,
) -> Statement:
    """One template filled in with `values`; those of the names in `given` come from a caller.

    Raises: DLIValidationError 202, 203.
    """
    from dli.specs.probe import probes_for, same_structure
    from dli.specs.sql import check_statement

    sql = render(slot.text, context, values, dialect=dialect, origin=slot.origin)
    check_statement(sql, dialect, origin=slot.origin, only_query=slot.only_query)
    asked = {name: value for name, value in values.items() if name in given}
    if probes := probes_for(asked, slot.text):
        harmless = {**values, **probes}
        probe_sql = render(slot.text, context, harmless, dialect=dialect, origin=slot.origin)
        if not same_structure(sql, probe_sql, dialect, {name: asked[name] for name in probes}):
            raise refused(
                f"{slot.origin}: the values of {', '.join(probes)} would change the structure of "
                "the SQL; write them with the filter sql_string or sql_list"
            )
    return Statement(slot.phase, slot.name, sql, slot.continue_on_error)
