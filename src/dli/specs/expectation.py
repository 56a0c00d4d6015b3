"""What quality tests expect of their target, as SQL."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlglot import exp

from dli.models.dq import DqTestType
from dli.models.quality import DqTestDefinitionSpec
from dli.specs.literal import Writer
from dli.specs.origin import Origin
from dli.specs.sql import check_statement
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
    """

    failing: str
    tally: str | None = None
    text_tally: str | None = None


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
    return _BUILDERS[test.type](test, target, text)


def bare_query(sql: str, dialect: str) -> str:
    """The query without comments and semicolon, for it is to stand in parentheses."""
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


def _not_null(test: DqTestDefinitionSpec, target: Target, _text: TestText) -> Expectation:
    columns = [target.column(name) for name in _columns(test)]
    expected = _rows_where(" OR ".join(f"{column} IS NULL" for column in columns), target)
    # Engines know how many values a column has, often without reading them.
    return (
        expected if len(columns) > 1 else replace(expected, tally=f"COUNT(*) - COUNT({columns[0]})")
    )


def _unique(test: DqTestDefinitionSpec, target: Target, _text: TestText) -> Expectation:
    columns = ", ".join(target.column(name) for name in _columns(test))
    return Expectation(
        f"SELECT {columns}, COUNT(*) AS duplicates FROM {target.relation} "
        f"GROUP BY {columns} HAVING COUNT(*) > 1"
    )


def _accepted_values(test: DqTestDefinitionSpec, target: Target, text: TestText) -> Expectation:
    column = target.column(test.column or "")
    conditions = [f"{column} IS NOT NULL"]
    text_condition = None
    if test.values:
        writer = Writer(target.dialect)
        values = ", ".join(writer.string(value) for value in test.values)
        kind = _STRING_TYPE.get(target.dialect, "VARCHAR")
        compared = f"CAST({column} AS {kind})" if target.casts_values else column
        conditions.append(f"{compared} NOT IN ({values})")
        if target.dialect in _CONTAINS:
            contains = _CONTAINS[target.dialect].format(values=values, column=column)
            text_condition = f"NOT {contains}"
    if not test.values_query:
        return _rows_where(" AND ".join(conditions), target, text_condition)
    known = _rendered(test.values_query, "values_query", target, text)
    conditions.append(f"NOT EXISTS (SELECT 1 FROM ({known}) AS v(value) WHERE v.value = {column})")
    return Expectation(f"SELECT * FROM {target.relation} WHERE {' AND '.join(conditions)}")


def _relationships(test: DqTestDefinitionSpec, target: Target, _text: TestText) -> Expectation:
    column = target.column(test.column or "")
    other = target.column(test.to_column or "", "r")
    return Expectation(
        f"SELECT * FROM {target.relation} WHERE {column} IS NOT NULL AND NOT EXISTS "
        f"(SELECT 1 FROM {target.quoted(test.to or '')} r WHERE {other} = {column})"
    )


def _range_check(test: DqTestDefinitionSpec, target: Target, _text: TestText) -> Expectation:
    return _rows_where(_outside(target.column(test.column or ""), test), target)


def _row_count(test: DqTestDefinitionSpec, target: Target, _text: TestText) -> Expectation:
    outside = _outside("COUNT(*)", test)
    counted = f"SELECT COUNT(*) AS row_count FROM {target.relation}"
    return Expectation(
        f"SELECT row_count FROM ({counted}) n WHERE {_outside('n.row_count', test)}",
        f"CASE WHEN {outside} THEN 1 ELSE 0 END",
    )


def _singular(test: DqTestDefinitionSpec, target: Target, text: TestText) -> Expectation:
    return Expectation(_rendered(test.sql or text.sql or "", "sql", target, text))


_BUILDERS: dict[DqTestType, Callable[[DqTestDefinitionSpec, Target, TestText], Expectation]] = {
    DqTestType.NOT_NULL: _not_null,
    DqTestType.UNIQUE: _unique,
    DqTestType.ACCEPTED_VALUES: _accepted_values,
    DqTestType.RELATIONSHIPS: _relationships,
    DqTestType.RANGE_CHECK: _range_check,
    DqTestType.ROW_COUNT: _row_count,
    DqTestType.SINGULAR: _singular,
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
    query = check_statement(rendered, target.dialect).copy()
    inner = check_statement(target.query, target.dialect)
    for table in list(query.find_all(exp.Table)):
        if ".".join(part.name for part in table.parts) == target.name:
            assert isinstance(inner, exp.Query)
            table.replace(inner.copy().subquery(table.alias or _ROWS, copy=False))
    return query.sql(dialect=target.dialect, comments=False)
