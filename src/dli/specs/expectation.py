"""What quality tests expect of their target, as SQL."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from dli.models.dq import DqTestType
from dli.models.quality import DqTestDefinitionSpec
from dli.specs.literal import Writer
from dli.specs.origin import Origin
from dli.specs.statement import Slot, render_slot
from dli.specs.template import RenderContext

__all__ = ["Expectation", "Target", "TestText", "bare_query", "expectation", "scan"]

_ROWS = "t"
_CONTAINS = {
    "trino": "CONTAINS(ARRAY[{values}], {column})",
    "duckdb": "LIST_CONTAINS([{values}], {column})",
    "spark": "ARRAY_CONTAINS(ARRAY({values}), {column})",
}
_STRING_TYPE = {"bigquery": "STRING", "spark": "STRING"}


@dataclass(frozen=True, slots=True)
class Target:
    """What is tested: the table of this name, or `query`, the bare SQL of a metric.

    `casts_values`: the engine does not compare a column of numbers with texts by itself.
    """

    name: str
    dialect: str
    query: str | None = None
    casts_values: bool = False

    @property
    def relation(self) -> str:
        """What stands behind FROM."""
        source = self.quoted(self.name) if self.query is None else f"({self.query})"
        return f"{source} {_ROWS}"

    def quoted(self, name: str) -> str:
        writer = Writer(self.dialect)
        return ".".join(writer.identifier(part) for part in name.split("."))

    def column(self, name: str, of: str = _ROWS) -> str:
        return f"{of}.{self.quoted(name)}"


@dataclass(frozen=True, slots=True)
class Expectation:
    """`failing` is the query of the failing rows.

    `tally` counts the same rows as an aggregate over the target, for tests that look at one row at
    a time: all of them can share one scan. `text_tally` does so for a column of texts only, and
    several times as fast: an engine asks it once per different text of a block.

    `spoken` gives the same in another dialect, with the tables that its query `reads`; both are
    None where some of the SQL comes with the test or with a metric.
    """

    failing: str
    tally: str | None = None
    text_tally: str | None = None
    reads: frozenset[str] | None = None
    spoken: "Callable[[str], Expectation] | None" = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class TestText:
    """What fills in the SQL that a test brings along."""

    __test__ = False

    context: RenderContext
    values: Mapping[str, Any]
    given: Mapping[str, Any]
    sql: str | None = None


def expectation(test: DqTestDefinitionSpec, target: Target, text: TestText) -> Expectation:
    """The SQL of one test in the dialect of the target.

    Raises: DLIValidationError DLI-203, 202 for SQL of the test that cannot be used.
    """
    if test.type is DqTestType.SINGULAR:
        return Expectation(_rendered(test.sql or text.sql or "", "sql", target, text))
    if test.values_query and test.type is DqTestType.ACCEPTED_VALUES:
        return _queried_values(
            test, target, _rendered(test.values_query, "values_query", target, text)
        )
    expected = _BUILDERS[test.type](test, target)
    if target.query is not None:
        return expected
    return replace(expected, spoken=partial(_spoken, test, target))


def _spoken(test: DqTestDefinitionSpec, target: Target, dialect: str) -> Expectation:
    others = {test.to} if test.to and test.type is DqTestType.RELATIONSHIPS else set[str]()
    expected = _BUILDERS[test.type](test, replace(target, dialect=dialect))
    return replace(expected, reads=frozenset({target.name, *others}))


def bare_query(sql: str, dialect: str) -> str:
    """The query without comments and semicolon, for it is to stand in parentheses."""
    from dli.specs.sql import check_statement

    return check_statement(sql, dialect, only_query=True).sql(dialect=dialect, comments=False)


def scan(target: Target, tallies: Sequence[str]) -> str:
    """One query that gives all of these counts at once."""
    columns = ", ".join(f"{tally} AS c{number}" for number, tally in enumerate(tallies))
    return f"SELECT {columns} FROM {target.relation}"


def _rows_where(condition: str, target: Target, text_condition: str | None = None) -> Expectation:
    failing = f"SELECT * FROM {target.relation} WHERE {condition}"
    text_tally = None if text_condition is None else _count_if(text_condition)
    return Expectation(failing, _count_if(condition), text_tally)


def _count_if(condition: str) -> str:
    return f"COUNT(CASE WHEN {condition} THEN 1 END)"


def _not_null(test: DqTestDefinitionSpec, target: Target) -> Expectation:
    columns = [target.column(name) for name in _columns(test)]
    expected = _rows_where(" OR ".join(f"{column} IS NULL" for column in columns), target)
    # Engines know how many values a column has, often without reading them.
    return (
        expected if len(columns) > 1 else replace(expected, tally=f"COUNT(*) - COUNT({columns[0]})")
    )


def _unique(test: DqTestDefinitionSpec, target: Target) -> Expectation:
    columns = ", ".join(target.column(name) for name in _columns(test))
    return Expectation(
        f"SELECT {columns}, COUNT(*) AS duplicates FROM {target.relation} "
        f"GROUP BY {columns} HAVING COUNT(*) > 1"
    )


def _accepted_values(test: DqTestDefinitionSpec, target: Target) -> Expectation:
    column = target.column(test.column or "")
    values = _listed(test, target)
    text_condition = None
    if target.dialect in _CONTAINS:
        text_condition = f"NOT {_CONTAINS[target.dialect].format(values=values, column=column)}"
    return _rows_where(_not_accepted(test, target), target, text_condition)


def _queried_values(test: DqTestDefinitionSpec, target: Target, known: str) -> Expectation:
    column = target.column(test.column or "")
    condition = f"{column} IS NOT NULL"
    if test.values:
        condition = _not_accepted(test, target)
    return Expectation(
        f"SELECT * FROM {target.relation} WHERE {condition} "
        f"AND NOT EXISTS (SELECT 1 FROM ({known}) AS v(value) WHERE v.value = {column})"
    )


def _not_accepted(test: DqTestDefinitionSpec, target: Target) -> str:
    column = target.column(test.column or "")
    kind = _STRING_TYPE.get(target.dialect, "VARCHAR")
    compared = f"CAST({column} AS {kind})" if target.casts_values else column
    return f"{column} IS NOT NULL AND {compared} NOT IN ({_listed(test, target)})"


def _listed(test: DqTestDefinitionSpec, target: Target) -> str:
    return ", ".join(map(Writer(target.dialect).string, test.values or ()))


def _relationships(test: DqTestDefinitionSpec, target: Target) -> Expectation:
    column = target.column(test.column or "")
    other = target.column(test.to_column or "", "r")
    return Expectation(
        f"SELECT * FROM {target.relation} WHERE {column} IS NOT NULL AND NOT EXISTS "
        f"(SELECT 1 FROM {target.quoted(test.to or '')} r WHERE {other} = {column})"
    )


def _range_check(test: DqTestDefinitionSpec, target: Target) -> Expectation:
    return _rows_where(_outside(target.column(test.column or ""), test), target)


def _row_count(test: DqTestDefinitionSpec, target: Target) -> Expectation:
    outside = _outside("COUNT(*)", test)
    counted = f"SELECT COUNT(*) AS row_count FROM {target.relation}"
    return Expectation(
        f"SELECT row_count FROM ({counted}) n WHERE {_outside('n.row_count', test)}",
        f"CASE WHEN {outside} THEN 1 ELSE 0 END",
    )


_BUILDERS: dict[DqTestType, Callable[[DqTestDefinitionSpec, Target], Expectation]] = {
    DqTestType.NOT_NULL: _not_null,
    DqTestType.UNIQUE: _unique,
    DqTestType.ACCEPTED_VALUES: _accepted_values,
    DqTestType.RELATIONSHIPS: _relationships,
    DqTestType.RANGE_CHECK: _range_check,
    DqTestType.ROW_COUNT: _row_count,
}


def _columns(test: DqTestDefinitionSpec) -> list[str]:
    return test.columns or [test.column or ""]


def _outside(value: str, test: DqTestDefinitionSpec) -> str:
    bounds = [(test.min, "<"), (test.max, ">")]
    checks = [f"{value} {sign} {bound}" for bound, sign in bounds if bound is not None]
    return " OR ".join(checks) or "1 = 0"


def _rendered(sql: str, key: str, target: Target, text: TestText) -> str:
    """The query of a test, filled in; where it reads a metric, it reads the metric's SQL."""
    slot = Slot("main", None, sql, (key,), Origin(key), only_query=True)
    values = {**text.values, "target": target.name}
    rendered = render_slot(slot, text.context, values, text.given, target.dialect).sql
    if target.query is None:
        return bare_query(rendered, target.dialect)
    from sqlglot import exp

    from dli.specs.sql import check_statement

    query = check_statement(rendered, target.dialect).copy()
    inner = check_statement(target.query, target.dialect)
    for table in list(query.find_all(exp.Table)):
        if ".".join(part.name for part in table.parts) == target.name:
            assert isinstance(inner, exp.Query)
            table.replace(inner.copy().subquery(table.alias or _ROWS, copy=False))
    return query.sql(dialect=target.dialect, comments=False)
