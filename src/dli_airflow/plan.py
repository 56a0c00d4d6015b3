"""Which interval a workflow covers next, from its cron and what Airflow remembers of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Self

from dli.specs.schedule import Interval, interval_of, latest_interval, next_fire, previous_fire

__all__ = ["Plan"]

_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Plan:
    """The schedule of one dataset as Airflow keeps it.

    Without a cron, or when paused, nothing fires. Fires at or before `since` belong to an earlier
    schedule or to a pause and are not made up.
    """

    dataset_name: str
    cron: str
    timezone: str
    since: datetime
    is_paused: bool = False
    catchup: bool = False

    @property
    def fires(self) -> bool:
        return bool(self.cron) and not self.is_paused

    def next_interval(self, last: Interval | None, now: datetime) -> Interval | None:
        """What the next scheduled run covers; it is due at the interval's end.

        Of the fires missed before `now` only the latest counts, with `catchup` each of them.
        """
        if not self.fires:
            return None
        after = self.since if last is None else max(self.since, last.end)
        fire = next_fire(self.cron, self.timezone, after)
        if fire is not None and fire <= now and not self.catchup:
            fire = previous_fire(self.cron, self.timezone, now + _MICROSECOND)
        if fire is None:
            return None
        interval = interval_of(self.cron, self.timezone, fire)
        if last is None or interval.start != last.start:
            return interval
        # Another cron has run this logical date already: it counts once, for ever.
        fire = next_fire(self.cron, self.timezone, fire)
        return None if fire is None else interval_of(self.cron, self.timezone, fire)

    def interval_from(self, earliest: datetime, last: Interval | None) -> Interval | None:
        """The first interval that starts at `earliest` or later and after `last`, for backfills."""
        if not self.cron:
            return None
        after = (
            earliest - _MICROSECOND if last is None else max(last.start, earliest - _MICROSECOND)
        )
        start = next_fire(self.cron, self.timezone, after)
        end = None if start is None else next_fire(self.cron, self.timezone, start)
        return None if start is None or end is None else Interval(start, end)

    def latest_interval(self, instant: datetime) -> Interval:
        """The newest interval complete at this instant; without a cron the local day of it."""
        return latest_interval(self.cron, self.timezone, instant)

    def to_json(self) -> dict[str, Any]:
        return {
            "dataset_name": self.dataset_name,
            "cron": self.cron,
            "timezone": self.timezone,
            "since": self.since.astimezone(UTC).isoformat(),
            "is_paused": self.is_paused,
            "catchup": self.catchup,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        return cls(**{**data, "since": datetime.fromisoformat(data["since"])})
