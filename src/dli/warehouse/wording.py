"""Where Trino and the embedded engine mean different things by the same words.

Translation between dialects carries names and syntax. What it leaves as it is, but the engine reads
otherwise or not at all, is settled here and in `semantics`; everything else the engine refuses when
it binds.
"""

from __future__ import annotations

from sqlglot import Expr, exp

from dli.specs.sql import check_statement

__all__ = ["in_engine_words"]

_RENAMED = (exp.DateDiff, exp.Format, exp.RegexpExtract)


def in_engine_words(sql: str, dialect: str) -> str:
    """The statement in the same dialect, with functions the engine knows to mean the same.

    Storage properties of tables are left out: the engine has one way to store.
    """
    statement = check_statement(sql, dialect)
    has_storage = isinstance(statement, exp.Create) and statement.find(
        exp.Properties, exp.CommentColumnConstraint
    )
    is_renamed = dialect == "trino" and statement.find(*_RENAMED)
    if not has_storage and not is_renamed:
        return sql
    changed = statement.copy()
    if isinstance(changed, exp.Create):
        _forget_storage(changed)
    if is_renamed:
        for node in reversed(list(changed.find_all(*_RENAMED))):  # the inner ones first
            node.replace(_renamed(node.copy()))
    return changed.sql(dialect=dialect)


def _forget_storage(definition: exp.Create) -> None:
    kept = [
        one for one in definition.find_all(exp.Property) if isinstance(one, exp.TemporaryProperty)
    ]
    definition.set("properties", exp.Properties(expressions=kept) if kept else None)
    for column in definition.find_all(exp.ColumnDef):
        constraints = column.args.get("constraints") or []
        column.set("constraints", [one for one in constraints if not _is_comment(one)])


def _is_comment(constraint: Expr) -> bool:
    return isinstance(constraint.args.get("kind"), exp.CommentColumnConstraint)


def _renamed(node: Expr) -> Expr:
    if isinstance(node, exp.DateDiff):
        # Trino counts full units, the engine's function of that name the borders between them.
        unit = exp.Literal.string(node.text("unit") or "day")
        return exp.func("DATESUB", unit, node.expression, node.this)
    if isinstance(node, exp.Format):
        return exp.Anonymous(this="PRINTF", expressions=[node.this, *node.expressions])
    # Where nothing matches, the engine gives an empty text and Trino NULL.
    return exp.Nullif(this=node, expression=exp.Literal.string(""))
