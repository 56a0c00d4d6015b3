"""Turns due ticks of schedules into queued runs, or into recorded skips."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from basecamp.engines.pause import end_pauses
from basecamp.failpoint import failpoint
from basecamp.store import tick, workflow
from dli.exceptions import DLIError
from dli.specs.schedule import fires_between, next_fire, previous_fire

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from basecamp.store.workflow import WorkflowRow

_BATCH = 200
_LOOK_AGAIN = timedelta(hours=1)
_COUNTED_TICKS = 10_000
"""Missed ticks are counted up to here; a longer gap is recorded with this count."""


def tick_all(tx: Connection, now: datetime) -> list[str]:
    """Handle every workflow that is due; returns the ids of the runs it queued."""
    end_pauses(tx, now)
    queued: list[str] = []
    for due in workflow.due(tx, now, _BATCH):
        try:
            queued += _tick(tx, due, now)
        except DLIError as exc:  # such as a zone that newer zone data do not have any more
            text = f"The schedule could not be followed at {now:%Y-%m-%d %H:%M} UTC: {exc.message}"
            workflow.change(tx, due.id, {"next_fire_at": now + _LOOK_AGAIN, "error": text})
    return queued


def _tick(tx: Connection, due: WorkflowRow, now: datetime) -> list[str]:
    first = due.next_fire_at
    later = fires_between(due.cron, due.timezone, first, now, limit=_COUNTED_TICKS)
    fires = [first, *later]
    if len(fires) > _COUNTED_TICKS:
        fires.append(previous_fire(due.cron, due.timezone, now))
    following = next_fire(due.cron, due.timezone, max(now, fires[-1]))
    if due.catchup:
        taken, skipped = fires[:_BATCH], []
        if len(fires) > _BATCH:
            following = fires[_BATCH]
    else:
        taken, skipped = fires[-1:], fires[:-1]
    if skipped:
        tick.miss(tx, due, skipped[0], skipped[-1], count=len(skipped), now=now)
    workflow.change(tx, due.id, {"next_fire_at": following})
    failpoint("scheduler.moved_on")
    return [run_id for fire in taken if (run_id := tick.fire(tx, due, fire, now)) is not None]
