"""The statements of a run in the engine's own dialect, with the tables each reads and writes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlglot import Expr, exp

from dli.specs.sql import check_statement, tables_read, tables_written, translate
from dli.warehouse.semantics import divides_integers, in_engine_words

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from dli.specs.dataset import Statement

__all__ = ["PlannedStatement", "plan_statements", "read_by", "written_by"]

_NOTHING = frozenset[str]()


@dataclass(frozen=True, slots=True)
class PlannedStatement:
    """`sql` is what the engine gets; `statement.sql` is what the spec says.

    A schema is named like a table without a name: `catalog.schema.`
    """

    statement: Statement
    sql: str
    reads: frozenset[str] = _NOTHING
    writes: frozenset[str] = _NOTHING
    divides_integers: bool = True

    @property
    def title(self) -> str:
        name = self.statement.name
        return self.statement.phase if name is None else f"{self.statement.phase} {name}"


def plan_statements(
    statements: Iterable[Statement], *, dialect: str, engine_dialect: str | None
) -> list[PlannedStatement]:
    """Raises `DLIValidationError` DLI-202 and 203, `TranspileError` DLI-301."""
    if engine_dialect is None:
        return [PlannedStatement(statement, statement.sql) for statement in statements]
    temporary: set[str] = set()
    return [_planned(one, dialect, engine_dialect, temporary) for one in statements]


def read_by(plan: Sequence[PlannedStatement]) -> frozenset[str]:
    return _NOTHING.union(*(planned.reads for planned in plan))


def written_by(plan: Sequence[PlannedStatement]) -> frozenset[str]:
    return _NOTHING.union(*(planned.writes for planned in plan))


def _planned(
    statement: Statement, dialect: str, engine_dialect: str, temporary: set[str]
) -> PlannedStatement:
    """`temporary` collects the names of temporary tables, which are in no catalog."""
    tree = check_statement(statement.sql, dialect)
    writes = tables_written(statement.sql, dialect)
    if isinstance(tree, exp.Create) and tree.find(exp.TemporaryProperty):
        temporary.update(name.lower() for name in writes)
    sql = statement.sql
    if dialect != engine_dialect:
        sql = translate(in_engine_words(sql, dialect), dialect, engine_dialect)
    if isinstance(tree, exp.Create | exp.Drop) and str(tree.args.get("kind")) == "SCHEMA":
        reads, writes = [], [_schema(tree)]
    else:
        reads = tables_read(statement.sql, dialect)
    return PlannedStatement(
        statement,
        sql,
        reads=frozenset(name for name in reads if name.lower() not in temporary),
        writes=frozenset(name for name in writes if name.lower() not in temporary),
        divides_integers=divides_integers(dialect),
    )


def _schema(tree: Expr) -> str:
    table = tree.find(exp.Table)
    return f"{table.catalog}.{table.db}." if table is not None else ".."
