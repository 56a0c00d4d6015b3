"""First answers to requests that carried an idempotency key."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, insert, select

from basecamp.store import table

KEEP = timedelta(days=7)
_ROWS = table.idempotency
_ADD = insert(_ROWS)
_FIND = select(_ROWS.c.body_hash, _ROWS.c.status, _ROWS.c.answer).where(
    _ROWS.c.scope_hash == bindparam("scope_hash")
)


class StoredAnswer(NamedTuple):
    """What was answered to the first request with a key."""

    body_hash: str
    status: int
    answer: dict[str, Any]


def find(tx: Connection, scope_hash: str) -> StoredAnswer | None:
    """The answer kept for `scope_hash`, if any."""
    row = tx.execute(_FIND, {"scope_hash": scope_hash}).first()
    return StoredAnswer(*row) if row else None


def save(tx: Connection, scope_hash: str, stored: StoredAnswer, now: datetime) -> None:
    """Keep an answer for at least `KEEP`; the scope must be new."""
    tx.execute(_ADD, {"scope_hash": scope_hash, "created_at": now, **stored._asdict()})
