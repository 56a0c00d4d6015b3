"""When a workflow runs and which data each run covers: fires, intervals, and previews of both."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from itertools import islice

from dli.exceptions import DLIValidationError, ErrorCode
from dli.specs.cron import check_schedule, follows_real_time, next_fire, previous_fire
from dli.specs.zone import (
    as_utc,
    changes,
    find_zone,
    is_repeated,
    local_date,
    offset_at,
    start_of_day,
)

__all__ = [
    "Fire",
    "Interval",
    "check_schedule",
    "fires_between",
    "interval_for_date",
    "interval_of",
    "intervals_between",
    "latest_interval",
    "local_date",
    "next_fire",
    "preview",
    "previous_fire",
]

MAX_INTERVALS = 1_000
_DAY = timedelta(days=1)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Interval:
    """The data of one run: from `start` up to, not including, `end`; both in UTC."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Fire:
    """One coming fire, the time its zone's clocks show then, and what a clock change does to it."""

    at: datetime
    local: datetime
    note: str | None = None


@lru_cache(maxsize=4096)  # many workflows share a schedule
def interval_of(cron: str, timezone: str, fire: datetime) -> Interval:
    """What the run started by this fire covers."""
    return Interval(previous_fire(cron, timezone, fire), as_utc(fire))


def latest_interval(cron: str, timezone: str, now: datetime) -> Interval:
    """The newest complete interval; without a schedule (`""`) the local day of `now`."""
    if not cron:
        return _day_interval(local_date(now, timezone), timezone)
    end = previous_fire(cron, timezone, as_utc(now) + _MICROSECOND)
    return interval_of(cron, timezone, end)


def interval_for_date(cron: str, timezone: str, day: date) -> Interval:
    """The first interval that starts on this day of the zone, or, if none does, the day itself.

    Raises: DLIValidationError DLI-204 for a day that the zone's calendar leaves out.
    """
    whole_day = _day_interval(day, timezone)
    if whole_day.start == whole_day.end:
        raise DLIValidationError(
            "this day does not exist in the workflow's timezone", code=ErrorCode.PARAMETER_INVALID
        )
    if not cron:
        return whole_day
    return next(_intervals(cron, timezone, whole_day), whole_day)


def intervals_between(cron: str, timezone: str, first_day: date, last_day: date) -> list[Interval]:
    """The intervals that start on one of these days of the zone, both ends included.

    Raises: DLIValidationError DLI-204 when the days are out of order or give more than 1,000.
    """
    if last_day < first_day:
        raise DLIValidationError("end date is before start date", code=ErrorCode.PARAMETER_INVALID)
    intervals = _days(first_day, last_day, timezone)
    if cron:
        end = _day_interval(last_day, timezone).end
        span = Interval(start_of_day(first_day, timezone), end)
        intervals = _intervals(cron, timezone, span)
    found = list(islice(intervals, MAX_INTERVALS + 1))
    if len(found) > MAX_INTERVALS:
        raise DLIValidationError(
            f"the range gives more than {MAX_INTERVALS:,} runs; choose fewer days",
            code=ErrorCode.PARAMETER_INVALID,
        )
    return found


def fires_between(
    cron: str, timezone: str, start: datetime, end: datetime, limit: int
) -> Iterator[datetime]:
    """The fires in `(start, end]`, oldest first, at most `limit`."""
    end, fire = as_utc(end), next_fire(cron, timezone, start)
    for _ in range(limit):
        if fire is None or fire > end:
            return
        yield fire
        fire = next_fire(cron, timezone, fire)


def preview(cron: str, timezone: str, after: datetime, count: int) -> list[Fire]:
    """The next `count` fires, with a note where a clock change moves, repeats or drops one."""
    zone, fires, last = find_zone(timezone), list[Fire](), as_utc(after)
    for _ in range(count):
        at = next_fire(cron, timezone, last)
        if at is None:
            break
        fires.append(Fire(at, at.astimezone(zone), _note(cron, timezone, last, at)))
        last = at
    return fires


def _note(cron: str, timezone: str, last: datetime, at: datetime) -> str | None:
    zone = find_zone(timezone)
    wall = at.astimezone(zone).replace(tzinfo=None)
    if not follows_real_time(cron):
        if is_repeated(wall, zone):
            return "clocks go back: this time happens twice, runs the first time only"
        if next(changes(zone, at - _MICROSECOND, at), None) and not _shows(cron, wall):
            return "clocks go forward: the planned time does not exist, runs right after the gap"
        return None
    change = next(changes(zone, last, at), None)
    if change is None:
        return None
    forward = offset_at(change, zone) > offset_at(change - _MICROSECOND, zone)
    shown = f"{'forward' if forward else 'back'} to {change.astimezone(zone):%H:%M}"
    return f"clocks go {shown} before this fire; runs follow real time"


def _shows(cron: str, wall: datetime) -> bool:
    return next_fire(cron, "UTC", wall - _MICROSECOND) == as_utc(wall)


def _intervals(cron: str, timezone: str, span: Interval) -> Iterator[Interval]:
    """The intervals that start within the span; the last may end after it."""
    start = next_fire(cron, timezone, span.start - _MICROSECOND)
    while start is not None and start < span.end:
        end = next_fire(cron, timezone, start)
        if end is None:
            return
        yield Interval(start, end)
        start = end


def _days(first_day: date, last_day: date, timezone: str) -> Iterator[Interval]:
    for number in range((last_day - first_day).days + 1):
        interval = _day_interval(first_day + number * _DAY, timezone)
        if interval.start < interval.end:  # a zone that crosses the date line leaves a day out
            yield interval


def _day_interval(day: date, timezone: str) -> Interval:
    return Interval(start_of_day(day, timezone), start_of_day(day + _DAY, timezone))
