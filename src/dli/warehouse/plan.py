"""From the SQL of specs to planned statements: translated, and read for the tables they name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlglot import Expr, exp

from dli.specs.sql import check_statement, tables_read, tables_written, translate
from dli.warehouse.planned import PlannedStatement
from dli.warehouse.semantics import divides_integers
from dli.warehouse.wording import in_engine_words

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dli.specs.dataset import Statement

__all__ = ["plan_statements"]


def plan_statements(
    statements: Iterable[Statement], *, dialect: str, engine_dialect: str | None
) -> list[PlannedStatement]:
    """Raises `DLIValidationError` DLI-202 and 203, `TranspileError` DLI-301."""
    if engine_dialect is None:
        return [PlannedStatement(statement, statement.sql) for statement in statements]
    temporary: set[str] = set()
    return [_planned(one, dialect, engine_dialect, temporary) for one in statements]


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
