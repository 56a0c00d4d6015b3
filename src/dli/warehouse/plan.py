"""The statements of a run in the engine's own dialect, with the tables each reads and writes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from dli.exceptions import DLIValidationError, ErrorCode

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["PlannedStatement", "Statement", "plan_statements", "read_by", "written_by"]


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
    return [_planned(statement, dialect, engine_dialect) for statement in statements]


def read_by(plan: Sequence[PlannedStatement]) -> frozenset[str]:
    return frozenset[str]().union(*(planned.reads for planned in plan))


def written_by(plan: Sequence[PlannedStatement]) -> frozenset[str]:
    return frozenset[str]().union(*(planned.writes for planned in plan))


def _planned(statement: Statement, dialect: str, engine_dialect: str | None) -> PlannedStatement:
    if engine_dialect is None:
        return PlannedStatement(statement, statement.sql, frozenset(), frozenset())
    try:
        tree = sqlglot.parse_one(statement.sql, read=dialect)
        sql = statement.sql if dialect == engine_dialect else tree.sql(dialect=engine_dialect)
    except SqlglotError as error:
        message = f"{statement.phase} statement: {str(error).splitlines()[0]}"
        raise DLIValidationError(message, code=ErrorCode.SQL_SYNTAX_ERROR) from error
    writes = _written(tree)
    return PlannedStatement(statement, sql, _named(tree), writes)


def _named(tree: exp.Expr) -> frozenset[str]:
    own = {query.alias.lower() for query in tree.find_all(exp.CTE)}
    names = (_name(table) for table in tree.find_all(exp.Table))
    return frozenset(name for name in names if name and name.lower() not in own)


def _written(tree: exp.Expr) -> frozenset[str]:
    if isinstance(tree, exp.Query):
        return frozenset()
    target = tree.this
    if isinstance(target, exp.Schema):
        target = target.this
    return frozenset({_name(target)}) if isinstance(target, exp.Table) else frozenset()


def _name(table: exp.Table) -> str:
    return ".".join(part for part in (table.catalog, table.db, table.name) if part)
