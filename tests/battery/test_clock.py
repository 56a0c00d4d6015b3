"""Schedules around the changes of clocks, all over the world, in both engines."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from campaign import Campaign
from clock_change import FIXED, REAL_TIME, ZONES, changes_between, fires_in
from dli.specs.schedule import fires_between, interval_of, next_fire, previous_fire
from dli_airflow.plan import Plan

MINUTE = timedelta(minutes=1)
HALF_WINDOW = 240
CRONS = [*FIXED, *REAL_TIME]
OTHER_CRONS = ("0 6 * * 1-5", "*/20 1-3 * * *", "0 2 1 * *", "45 23 * * MON")
"""Without a reading of their own: only that both engines agree, and each fire has one interval."""


def years(campaign: Campaign) -> tuple[datetime, datetime]:
    if campaign.size(ci=1, long=2) == 2:
        return datetime(2000, 1, 1, tzinfo=UTC), datetime(2041, 1, 1, tzinfo=UTC)
    first = campaign.random.randrange(2020, 2036)
    return datetime(first, 1, 1, tzinfo=UTC), datetime(first + 2, 1, 1, tzinfo=UTC)


def changes(campaign: Campaign) -> list[tuple[str, datetime]]:
    first, last = years(campaign)
    campaign.count("zones", len(ZONES))
    return [(name, at) for name in ZONES for at in changes_between(name, first, last)]


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


def test_t13_at_each_change_of_clocks_no_fire_is_doubled_or_lost(campaign: Campaign) -> None:
    for name, change in changes(campaign):
        zone = ZoneInfo(name)
        timeline = [change + n * MINUTE for n in range(-HALF_WINDOW, HALF_WINDOW)]
        first, last = timeline[0], timeline[-1]
        # Each change with some of the crons; all of them at each change in the long run.
        for cron in campaign.random.sample(CRONS, campaign.size(ci=3, long=len(CRONS))):
            expected = fires_in(cron, timeline, zone)
            assert list(forward(cron, name, first - MINUTE, last)) == expected, (name, change, cron)
            backwards = list(backward(cron, name, last + MINUTE, first))
            assert backwards[::-1] == expected, (name, change, cron)
            campaign.count("crons at a change of clocks")
            campaign.count("fires", len(expected))


def test_t13_the_engines_fire_at_the_same_instants_for_the_same_intervals(
    campaign: Campaign,
) -> None:
    found = changes(campaign)
    found = campaign.random.sample(found, min(len(found), campaign.size(ci=400, long=len(found))))
    for name, change in found:
        for cron in campaign.random.sample([*CRONS, *OTHER_CRONS], 3):
            since = change - timedelta(days=2)
            until = change + timedelta(days=2)
            fires = list(fires_between(cron, name, since, until, limit=1_000))
            embedded = [interval_of(cron, name, fire) for fire in fires]
            assert all(one.end == two.start for one, two in pairwise(embedded)), (name, cron)
            plan = Plan("local.clock.t", cron, name, since)
            last, now = None, since
            for interval in embedded:
                last = plan.next_interval(last, now)
                assert last == interval, (name, change, cron)
                now = interval.end
            campaign.count("schedules around a change of clocks")
            campaign.count("fires", len(fires))
