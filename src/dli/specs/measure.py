"""The measures and dimensions of a metric, put together into one query over its SQL."""

from collections.abc import Callable, Iterator, Sequence
from difflib import get_close_matches
from typing import TypeVar

from sqlglot import Expr, exp

from dli.exceptions import DLIValidationError, ErrorCode
from dli.models.metric import (
    AggregationType,
    DimensionDefinition,
    MetricDefinition,
    MetricSpec,
)
from dli.specs.document import Place
from dli.specs.refusal import refused
from dli.specs.sql import check_statement, parse_script

__all__ = ["broken_measures", "measured"]

_BASE = "measured"

_AGGREGATES: dict[AggregationType, Callable[[Expr], Expr]] = {
    AggregationType.COUNT: lambda of: exp.Count(this=of),
    AggregationType.COUNT_DISTINCT: lambda of: exp.Count(this=exp.Distinct(expressions=[of])),
    AggregationType.SUM: lambda of: exp.Sum(this=of),
    AggregationType.AVG: lambda of: exp.Avg(this=of),
    AggregationType.MIN: lambda of: exp.Min(this=of),
    AggregationType.MAX: lambda of: exp.Max(this=of),
}

Definition = TypeVar("Definition", MetricDefinition, DimensionDefinition)


def measured(
    spec: MetricSpec, sql: str, *, by: Sequence[str] = (), metrics: Sequence[str] = ()
) -> str:
    """One query that gives `metrics` (all of them when none is named) for each value of `by`.

    `sql` is the rendered SQL of the spec; measures and dimensions are expressions over its columns.
    Raises: DLIValidationError DLI-204 for names that the spec does not declare, DLI-203 and 202 for
    expressions that are not SQL.
    """
    dialect = spec.execution.dialect
    dimensions = _named(spec.dimensions, by, "dimension")
    measures = _named(spec.metrics, metrics or [one.name for one in spec.metrics], "metric")
    if not measures:
        raise refused("the spec declares no metrics; it only has its SQL as it stands")
    query = exp.Select()
    for dimension in dimensions:
        expression = _expression(dimension.expression, dialect, f"dimensions: '{dimension.name}'")
        query = query.select(_as(expression, dimension.name), copy=False)
    for measure in measures:
        query = query.select(_as(_aggregate(measure, dialect), measure.name), copy=False)
    base = check_statement(sql, dialect, only_query=True).copy()
    assert isinstance(base, exp.Query)
    query = query.from_(base.subquery(_BASE, copy=False), copy=False)
    numbers = [exp.Literal.number(number + 1) for number in range(len(dimensions))]
    if numbers:
        query = query.group_by(*numbers, copy=False)
        query = query.order_by(*[number.copy() for number in numbers], copy=False)
    return query.sql(dialect=dialect)


def broken_measures(spec: MetricSpec) -> Iterator[tuple[Place, str]]:
    """What is wrong with the names and expressions of a metric, and where."""
    groups: list[tuple[str, Sequence[MetricDefinition | DimensionDefinition]]]
    groups = [("metrics", spec.metrics), ("dimensions", spec.dimensions)]
    for key, definitions in groups:
        seen = set[str]()
        for number, definition in enumerate(definitions):
            label = f"{key}: '{definition.name}'"
            if definition.name in seen:
                yield (key, number, "name"), f"{label} is declared twice"
            seen.add(definition.name)
            try:
                if isinstance(definition, MetricDefinition):
                    _aggregate(definition, spec.execution.dialect)
                else:
                    _expression(definition.expression, spec.execution.dialect, label)
            except DLIValidationError as error:
                yield (key, number), error.message


def _named(declared: Sequence[Definition], names: Sequence[str], noun: str) -> list[Definition]:
    known = {definition.name: definition for definition in declared}
    for name in names:
        if name not in known:
            close = get_close_matches(name, known, n=1)
            hint = (
                f"did you mean '{close[0]}'?" if close else f"it has {', '.join(known) or 'none'}"
            )
            message = f"the metric has no {noun} of this name; {hint}"
            raise DLIValidationError(message, ErrorCode.PARAMETER_INVALID)
    return [known[name] for name in dict.fromkeys(names)]


def _aggregate(measure: MetricDefinition, dialect: str) -> Expr:
    label = f"metrics: '{measure.name}'"
    is_star = measure.expression.strip() == "*"
    if is_star and measure.aggregation is not AggregationType.COUNT:
        raise refused(f"{label}: only count takes '*'")
    if not measure.filters:
        of = exp.Star() if is_star else _expression(measure.expression, dialect, label)
    else:
        # CASE, because not every dialect knows FILTER.
        value = (
            exp.Literal.number(1) if is_star else _expression(measure.expression, dialect, label)
        )
        filters = [_expression(text, dialect, label) for text in measure.filters]
        of = exp.Case().when(exp.and_(*filters), value)
    return _AGGREGATES[measure.aggregation](of)


def _as(expression: Expr, name: str) -> Expr:
    return exp.alias_(expression, name, quoted=True)


def _expression(text: str, dialect: str, label: str) -> Expr:
    """The one scalar expression of this text."""
    try:
        parsed = parse_script(f"SELECT {text}", dialect)
    except DLIValidationError:
        parsed = ()
    query = parsed[0] if len(parsed) == 1 else None
    if isinstance(query, exp.Select) and len(query.expressions) == 1:
        found: Expr = query.expressions[0]
        others = [key for key, value in query.args.items() if value and key != "expressions"]
        if not others and not isinstance(found, exp.Alias) and not found.is_star:
            return found.copy()
    raise refused(f"{label}: the expression is not one SQL expression")
