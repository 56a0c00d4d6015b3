"""Whom a spec wants told how its runs end, and the messages that are stored with such an end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from basecamp.store import message
from dli.notification import end_of_run

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import Connection

    from basecamp.store.run import Outcome, RunRow

    Wishes = Mapping[str, Sequence[Mapping[str, str]]]

__all__ = ["announce", "wishes_in"]

_EVENTS = {"COMPLETED": "on_success", "FAILED": "on_failure"}


def wishes_in(content: Mapping[str, Any]) -> Wishes:
    """The targets of each event that a spec names."""
    schedule = content.get("schedule") or {}
    return schedule.get("notifications") or {}


def announce(
    tx: Connection,
    wishes: Wishes,
    row: RunRow,
    end: Outcome,
    now: datetime,
) -> bool:
    """Store a message for each who wants to know of this end; tells whether there is one.

    Whoever stopped a run knows of it.
    """
    targets = wishes.get(_EVENTS.get(end.status, ""))
    if not targets:
        return False
    told = end_of_run(
        row.dataset_name,
        row.run_id,
        is_good=end.status == "COMPLETED",
        rows_affected=end.rows_affected,
        code=end.error_code,
        reason=end.error_message,
    )
    message.add(tx, targets, told.title, told.body, now)
    return True
