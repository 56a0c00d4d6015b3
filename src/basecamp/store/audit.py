"""The audit trail: one row for each change, written in the transaction of the change.

Rows are only ever added. Each carries the hash of itself and the row before it, so a row that was
changed, removed or slipped in afterwards breaks the chain from there on.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, RowMapping, func, insert, select

from basecamp.store import table
from basecamp.store.convoy import remembered

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_AUDIT = table.audit
_ADD = insert(_AUDIT)
_LAST = select(_AUDIT.c.hash).order_by(_AUDIT.c.id.desc()).limit(1)
_HASHED = ("at", "actor", "action", "resource", "request_id", "reason", "detail")
_BATCH = 1_000
_HEAD = "audit head"
START = "0" * 64
"""What the first row is chained to."""


@dataclass(frozen=True)
class AuditFilter:
    """What a list is narrowed to; `None` does not narrow. Both instants are inclusive."""

    actor: str | None = None
    action: str | None = None
    resource: str | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True)
class Chain:
    """What a walk over all rows found: how many fit, the last one's hash, the first misfit."""

    rows: int
    head: str
    broken_id: int | None = None


def record(
    tx: Connection,
    *,
    at: datetime,
    actor: str,
    action: str,
    resource: str,
    request_id: str | None = None,
    reason: str | None = None,
    detail: dict[str, Any] | None = None,
) -> None:
    """Append one row. `detail` must hold no secrets, parameter values or SQL."""
    row = {
        "at": at,
        "actor": actor,
        "action": action,
        "resource": resource,
        "request_id": request_id,
        "reason": reason,
        "detail": detail or {},
    }
    # Writing transactions come one after the other, so no other row can follow the same one.
    known = remembered(tx)
    before = known.get(_HEAD) or tx.execute(_LAST).scalar() or START
    known[_HEAD] = chained(before, row)
    tx.execute(_ADD, {**row, "hash": known[_HEAD]})


def chained(before: str, row: Mapping[str, Any] | RowMapping) -> str:
    """The hash of a row that follows the one with the hash `before` (SHA-256, hexadecimal)."""
    fields = {name: row[name] for name in _HASHED}
    fields["at"] = row["at"].astimezone(UTC).isoformat(timespec="microseconds")
    text = json.dumps([before, fields], sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    text = text.replace(r"\u0000", r"\ufffd")  # PostgreSQL cannot hold it
    return hashlib.sha256(text.encode()).hexdigest()


def page(
    tx: Connection, wanted: AuditFilter, *, oldest_first: bool, limit: int, offset: int
) -> tuple[list[RowMapping], int]:
    """Entries in their order, and how many there are."""
    conditions = [
        _AUDIT.c[name] == value
        for name in ("actor", "action", "resource")
        if (value := getattr(wanted, name)) is not None
    ]
    if wanted.since is not None:
        conditions.append(_AUDIT.c.at >= wanted.since)
    if wanted.until is not None:
        conditions.append(_AUDIT.c.at <= wanted.until)
    count = tx.execute(select(func.count()).select_from(_AUDIT).where(*conditions)).scalar_one()
    order = _AUDIT.c.id.asc() if oldest_first else _AUDIT.c.id.desc()
    query = select(_AUDIT).where(*conditions).order_by(order).limit(limit).offset(offset)
    return list(tx.execute(query).mappings()), int(count)


def of_resource(tx: Connection, resource: str) -> list[dict[str, Any]]:
    """The trail of one workflow or run, oldest first."""
    query = select(_AUDIT).where(_AUDIT.c.resource == resource).order_by(_AUDIT.c.id)
    return [dict(row) for row in tx.execute(query).mappings()]


def walk(tx: Connection) -> Chain:
    """Follow the chain from its first row to the last, or to the first row that does not fit."""
    rows, head = 0, START
    for row in _oldest_first(tx):
        if row["hash"] != chained(head, row):
            return Chain(rows, head, broken_id=row["id"])
        rows, head = rows + 1, row["hash"]
    return Chain(rows, head)


def has_head(tx: Connection, head: str) -> bool:
    """Whether a row, or the start of the chain, has this hash."""
    query = select(_AUDIT.c.id).where(_AUDIT.c.hash == head).limit(1)
    return head == START or tx.execute(query).first() is not None


def _oldest_first(tx: Connection) -> Iterator[RowMapping]:
    last_id = 0
    while True:
        query = select(_AUDIT).where(_AUDIT.c.id > last_id).order_by(_AUDIT.c.id).limit(_BATCH)
        rows = list(tx.execute(query).mappings())
        yield from rows
        if len(rows) < _BATCH:
            return
        last_id = rows[-1]["id"]
