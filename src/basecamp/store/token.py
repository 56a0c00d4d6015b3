"""State SQL of tokens; of a secret only its hash is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Row, bindparam, insert, or_, select, update

from basecamp.store import table

if TYPE_CHECKING:
    from datetime import datetime

__all__ = ["TokenRow", "add", "by_hash", "change", "find", "live_named", "page", "touch"]

TokenRow = Row[Any]

_TOKEN = table.token
_BY_HASH = select(_TOKEN).where(_TOKEN.c.secret_hash == bindparam("secret_hash"))


def by_hash(tx: Connection, secret_hash: str) -> TokenRow | None:
    """The token whose secret has this hash."""
    return tx.execute(_BY_HASH, {"secret_hash": secret_hash}).first()


def find(tx: Connection, token_id: str) -> TokenRow | None:
    return tx.execute(select(_TOKEN).where(_TOKEN.c.token_id == token_id)).first()


def add(tx: Connection, values: dict[str, Any]) -> None:
    tx.execute(insert(_TOKEN).values(**values))


def change(tx: Connection, token_id: str, values: dict[str, Any]) -> None:
    """Set columns of one token."""
    tx.execute(update(_TOKEN).where(_TOKEN.c.token_id == token_id).values(**values))


def live_named(tx: Connection, name: str, now: datetime) -> list[TokenRow]:
    """Tokens of a name that are good at this instant, oldest first."""
    query = select(_TOKEN).where(
        _TOKEN.c.name == name, _TOKEN.c.revoked_at.is_(None), _TOKEN.c.expires_at > now
    )
    return list(tx.execute(query.order_by(_TOKEN.c.created_at, _TOKEN.c.token_id)))


def page(
    tx: Connection, live_at: datetime | None, limit: int, offset: int
) -> tuple[list[TokenRow], int]:
    """Tokens, newest first, and how many there are; only those good at `live_at` when given."""
    query = select(_TOKEN).order_by(_TOKEN.c.created_at.desc(), _TOKEN.c.token_id)
    if live_at is not None:
        query = query.where(_TOKEN.c.revoked_at.is_(None), _TOKEN.c.expires_at > live_at)
    rows = list(tx.execute(query))
    return rows[offset : offset + limit], len(rows)


def touch(tx: Connection, token_id: str, now: datetime, before: datetime) -> None:
    """Note that a token is used, unless that was noted after `before`."""
    is_due = or_(_TOKEN.c.last_used_at.is_(None), _TOKEN.c.last_used_at < before)
    tx.execute(update(_TOKEN).where(_TOKEN.c.token_id == token_id, is_due).values(last_used_at=now))
