"""What is allowed in SQL but worth a second look."""

from collections.abc import Iterator, Sequence

from sqlglot import Expr, exp
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.scope import Scope, traverse_scope

from dli.models.transpile import TranspileWarning, WarningType
from dli.specs.syntax import Nodes

__all__ = ["suspicions"]


_NEVER_CORRELATED = (exp.CTE, exp.SetOperation, exp.Insert, exp.Create)


def suspicions(statement: Expr, nodes: Nodes) -> Iterator[TranspileWarning]:
    """Warnings about one statement, each kind at its first place; `nodes` are those of its tree."""
    if isinstance(statement, exp.Query) and not statement.args.get("limit"):
        yield _warning(WarningType.NO_LIMIT, "the query has no LIMIT", statement)
    starred = next((select for select in nodes.of(exp.Select) if select.is_star), None)
    if starred is not None:
        yield _warning(WarningType.SELECT_STAR, "SELECT * reads every column", starred)
    if isinstance(statement, exp.Drop | exp.Delete | exp.TruncateTable):
        message = f"{statement.key.removesuffix('table').upper()} removes data"
        yield _warning(WarningType.DANGEROUS_STATEMENT, message, statement)
    yield from _duplicate_ctes(nodes.of(exp.With))
    if any(map(_may_be_correlated, nodes.of(exp.Query))):
        yield from _correlated(statement)


def _duplicate_ctes(clauses: Sequence[exp.With]) -> Iterator[TranspileWarning]:
    for clause in clauses:
        seen = set[str]()
        for cte in clause.expressions:
            name = cte.alias.lower()
            if name in seen:
                message = f"the name '{cte.alias}' is given to two CTEs"
                yield _warning(WarningType.DUPLICATE_CTE, message, cte.args["alias"])
            seen.add(name)


def _may_be_correlated(query: exp.Query) -> bool:
    """Whether it stands in an expression, not by itself or as a table: finding that out in full
    takes as long as parsing.
    """
    around = query.parent
    if isinstance(around, exp.Subquery):
        return False  # looked at by itself
    is_table = isinstance(query, exp.Subquery) and isinstance(around, exp.From | exp.Join)
    return around is not None and not is_table and not isinstance(around, _NEVER_CORRELATED)


def _correlated(statement: Expr) -> Iterator[TranspileWarning]:
    try:
        scopes = traverse_scope(statement)
    except (SqlglotError, RecursionError):
        return  # two tables of one name: the engine will tell
    for scope in scopes:
        if scope.is_subquery and (column := _outer_column(scope)) is not None:
            message = "the subquery runs once for each row outside"
            yield _warning(WarningType.CORRELATED_SUBQUERY, message, column)
            return


def _outer_column(scope: Scope) -> exp.Column | None:
    """A column here that belongs to a query around this one."""
    outer = set[str]()
    around = scope.parent
    while around is not None:
        outer |= {name.lower() for name in around.sources}
        around = around.parent
    own = {name.lower() for name in scope.sources}
    for column in scope.columns:
        if column.table and column.table.lower() in outer - own:
            return column
    return None


def _warning(kind: WarningType, message: str, node: Expr) -> TranspileWarning:
    placed = next((part for part in node.walk() if "line" in part.meta), None)
    if placed is None:
        return TranspileWarning(type=kind, message=message)
    width = placed.meta["end"] - placed.meta["start"]
    return TranspileWarning(
        type=kind, message=message, line=placed.meta["line"], column=placed.meta["col"] - width
    )
