"""A statement in the engine's own dialect, with the tables it reads and writes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dli.specs.statement import Statement

__all__ = ["PlannedStatement", "read_by", "written_by"]

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


def read_by(plan: Sequence[PlannedStatement]) -> frozenset[str]:
    return _NOTHING.union(*(planned.reads for planned in plan))


def written_by(plan: Sequence[PlannedStatement]) -> frozenset[str]:
    return _NOTHING.union(*(planned.writes for planned in plan))
