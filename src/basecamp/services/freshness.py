"""How new the data of a table is, from the completed runs of its dataset and its schedule."""

from __future__ import annotations

import math
from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

from basecamp.store import completion, workflow
from dli.models.catalog import FreshnessInfo
from dli.specs.schedule import previous_fire

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from basecamp.store.run import RunRow

_RUNS = 20
"""Runs that the mean delay is taken of."""
_FIRES = 9
"""Past fires that tell how often a schedule fires: more than a week of a daily one has."""
_TOLERANCE = 1.5
"""Data older than this many of the longest pauses of its schedule is stale: a run is missing."""
_WORDS = {
    timedelta(hours=1): "hourly",
    timedelta(days=1): "daily",
    timedelta(weeks=1): "weekly",
}


def freshness(
    tx: Connection, dataset_name: str, now: datetime, newest: datetime | None
) -> FreshnessInfo:
    """`newest` is what the data or its files tell, and counts where no run has completed."""
    runs = completion.newest(tx, dataset_name, _RUNS)
    last_updated = runs[0].finished_at if runs else newest
    row = workflow.effective(tx, dataset_name)
    pauses = _pauses(row.cron, row.timezone, now) if row is not None and row.cron else []
    limit = max(pauses) * _TOLERANCE if pauses else None
    return FreshnessInfo(
        last_updated=last_updated,
        avg_update_lag_hours=_lag_hours(runs),
        update_frequency=_frequency(pauses, row.cron) if row is not None and pauses else None,
        is_stale=bool(last_updated and limit and now - last_updated > limit),
        stale_threshold_hours=math.ceil(limit / timedelta(hours=1)) if limit else None,
    )


def _pauses(cron: str, timezone: str, now: datetime) -> list[timedelta]:
    fires = [previous_fire(cron, timezone, now)]
    for _ in range(_FIRES):
        fires.append(previous_fire(cron, timezone, fires[-1]))
    return [later - earlier for later, earlier in pairwise(fires)]


def _frequency(pauses: list[timedelta], cron: str) -> str:
    """A word for what is regular, but for changes of clocks; else the cron expression."""
    shortest, longest = min(pauses), max(pauses)
    for pause, word in _WORDS.items():
        slack = timedelta(hours=1) if pause > timedelta(hours=1) else timedelta()
        if pause - slack <= shortest and longest <= pause + slack:
            return word
    if timedelta(days=27) < shortest and longest < timedelta(days=32):
        return "monthly"
    return cron


def _lag_hours(runs: list[RunRow]) -> float | None:
    """The mean time from the end of what a scheduled run covers to the end of the run."""
    lags = [
        (row.finished_at - row.interval_end) / timedelta(hours=1)
        for row in runs
        if row.run_type == "scheduled"
    ]
    return max(0.0, sum(lags) / len(lags)) if lags else None
