"""From which columns of which tables each output column of a query is made."""

from collections.abc import Iterable, Mapping, Sequence

from sqlglot import Expr, exp
from sqlglot.errors import SqlglotError
from sqlglot.lineage import lineage
from sqlglot.optimizer.qualify import qualify

from dli.specs.sql import check_statement, tables_read

__all__ = ["column_sources", "has_star", "result_columns"]

_UNKNOWN_TYPE = "VARCHAR"


def result_columns(
    sql: str, dialect: str, known: Mapping[str, Sequence[str]] | None = None
) -> list[str]:
    """Names of the columns that the statement gives, or fills its table with.

    `known` has the columns of tables that `*` may stand for; `*` stays where they are not known.
    """
    statement = check_statement(sql, dialect)
    if isinstance(statement.this, exp.Schema):  # INSERT INTO t (a, b)
        return [column.name for column in statement.this.expressions]
    query = _query(statement)
    if query is None:
        return []
    if any(select.is_star for select in query.selects):
        query = _qualified(query, dialect, known or {}) or query
    return [select.output_name or f"_col{number}" for number, select in enumerate(query.selects)]


def has_star(sql: str, dialect: str) -> bool:
    """Whether some `*` of the statement stands for columns."""
    query = _query(check_statement(sql, dialect))
    return query is not None and any(
        select.is_star for part in query.find_all(exp.Select) for select in part.selects
    )


def column_sources(
    sql: str,
    dialect: str,
    known: Mapping[str, Sequence[str]] | None = None,
    names: Sequence[str] = (),
) -> dict[str, list[str]]:
    """For each output column the `table.column` texts it is made from, none for a constant.

    `names` are those of the table that is filled, where the statement does not say them itself.
    """
    statement = check_statement(sql, dialect)
    query = _query(statement)
    if query is None:
        return {}
    known = _with_mentioned(query, known or {}, tables_read(sql, dialect))
    qualified = _qualified(query, dialect, known)
    if qualified is None:
        return {}
    outputs = result_columns(sql, dialect, known)
    if len(names) == len(outputs) and not isinstance(statement.this, exp.Schema):
        outputs = list(names)
    selected = [select.alias_or_name for select in qualified.selects]
    return {
        output: _sources(column, qualified, dialect, known)
        for output, column in zip(outputs, selected, strict=False)
    }


def _query(statement: Expr) -> exp.Query | None:
    """What the statement selects: itself, or the query that fills a table."""
    query = statement if isinstance(statement, exp.Query) else statement.args.get("expression")
    return query if isinstance(query, exp.Query) else None


def _with_mentioned(
    query: exp.Query, known: Mapping[str, Sequence[str]], tables: Sequence[str]
) -> dict[str, Sequence[str]]:
    """What the query itself tells of the columns of tables that are not known."""
    unknown = {table for table in tables if table not in known}
    columns = list(query.find_all(exp.Column))
    belonging: dict[str, set[str]] = {name: set() for name in unknown}
    for table in query.find_all(exp.Table):
        name = ".".join(part.name for part in table.parts)
        if name in unknown:
            alias = table.alias_or_name
            belonging[name] |= {column.name for column in columns if column.table == alias}
    if len(unknown) == 1:
        elsewhere = {column for names in known.values() for column in names}
        free = {column.name for column in columns if not column.table}
        belonging[next(iter(unknown))] |= free - elsewhere
    return {**known, **{name: sorted(found) for name, found in belonging.items() if found}}


def _qualified(
    query: exp.Query, dialect: str, known: Mapping[str, Sequence[str]]
) -> exp.Query | None:
    """A copy in which each column names its table and each known `*` is written out."""
    try:
        found = qualify(
            query.copy(),
            schema=_schema(known),
            dialect=dialect,
            validate_qualify_columns=False,
            identify=False,
        )
    except (SqlglotError, RecursionError, ValueError, KeyError):
        return None
    assert isinstance(found, exp.Query)
    return found


def _sources(
    column: str, query: exp.Query, dialect: str, known: Mapping[str, Sequence[str]]
) -> list[str]:
    try:
        root = lineage(column, query.copy(), _schema(known), dialect=dialect)
    except (SqlglotError, RecursionError, ValueError, KeyError):
        return []
    found = set()
    for node in root.walk():
        table = node.expression
        if isinstance(table, exp.Table):
            parts = [part.name for part in table.parts]
            found.add(".".join([*parts, node.name.rpartition(".")[2]]))
    return sorted(found)


def _schema(known: Mapping[str, Iterable[str]]) -> dict[str, object]:
    """As the optimizer wants it: nested by the parts of the names, all of one depth."""
    schema: dict[str, object] = {}
    for table, columns in known.items():
        parts = table.split(".")
        if len(parts) != 3:
            continue
        place = schema
        for part in parts[:-1]:
            inner = place.setdefault(part, {})
            assert isinstance(inner, dict)
            place = inner
        place[parts[-1]] = dict.fromkeys(columns, _UNKNOWN_TYPE)
    return schema
