"""The statements of a run in the engine's own dialect, with the tables each reads and writes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from dli.exceptions import DLIValidationError, ErrorCode

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

__all__ = ["PlannedStatement", "Statement", "plan_statements", "read_by", "written_by"]

_EACH_TABLE_IS_WRITTEN = (exp.Drop, exp.TruncateTable, exp.Alter)


class Statement(Protocol):
    """One rendered statement of a dataset."""

    @property
    def phase(self) -> str: ...

    @property
    def name(self) -> str | None: ...

    @property
    def sql(self) -> str: ...

    @property
    def continue_on_error(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class PlannedStatement:
    """`sql` is what the engine gets; `statement.sql` is what the spec says."""

    statement: Statement
    sql: str
    reads: frozenset[str]
    writes: frozenset[str]

    @property
    def title(self) -> str:
        name = self.statement.name
        return self.statement.phase if name is None else f"{self.statement.phase} {name}"


def plan_statements(
    statements: Iterable[Statement], *, dialect: str, engine_dialect: str | None
) -> list[PlannedStatement]:
    """Raises `DLIValidationError` DLI-202 for SQL that is none in `dialect`."""
    if engine_dialect is None:
        nothing = frozenset[str]()
        return [PlannedStatement(one, one.sql, nothing, nothing) for one in statements]
    temporary: set[str] = set()
    return [_planned(one, dialect, engine_dialect, temporary) for one in statements]


def read_by(plan: Sequence[PlannedStatement]) -> frozenset[str]:
    return frozenset[str]().union(*(planned.reads for planned in plan))


def written_by(plan: Sequence[PlannedStatement]) -> frozenset[str]:
    return frozenset[str]().union(*(planned.writes for planned in plan))


def _planned(
    statement: Statement, dialect: str, engine_dialect: str, temporary: set[str]
) -> PlannedStatement:
    """`temporary` collects the names of temporary tables, which are in no catalog."""
    try:
        tree = sqlglot.parse_one(statement.sql, read=dialect)
        sql = statement.sql if dialect == engine_dialect else tree.sql(dialect=engine_dialect)
    except SqlglotError as error:
        message = f"{statement.phase} statement: {str(error).splitlines()[0]}"
        raise DLIValidationError(message, code=ErrorCode.SQL_SYNTAX_ERROR) from error
    writes = frozenset(_written(tree))
    if tree.find(exp.TemporaryProperty):
        temporary.update(name.lower() for name in writes)
    return PlannedStatement(
        statement,
        sql,
        frozenset(name for name in _named(tree) if name.lower() not in temporary),
        frozenset(name for name in writes if name.lower() not in temporary),
    )


def _named(tree: exp.Expr) -> Iterator[str]:
    """The tables that are named; a name that a WITH clause gives is none."""
    if _is_about_schema(tree):
        return
    own = {query.alias.lower() for query in tree.find_all(exp.CTE)}
    for table in tree.find_all(exp.Table):
        name = _name(table)
        if name and name.lower() not in own:
            yield name


def _written(tree: exp.Expr) -> Iterator[str]:
    if isinstance(tree, exp.Query):
        return
    if _is_about_schema(tree):
        for table in tree.find_all(exp.Table):
            yield f"{table.catalog}.{table.db}."
    elif isinstance(tree, _EACH_TABLE_IS_WRITTEN):
        yield from (_name(table) for table in tree.find_all(exp.Table))
    else:
        target = tree.this.this if isinstance(tree.this, exp.Schema) else tree.this
        if isinstance(target, exp.Index):
            target = target.find(exp.Table)
        if isinstance(target, exp.Table):
            yield _name(target)


def _is_about_schema(tree: exp.Expr) -> bool:
    return isinstance(tree, exp.Create | exp.Drop) and str(tree.args.get("kind")) == "SCHEMA"


def _name(table: exp.Table) -> str:
    return ".".join(part for part in (table.catalog, table.db, table.name) if part)
