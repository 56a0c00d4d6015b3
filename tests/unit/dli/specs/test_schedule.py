"""When schedules fire: cron, zones and clock changes."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dli.exceptions import DLIValidationError, WorkflowRegistrationError
from dli.specs.schedule import (
    Interval,
    check_schedule,
    fires_between,
    interval_for_date,
    interval_of,
    intervals_between,
    latest_interval,
    local_date,
    next_fire,
    preview,
    previous_fire,
)

NEW_YORK, SEOUL = "America/New_York", "Asia/Seoul"


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc, arg-type]


@pytest.mark.parametrize(
    "cron",
    [
        "0 9 * * *",
        "*/15 0-6,22 1-7/2 jan-mar,DEC MON-fri",
        "0 0 * * 7",
        "0 0 * * 0",
        "0 0 31 2 MON",  # either day matches
        "0 0 29 2 *",
        "\t5/10 0  1 1 *",
    ],
)
def test_plain_cron_is_accepted(cron: str) -> None:
    check_schedule(cron, "UTC")


@pytest.mark.parametrize(
    "cron",
    [
        "",
        "* * * *",
        "0 * * * * *",
        "@daily",
        "61 * * * *",
        "0 24 * * *",
        "0 0 0 * *",
        "0 0 * 13 *",
        "0 0 * * 8",
        "0 0 L * *",
        "0 0 LW * *",
        "0 0 1W * *",
        "0 0 * * 5L",
        "0 0 * * 1#2",
        "0 0 ? * *",
        "R * * * *",
        "0 0 31 2 *",
        "0 0 30 2 */2",
        "5-1 * * * *",
        "*/0 * * * *",
        "-5 * * * *",
        "1,,2 * * * *",
        "mon * * * *",
        "１ * * * *",
        "١ * * * *",
        "0 9 * * mon\u0131",
        "0 9 *\u00a0* *",
        "0 9 * * *\u2028",
        "0" + ",0" * 300 + " * * * *",
    ],
)
def test_what_is_no_plain_cron_or_never_fires_is_refused(cron: str) -> None:
    with pytest.raises(WorkflowRegistrationError) as caught:
        check_schedule(cron, "UTC")
    assert caught.value.code == "DLI-805"
    assert not cron or cron not in caught.value.message


@pytest.mark.parametrize(
    "zone",
    ["", "asia/seoul", "Asia/seoul", "UTC ", "EST5", "../UTC", "localtime", "posix/UTC", "+09"],
)
def test_only_exact_zone_names_are_accepted(zone: str) -> None:
    with pytest.raises(WorkflowRegistrationError) as caught:
        check_schedule("0 9 * * *", zone)
    assert caught.value.code == "DLI-805"


def test_either_day_matches_when_both_are_restricted() -> None:
    fires = fires_between("0 0 13 * FRI", "UTC", utc(2026, 2, 1), utc(2026, 2, 28), 10)
    assert [fire.day for fire in fires] == [6, 13, 20, 27]


def test_fires_are_strictly_after_and_strictly_before() -> None:
    nine = utc(2026, 5, 4, 0)
    assert next_fire("0 9 * * *", SEOUL, nine) == utc(2026, 5, 5)
    assert next_fire("0 9 * * *", SEOUL, nine - timedelta(microseconds=1)) == nine
    assert previous_fire("0 9 * * *", SEOUL, nine) == utc(2026, 5, 3)
    assert previous_fire("0 9 * * *", SEOUL, nine + timedelta(microseconds=1)) == nine


def test_a_naive_instant_counts_as_utc() -> None:
    assert next_fire("0 9 * * *", "UTC", datetime(2026, 5, 4, 8)) == utc(2026, 5, 4, 9)  # noqa: DTZ001


def test_a_fire_may_be_years_away() -> None:
    assert next_fire("0 0 29 2 *", "UTC", utc(2096, 3, 1)) == utc(2104, 2, 29)
    assert previous_fire("*/7 0 29 2 *", "UTC", utc(2104, 2, 28)) == utc(2096, 2, 29, 0, 56)


def test_the_end_of_the_calendar_is_no_error() -> None:
    assert next_fire("0 0 1 1 *", NEW_YORK, utc(9999, 6, 1)) is None


CRONS = st.sampled_from(
    ["30 2 * * *", "30 1 * * *", "0 */3 * * *", "*/20 1-3 * * *", "0 0 1 * *", "15 0,2 * * SUN",
     "7 * 8 3 *", "0 0 1 11 *", "59 23 * * *", "*/30 1 1 11 *", "1 0 29 2 *"]
)  # fmt: skip
ZONES = st.sampled_from(
    [NEW_YORK, SEOUL, "UTC", "Australia/Lord_Howe", "Africa/Casablanca", "America/Havana",
     "Asia/Beirut", "Pacific/Apia", "America/Sao_Paulo", "Antarctica/Troll"]
)  # fmt: skip
INSTANTS = st.datetimes(datetime(1990, 1, 1), datetime(2060, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@settings(deadline=None)
@given(cron=CRONS, zone=ZONES, at=INSTANTS)
def test_previous_fire_is_the_inverse_of_next_fire(cron: str, zone: str, at: datetime) -> None:
    after = next_fire(cron, zone, at)
    assert after is not None
    before = previous_fire(cron, zone, after)
    assert before <= at < after
    assert next_fire(cron, zone, before) == after


class TestIntervals:
    def test_a_run_covers_the_time_between_two_fires(self) -> None:
        fire = utc(2026, 5, 4)
        assert interval_of("0 9 * * *", SEOUL, fire) == Interval(utc(2026, 5, 3), fire)

    def test_the_latest_interval_is_complete(self) -> None:
        expected = Interval(utc(2026, 5, 3), utc(2026, 5, 4))
        assert latest_interval("0 9 * * *", SEOUL, utc(2026, 5, 4)) == expected
        assert latest_interval("0 9 * * *", SEOUL, utc(2026, 5, 4, 23, 59)) == expected

    def test_without_schedule_it_is_the_local_day(self) -> None:
        today = latest_interval("", SEOUL, utc(2026, 5, 4, 15))
        assert today == Interval(utc(2026, 5, 4, 15), utc(2026, 5, 5, 15))

    def test_a_date_means_the_first_interval_that_starts_on_it(self) -> None:
        assert interval_for_date("0 */6 * * *", SEOUL, date(2026, 5, 4)) == Interval(
            utc(2026, 5, 3, 15), utc(2026, 5, 3, 21)
        )
        assert interval_for_date("0 9 * * *", SEOUL, date(2026, 5, 4)) == Interval(
            utc(2026, 5, 4), utc(2026, 5, 5)
        )

    def test_a_date_without_fire_means_the_day(self) -> None:
        wednesday = date(2026, 5, 6)
        interval = interval_for_date("0 9 * * MON", SEOUL, wednesday)
        assert interval == Interval(utc(2026, 5, 5, 15), utc(2026, 5, 6, 15))
        assert local_date(interval.start, SEOUL) == wednesday

    def test_a_backfill_has_one_run_per_interval_that_starts_in_the_range(self) -> None:
        days = intervals_between("0 9 * * *", SEOUL, date(2026, 5, 1), date(2026, 5, 7))
        assert [local_date(day.start, SEOUL).day for day in days] == [1, 2, 3, 4, 5, 6, 7]
        assert days[-1].end == utc(2026, 5, 8)
        hours = intervals_between("0 * * * *", NEW_YORK, date(2026, 11, 1), date(2026, 11, 1))
        assert len(hours) == 25
        assert intervals_between("0 9 1 * *", SEOUL, date(2026, 5, 2), date(2026, 5, 3)) == []

    def test_without_schedule_a_backfill_has_one_run_per_day(self) -> None:
        days = intervals_between("", NEW_YORK, date(2026, 3, 7), date(2026, 3, 9))
        hours = [(day.end - day.start) // timedelta(hours=1) for day in days]
        assert hours == [24, 23, 24]

    def test_a_day_that_the_calendar_left_out_has_no_run(self) -> None:
        days = intervals_between("", "Pacific/Apia", date(2011, 12, 29), date(2011, 12, 31))
        assert [local_date(day.start, "Pacific/Apia").day for day in days] == [29, 31]
        with pytest.raises(DLIValidationError) as caught:
            interval_for_date("", "Pacific/Apia", date(2011, 12, 30))
        assert caught.value.code == "DLI-204"

    @pytest.mark.parametrize("cron", ["", "0 0 * * *", "* * * * *"])
    @pytest.mark.parametrize(
        ("first", "last"),
        [
            (date(2026, 1, 2), date(2026, 1, 1)),
            (date(2020, 1, 1), date(2026, 1, 1)),
            (date.min, date.min),
            (date.max, date.max),
            (date.min, date.max),
        ],
    )
    def test_an_impossible_range_is_refused(self, cron: str, first: date, last: date) -> None:
        with pytest.raises(DLIValidationError) as caught:
            intervals_between(cron, NEW_YORK, first, last)
        assert caught.value.code == "DLI-204"

    def test_f26_a_thousand_runs_are_the_most(self) -> None:
        first = date(2020, 1, 1)
        assert len(intervals_between("", SEOUL, first, first + timedelta(days=999))) == 1000


def test_fires_between_excludes_its_start_and_includes_its_end() -> None:
    start, end = utc(2026, 5, 4, 1), utc(2026, 5, 4, 5)
    fires = list(fires_between("0 * * * *", "UTC", start, end, 100))
    assert [fire.hour for fire in fires] == [2, 3, 4, 5]
    assert list(fires_between("0 * * * *", "UTC", start, end, 2)) == fires[:2]


class TestPreview:
    def test_a_fire_in_the_gap_is_said_to_be_moved(self) -> None:
        saturday = utc(2026, 3, 7, 12)
        moved, usual = preview("30 2 * * *", NEW_YORK, saturday, 2)
        assert (moved.local.hour, moved.local.minute) == (3, 0)
        assert moved.note is not None
        assert "forward" in moved.note
        assert usual.note is None

    def test_a_plain_fire_at_the_end_of_the_gap_has_no_note(self) -> None:
        (fire,) = preview("0 3 * * *", NEW_YORK, utc(2026, 3, 7, 12), 1)
        assert fire.note is None

    def test_a_repeated_time_is_said_to_run_once(self) -> None:
        usual, repeated, after = preview("30 1 * * *", NEW_YORK, utc(2026, 10, 31), 3)
        assert repeated.note is not None
        assert "twice" in repeated.note
        assert usual.note is after.note is None

    def test_a_change_between_two_hourly_fires_is_said(self) -> None:
        notes = [fire.note for fire in preview("0 * * * *", NEW_YORK, utc(2026, 3, 8, 5, 30), 3)]
        assert notes[0] is None
        assert notes[1] is not None
        assert "forward to 03:00" in notes[1]
        assert notes[2] is None
