"""Ends pauses that were set to end at an instant; every engine does it the same way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from basecamp.store import audit, workflow
from dli.specs.schedule import next_fire

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from basecamp.store.workflow import WorkflowRow


def end_pauses(tx: Connection, now: datetime) -> bool:
    """End each pause whose time has come; tells whether there was one."""
    ended = workflow.pause_ended(tx, now)
    for paused in ended:
        _end_pause(tx, paused, now)
    return bool(ended)


def _end_pause(tx: Connection, paused: WorkflowRow, now: datetime) -> None:
    values: dict[str, Any] = {
        "paused": False,
        "pause_until": None,
        "pause_reason": None,
        "paused_by": None,
    }
    if paused.status == "paused":
        fire = next_fire(paused.cron, paused.timezone, now) if paused.cron else None
        values |= {"status": "active", "next_fire_at": fire}
    workflow.change(tx, paused.id, values | {"updated_at": now})
    audit.record(
        tx,
        at=now,
        actor="scheduler",
        action="workflow.unpause",
        resource=paused.dataset_name,
        reason="The pause was set to end now.",
    )
