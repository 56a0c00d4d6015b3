"""State SQL of holdings: the team that a dataset's or metric's name belongs to.

A name stays with its team when the workflow goes, as its history does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Connection, bindparam, select
from sqlalchemy.dialects import postgresql, sqlite

from basecamp.store import table

if TYPE_CHECKING:
    from collections.abc import Collection

__all__ = ["DATASET", "METRIC", "is_held_by", "keep", "names", "team"]

DATASET = "dataset"
METRIC = "metric"

_HOLDING = table.holding
_TEAM = select(_HOLDING.c.team).where(
    _HOLDING.c.kind == bindparam("kind"), _HOLDING.c.name == bindparam("name")
)


def team(tx: Connection, kind: str, name: str) -> str | None:
    """The team that holds a name; `None` for one that nobody has used yet."""
    return tx.execute(_TEAM, {"kind": kind, "name": name}).scalar()


def keep(tx: Connection, kind: str, name: str, held_by: str) -> None:
    """Let the name be that team's from now on."""
    dialect = sqlite if tx.dialect.name == "sqlite" else postgresql
    insert = dialect.insert(_HOLDING).values(kind=kind, name=name, team=held_by)
    tx.execute(
        insert.on_conflict_do_update(index_elements=["kind", "name"], set_={"team": held_by})
    )


def names(tx: Connection, teams: Collection[str]) -> set[tuple[str, str]]:
    """Kinds and names that belong to one of the teams."""
    query = select(_HOLDING.c.kind, _HOLDING.c.name).where(_HOLDING.c.team.in_(sorted(teams)))
    return {(kind, name) for kind, name in tx.execute(query)}


def is_held_by(
    name: ColumnElement[Any], teams: Collection[str], kind: str = DATASET
) -> ColumnElement[bool]:
    """The condition that the name in a column belongs to one of the teams."""
    held = select(_HOLDING.c.name).where(
        _HOLDING.c.kind == kind, _HOLDING.c.team.in_(sorted(teams))
    )
    return name.in_(held)
