"""The plan that Airflow's timetable follows fires when the embedded engine would."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from dli.specs.schedule import Interval, fires_between, interval_of, intervals_between
from dli_airflow.plan import Plan

MINUTE = timedelta(minutes=1)
CHANGES = [
    ("America/New_York", date(2025, 3, 9)),
    ("America/New_York", date(2025, 11, 2)),
    ("Europe/Berlin", date(2025, 3, 30)),
    ("Europe/Berlin", date(2025, 10, 26)),
    ("Australia/Lord_Howe", date(2025, 4, 6)),
    ("Australia/Lord_Howe", date(2025, 10, 5)),
    ("America/Santiago", date(2025, 9, 7)),
    ("Africa/Cairo", date(2025, 4, 25)),
    ("Asia/Seoul", date(2025, 6, 1)),
]
CRONS = ["30 2 * * *", "0 0 * * *", "15 * * * *", "*/20 1-3 * * *", "0 6 * * 1-5"]


def plan_of(cron: str, timezone: str, since: datetime, **more: bool) -> Plan:
    return Plan("lake.mart.orders", cron, timezone, since, **more)


def runs(plan: Plan, end: datetime) -> list[Interval]:
    """What a scheduler that asks right after each run gets, up to `end`."""
    found: list[Interval] = []
    while True:
        last = found[-1] if found else None
        now = plan.since if last is None else last.end
        interval = plan.next_interval(last, now)
        assert interval is not None
        if interval.end > end:
            return found
        found.append(interval)


@pytest.mark.parametrize("cron", CRONS)
@pytest.mark.parametrize(("timezone", "day"), CHANGES)
def test_a_watched_plan_fires_like_the_embedded_engine(cron: str, timezone: str, day: date) -> None:
    start = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(timezone)) - timedelta(days=3)
    end = start.astimezone(UTC) + timedelta(days=7)
    fires = list(fires_between(cron, timezone, start, end, limit=1_000))
    assert len(fires) > 3
    expected = [interval_of(cron, timezone, fire) for fire in fires]
    assert runs(plan_of(cron, timezone, start.astimezone(UTC)), end) == expected


@pytest.mark.parametrize(("timezone", "day"), CHANGES)
def test_a_backfill_of_airflow_makes_the_intervals_of_the_contract(
    timezone: str, day: date
) -> None:
    first, last = day - timedelta(days=2), day + timedelta(days=2)
    expected = intervals_between("30 2 * * *", timezone, first, last)
    plan = plan_of("30 2 * * *", timezone, datetime.now(UTC))
    found: list[Interval] = []
    for _ in expected:
        interval = plan.interval_from(expected[0].start, found[-1] if found else None)
        assert interval is not None
        found.append(interval)
    assert found == expected


SINCE = datetime(2025, 6, 1, 0, 30, tzinfo=UTC)
HOURLY = plan_of("0 * * * *", "UTC", SINCE)


def hour(number: int) -> Interval:
    start = datetime(2025, 6, 1, tzinfo=UTC) + timedelta(hours=number)
    return Interval(start, start + timedelta(hours=1))


def test_nothing_from_before_the_schedule_is_made_up() -> None:
    for plan in (HOURLY, replace(HOURLY, catchup=True)):
        assert plan.next_interval(None, SINCE) == hour(0)
        assert plan.next_interval(hour(-9), SINCE) == hour(0)


def test_after_downtime_the_latest_missed_fire_runs_late() -> None:
    now = hour(5).end + MINUTE
    assert HOURLY.next_interval(hour(1), now) == hour(5)
    assert HOURLY.next_interval(hour(5), now) == hour(6)


def test_a_fire_that_is_due_this_instant_is_not_skipped() -> None:
    assert HOURLY.next_interval(hour(1), hour(5).end) == hour(5)


def test_with_catchup_every_missed_fire_runs() -> None:
    now = hour(5).end + MINUTE
    assert replace(HOURLY, catchup=True).next_interval(hour(1), now) == hour(2)


@pytest.mark.parametrize("catchup", [False, True])
def test_a_paused_plan_or_one_without_cron_never_fires(catchup: bool) -> None:
    paused = plan_of("0 * * * *", "UTC", SINCE, is_paused=True, catchup=catchup)
    on_demand = plan_of("", "UTC", SINCE, catchup=catchup)
    for plan in (paused, on_demand):
        assert not plan.fires
        assert plan.next_interval(hour(1), hour(9).end) is None
    assert on_demand.interval_from(SINCE, None) is None


def test_a_logical_date_that_another_cron_has_used_is_not_offered_again() -> None:
    """Hourly until noon, then daily at 13:00: yesterday's hour from 13:00 to 14:00 has run."""
    daily = plan_of("0 13 * * *", "UTC", hour(12).start)
    used = Interval(hour(-11).start, hour(-11).end)
    assert used.start == datetime(2025, 5, 31, 13, tzinfo=UTC)
    found = daily.next_interval(used, hour(12).start)
    assert found == Interval(hour(13).start, hour(13).start + timedelta(days=1))


def test_a_hand_made_run_covers_the_latest_complete_interval() -> None:
    assert HOURLY.latest_interval(hour(3).start + MINUTE) == hour(2)
    seoul = plan_of("", "Asia/Seoul", SINCE).latest_interval(datetime(2025, 6, 1, 16, tzinfo=UTC))
    assert seoul.start == datetime(2025, 6, 1, 15, tzinfo=UTC)


def test_a_plan_survives_storage_and_looks_the_same_each_time() -> None:
    local = plan_of("0 1 * * *", "Asia/Seoul", SINCE.astimezone(ZoneInfo("Asia/Seoul")))
    assert Plan.from_json(local.to_json()) == local
    every = replace(local, catchup=True, is_paused=True)
    assert Plan.from_json(every.to_json()) == every
    assert local.to_json() == plan_of("0 1 * * *", "Asia/Seoul", SINCE).to_json()
