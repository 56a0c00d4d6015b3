"""First answers to requests that carried an idempotency key."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Connection, delete, insert, select

from basecamp.store import table

KEEP = timedelta(days=7)
_FORGOTTEN_AT_ONCE = 10
_ROWS = table.idempotency


class StoredAnswer(NamedTuple):
    """What was answered to the first request with a key."""

    body_hash: str
    status: int
    answer: dict[str, Any]


def find(tx: Connection, scope_hash: str) -> StoredAnswer | None:
    """The answer kept for `scope_hash`, if any."""
    query = select(_ROWS.c.body_hash, _ROWS.c.status, _ROWS.c.answer).where(
        _ROWS.c.scope_hash == scope_hash
    )
    row = tx.execute(query).first()
    return StoredAnswer(*row) if row else None


def save(tx: Connection, scope_hash: str, stored: StoredAnswer, now: datetime) -> None:
    """Keep an answer for at least `KEEP`; the scope must be new. A few expired ones go for it."""
    expired = (
        select(_ROWS.c.scope_hash)
        .where(_ROWS.c.created_at < now - KEEP)
        .order_by(_ROWS.c.created_at)
        .limit(_FORGOTTEN_AT_ONCE)
    )
    tx.execute(delete(_ROWS).where(_ROWS.c.scope_hash.in_(expired)))
    tx.execute(insert(_ROWS).values(scope_hash=scope_hash, created_at=now, **stored._asdict()))
