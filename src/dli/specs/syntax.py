"""The queries, clauses and tables of one statement by their kind: one walk for all who ask."""

from collections import defaultdict
from collections.abc import Iterator
from typing import TypeVar

from sqlglot import Expr, exp

__all__ = ["Nodes"]

Kind = TypeVar("Kind", bound=Expr)

_WORDS = frozenset(
    {exp.Boolean, exp.DataType, exp.Identifier, exp.Literal, exp.Null, exp.Star, exp.Var}
)
_VALUES = frozenset({"expressions", "where", "group", "having", "order", "qualify", "limit", "on"})
"""Parts of a query that hold its values: four of five nodes, and no table but in a query inside."""


class Nodes:
    """As they were when it was made, the outer ones of a class first; `sql` is their text."""

    def __init__(self, statement: Expr, sql: str) -> None:
        self._statement = statement
        self._words = sql.lower()
        self._by_class: defaultdict[type[Expr], list[Expr]] = defaultdict(list)
        self._walk(with_values=False)
        if not self._has_all(self._words):
            self._by_class.clear()
            self._walk(with_values=True)

    def _walk(self, *, with_values: bool) -> None:
        found, nodes = self._by_class, [self._statement]
        for node in nodes:  # which grows meanwhile
            at = node.__class__
            if at in _WORDS or at is exp.Column:
                continue
            found[at].append(node)
            if with_values or not (at is exp.Select or at is exp.Join):
                nodes += node.iter_expressions()
                continue
            for key, part in node.args.items():
                if part is None or key in _VALUES:
                    continue
                if part.__class__ is list:
                    nodes += [one for one in part if isinstance(one, Expr)]
                elif isinstance(part, Expr):
                    nodes.append(part)

    def _has_all(self, words: str) -> bool:
        """Whether no query is left among the values: each has words of its own."""
        return (
            words.count("select") == len(self._by_class[exp.Select])
            and words.count("from") == len(self._by_class[exp.From])
            and "values" not in words
            and "table" not in words
        )

    def columns(self, table: str) -> Iterator[exp.Column]:
        """All that may have the name of this table, in lower case, before their own."""
        if self._words.count(table) == 1:
            return iter(())  # it is said of the table alone
        return self._statement.find_all(exp.Column)

    def of(self, kind: type[Kind]) -> list[Kind]:
        """The nodes of a class, and of those that inherit from it."""
        if kind not in _HEIRS:
            _HEIRS[kind] = _heirs(kind)
        found: list[Kind] = []
        for at in _HEIRS[kind]:
            found += self._by_class.get(at, ())  # type: ignore[arg-type]  # they are of this class
        return found


_HEIRS: dict[type[Expr], tuple[type[Expr], ...]] = {}


def _heirs(kind: type[Expr]) -> tuple[type[Expr], ...]:
    below = (heir for child in kind.__subclasses__() for heir in _heirs(child))
    return tuple(dict.fromkeys((kind, *below)))
