"""Every clock change of every zone in two years, against a reading of the rules by the minute."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from clock_change import FIXED, REAL_TIME, ZONES, changes_between, fires_in, shown
from dli.specs.schedule import next_fire, previous_fire

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
FIRST, LAST = datetime(2026, 1, 1, tzinfo=UTC), datetime(2028, 1, 1, tzinfo=UTC)


def clock_changes(name: str) -> tuple[datetime, ...]:
    return changes_between(name, FIRST, LAST)


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
            expected = fires_in(cron, timeline, zone)
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
