"""The audit trail: one row for each change, written in the transaction of the change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, insert, select

from basecamp.store import table

if TYPE_CHECKING:
    from datetime import datetime

_ADD = insert(table.audit)


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
    tx.execute(_ADD, row)


def of_resource(tx: Connection, resource: str) -> list[dict[str, Any]]:
    """The trail of one workflow or run, oldest first."""
    query = select(table.audit).where(table.audit.c.resource == resource).order_by(table.audit.c.id)
    return [dict(row) for row in tx.execute(query).mappings()]
