"""Dataset specs by content hash; a spec row never changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, bindparam, select
from sqlalchemy.dialects import postgresql, sqlite

from basecamp.store import table
from dli.specs.content import content_hash

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

_CONTENT = select(table.spec.c.content).where(table.spec.c.hash == bindparam("hash"))

__all__ = ["content_hash", "load", "load_each", "save"]


def save(tx: Connection, content: dict[str, Any], now: datetime) -> str:
    """Keep `content` if it is new and return its hash."""
    digest = content_hash(content)
    dialect = sqlite if tx.dialect.name == "sqlite" else postgresql
    insert = dialect.insert(table.spec).values(hash=digest, content=content, created_at=now)
    tx.execute(insert.on_conflict_do_nothing())
    return digest


def load(tx: Connection, digest: str) -> dict[str, Any]:
    """The spec with this hash."""
    content: dict[str, Any] = tx.execute(_CONTENT, {"hash": digest}).scalar_one()
    return content


def load_each(tx: Connection, digests: Sequence[str]) -> dict[str, dict[str, Any]]:
    """The specs with these hashes, by hash; the caller keeps their number small."""
    query = select(table.spec.c.hash, table.spec.c.content).where(table.spec.c.hash.in_(digests))
    return {row.hash: row.content for row in tx.execute(query)}
