"""Every clock change of every zone in two years, against a reading of the rules by the minute."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib.resources import files
from zoneinfo import ZoneInfo

import pytest

from dli.specs.schedule import next_fire, previous_fire

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
FIRST, LAST = datetime(2026, 1, 1, tzinfo=UTC), datetime(2028, 1, 1, tzinfo=UTC)
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
    return instant.astimezone(zone).replace(tzinfo=None)


@cache
def clock_changes(name: str) -> tuple[datetime, ...]:
    """The instants at which the zone's offset jumps, found by hours, then by minutes."""
    zone = ZoneInfo(name)
    found, at, offset = [], FIRST, FIRST.astimezone(zone).utcoffset()
    while at < LAST:
        at += 6 * HOUR
        if (new := at.astimezone(zone).utcoffset()) != offset:
            minutes = (at - 6 * HOUR + n * MINUTE for n in range(361))
            found.append(next(m for m in minutes if m.astimezone(zone).utcoffset() == new))
            offset = new
    return tuple(found)


def fixed_fires(wanted: Wish, timeline: list[datetime], zone: ZoneInfo) -> Iterator[datetime]:
    """Each wanted wall-clock time once: the first time it shows, or at the end of its gap."""
    latest = shown(timeline[0], zone) - MINUTE
    for instant in timeline:
        wall = shown(instant, zone)
        new = (latest + n * MINUTE for n in range(1, (wall - latest) // MINUTE + 1))
        if any(map(wanted, new)):
            yield instant
        latest = max(latest, wall)


def real_time_fires(wanted: Wish, timeline: list[datetime], zone: ZoneInfo) -> Iterator[datetime]:
    return (instant for instant in timeline if wanted(shown(instant, zone)))


def forward(cron: str, zone: str, after: datetime, until: datetime) -> Iterator[datetime]:
    fire = next_fire(cron, zone, after)
    while fire is not None and fire <= until:
        yield fire
        fire = next_fire(cron, zone, fire)


def backward(cron: str, zone: str, before: datetime, until: datetime) -> Iterator[datetime]:
    fire = previous_fire(cron, zone, before)
    while fire >= until:
        yield fire
        fire = previous_fire(cron, zone, fire)


def test_the_world_has_as_many_zones_and_changes_as_this_file_is_about() -> None:
    assert len(ZONES) > 590
    assert sum(len(clock_changes(name)) for name in ZONES) > 700


@pytest.mark.parametrize("cron", [*FIXED, *REAL_TIME])
def test_f19_no_fire_is_doubled_or_lost_at_any_clock_change(cron: str) -> None:
    for name in ZONES:
        zone = ZoneInfo(name)
        for change in clock_changes(name):
            timeline = [change + n * MINUTE for n in range(-240, 240)]
            first, last = timeline[0], timeline[-1]
            if cron in FIXED:
                expected = list(fixed_fires(FIXED[cron], timeline, zone))
            else:
                expected = list(real_time_fires(REAL_TIME[cron], timeline, zone))
            assert list(forward(cron, name, first - MINUTE, last)) == expected, (name, change)
            backwards = list(backward(cron, name, last + MINUTE, first))
            assert backwards[::-1] == expected, (name, change)


def test_a_daily_cron_fires_once_on_each_day_of_two_years() -> None:
    offsets: dict[object, str] = {}
    for name in ZONES:
        zone = ZoneInfo(name)
        changes = tuple((at, at.astimezone(zone).utcoffset()) for at in clock_changes(name))
        offsets.setdefault(changes, name)
    for name in offsets.values():
        fires = forward("30 2 * * *", name, FIRST, LAST)
        days = [shown(fire, ZoneInfo(name)).date() for fire in fires]
        assert days == [days[0] + n * DAY for n in range(len(days))], name
        assert len(days) >= 729
