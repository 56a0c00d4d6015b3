"""All nodes of one statement by their kind: one walk for everybody who asks."""

from typing import TypeVar

from sqlglot import Expr

__all__ = ["Nodes"]

Kind = TypeVar("Kind", bound=Expr)


class Nodes:
    """As they were when it was made, the outer ones of a class first."""

    def __init__(self, statement: Expr) -> None:
        self._by_class: dict[type[Expr], list[Expr]] = {}
        found = self._by_class
        for node in statement.bfs():
            at = node.__class__
            if at in found:
                found[at].append(node)
            else:
                found[at] = [node]

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
