"""State SQL of messages to people that wait to be sent: one row for each target, gone once sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from basecamp.store import table

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

__all__ = ["MessageRow", "add", "due", "forget", "next_try_at", "put_off"]

_MESSAGE = table.message

MessageRow = Row[Any]


def add(
    tx: Connection, targets: Iterable[Mapping[str, str]], title: str, body: str, now: datetime
) -> None:
    """Have a message sent to each target once this transaction is stored."""
    rows = [
        {
            "target": dict(target),
            "title": title,
            "body": body,
            "attempt": 0,
            "created_at": now,
            "next_try_at": now,
        }
        for target in targets
    ]
    if rows:
        tx.execute(insert(_MESSAGE), rows)


def due(tx: Connection, now: datetime, limit: int) -> list[MessageRow]:
    """The oldest messages whose time has come."""
    query = select(_MESSAGE).where(_MESSAGE.c.next_try_at <= now).order_by(_MESSAGE.c.id)
    return list(tx.execute(query.limit(limit)))


def next_try_at(tx: Connection) -> datetime | None:
    """When the next one is to be tried; None when none waits."""
    found: datetime | None = tx.execute(select(func.min(_MESSAGE.c.next_try_at))).scalar()
    return found


def put_off(tx: Connection, row: MessageRow, until: datetime) -> None:
    """Count an attempt that begins now; unless it succeeds there is another one at `until`."""
    values = {"attempt": row.attempt + 1, "next_try_at": until}
    tx.execute(update(_MESSAGE).where(_MESSAGE.c.id == row.id).values(values))


def forget(tx: Connection, row: MessageRow) -> None:
    """It was sent, or nobody tries any more."""
    tx.execute(delete(_MESSAGE).where(_MESSAGE.c.id == row.id))
