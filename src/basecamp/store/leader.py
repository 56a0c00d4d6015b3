"""State SQL of leadership: among servers on one PostgreSQL, one leads as long as it says so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select, text

from basecamp.store import table

if TYPE_CHECKING:
    from sqlalchemy import Connection

_LEADER = table.leader
# Instants are those of the database's clock alone.
_TAKE = text("""
    INSERT INTO leader (id, holder, term, until)
    VALUES (1, :holder, 1, clock_timestamp() + make_interval(secs => :lease_s))
    ON CONFLICT (id) DO UPDATE
    SET holder = excluded.holder, term = leader.term + 1, until = excluded.until
    WHERE leader.until < clock_timestamp()
    RETURNING term
""")
_OCCUPIED = text("SELECT id FROM leader WHERE until >= clock_timestamp()")
_RENEW = text("""
    UPDATE leader SET until = clock_timestamp() + make_interval(secs => :lease_s)
    WHERE holder = :holder AND term = :term
    RETURNING term
""")
_RELEASE = text("""
    UPDATE leader SET until = clock_timestamp() WHERE holder = :holder AND term = :term
""")


def take(tx: Connection, holder: str, lease_s: float) -> int | None:
    """Begin a new term unless another one has not ended; returns its fencing number."""
    term: int | None = tx.execute(_TAKE, {"holder": holder, "lease_s": lease_s}).scalar()
    return term


def is_vacant(tx: Connection) -> bool:
    """Whether a new term could begin."""
    return tx.execute(_OCCUPIED).first() is None


def renew(tx: Connection, holder: str, term: int, lease_s: float) -> bool:
    """Make the term last `lease_s` from now; false when another server has begun one."""
    values = {"holder": holder, "term": term, "lease_s": lease_s}
    return tx.execute(_RENEW, values).first() is not None


def release(tx: Connection, holder: str, term: int) -> None:
    """End the term now."""
    tx.execute(_RELEASE, {"holder": holder, "term": term})


def is_in_office(tx: Connection, holder: str, term: int) -> bool:
    """Whether nobody has begun a later term."""
    query = select(_LEADER.c.id).where(_LEADER.c.holder == holder, _LEADER.c.term == term)
    return tx.execute(query).first() is not None
