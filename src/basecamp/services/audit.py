"""The audit trail as its readers see it; to read it is audited, too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from basecamp.services.permission import SERVER, Effect, authorize
from basecamp.services.record import wire_time
from basecamp.store import audit

if TYPE_CHECKING:
    from basecamp.clock import Clock
    from basecamp.services.command import Caller
    from basecamp.store.audit import AuditFilter
    from basecamp.store.database import Database

_TRAIL = "audit"


class AuditService:
    """Shows who changed what and when, and whether the trail is whole."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def list(
        self, caller: Caller, wanted: AuditFilter, *, oldest_first: bool, limit: int, offset: int
    ) -> tuple[list[dict[str, Any]], int]:
        """One page of entries and the number of all matches; its first page is audited."""
        authorize(caller.actor, Effect.AUDIT_READ, SERVER)
        if offset == 0:
            self._note(caller, "audit.read")
        with self._database.read() as tx:
            rows, count = audit.page(
                tx, wanted, oldest_first=oldest_first, limit=limit, offset=offset
            )
        return [{**row, "at": wire_time(row["at"])} for row in rows], count

    def verify(self, caller: Caller, head: str | None) -> dict[str, Any]:
        """Whether every entry follows the one before, and `head`, if given, is one of them."""
        authorize(caller.actor, Effect.AUDIT_READ, SERVER)
        self._note(caller, "audit.verify")
        with self._database.read() as tx:
            chain = audit.walk(tx)
            is_known = head is None or audit.has_head(tx, head)
        return {
            "ok": chain.broken_id is None and is_known,
            "entries": chain.rows,
            "head": chain.head,
            "broken_id": chain.broken_id,
            "is_head_known": is_known,
        }

    def _note(self, caller: Caller, action: str) -> None:
        with self._database.transaction() as tx:
            audit.record(
                tx,
                at=self._clock.now(),
                actor=caller.name,
                action=action,
                resource=_TRAIL,
                request_id=caller.request_id,
            )
