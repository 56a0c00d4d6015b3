"""What a cron means where clocks change: the rules read minute by minute, to test against."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import cache
from importlib.resources import files
from zoneinfo import ZoneInfo

__all__ = ["FIXED", "REAL_TIME", "ZONES", "changes_between", "fires_in", "shown"]

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
ZONES = sorted(files("tzdata").joinpath("zones").read_text("ascii").split())

Wish = Callable[[datetime], bool]

FIXED: dict[str, Wish] = {
    "30 1 * * *": lambda at: (at.hour, at.minute) == (1, 30),
    "30 2 * * *": lambda at: (at.hour, at.minute) == (2, 30),
    "0 0 * * *": lambda at: (at.hour, at.minute) == (0, 0),
    "5,15,45 0-3,23 * * *": lambda at: at.hour in (0, 1, 2, 3, 23) and at.minute in (5, 15, 45),
    "59 1,2 * * SUN": lambda at: at.hour in (1, 2) and at.minute == 59 and at.isoweekday() == 7,
}
REAL_TIME: dict[str, Wish] = {
    "15 * * * *": lambda at: at.minute == 15,
    "*/30 * * * *": lambda at: at.minute % 30 == 0,
    "10-50/20 0-23/2 * * *": lambda at: at.hour % 2 == 0 and at.minute in (10, 30, 50),
}


def shown(instant: datetime, zone: ZoneInfo) -> datetime:
    """What a clock on the wall shows."""
    return instant.astimezone(zone).replace(tzinfo=None)


@cache
def changes_between(name: str, first: datetime, last: datetime) -> tuple[datetime, ...]:
    """The instants at which the zone's offset jumps, found by hours, then by minutes."""
    zone = ZoneInfo(name)
    found, at, offset = [], first, first.astimezone(zone).utcoffset()
    while at < last:
        at += 6 * HOUR
        if (new := at.astimezone(zone).utcoffset()) != offset:
            minutes = (at - 6 * HOUR + n * MINUTE for n in range(361))
            found.append(next(m for m in minutes if m.astimezone(zone).utcoffset() == new))
            offset = new
    return tuple(found)


def fires_in(cron: str, timeline: list[datetime], zone: ZoneInfo) -> list[datetime]:
    """The minutes of the timeline at which this cron, one of the table, is to fire."""
    if cron in FIXED:
        return list(_fixed_fires(FIXED[cron], timeline, zone))
    wanted = REAL_TIME[cron]
    return [instant for instant in timeline if wanted(shown(instant, zone))]


def _fixed_fires(wanted: Wish, timeline: list[datetime], zone: ZoneInfo) -> Iterator[datetime]:
    """Each wanted wall-clock time once: the first time it shows, or at the end of its gap."""
    latest = shown(timeline[0], zone) - MINUTE
    for instant in timeline:
        wall = shown(instant, zone)
        new = (latest + n * MINUTE for n in range(1, (wall - latest) // MINUTE + 1))
        if any(map(wanted, new)):
            yield instant
        latest = max(latest, wall)
