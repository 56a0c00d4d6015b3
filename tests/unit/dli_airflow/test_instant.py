"""Instants of Airflow become plain ones."""

from datetime import UTC, datetime, timedelta
from typing import Self
from zoneinfo import ZoneInfo

from dli_airflow.instant import plain, plain_interval


class Stranger(datetime):
    """A datetime whose arithmetic gives what nobody expects."""

    def __add__(self, other: timedelta) -> Self:
        raise NotImplementedError


def test_an_instant_keeps_its_moment_and_loses_its_class() -> None:
    zone = ZoneInfo("Asia/Seoul")
    found = plain(Stranger(2025, 6, 1, 9, 30, 15, 7, tzinfo=zone))
    assert type(found) is datetime
    assert found == datetime(2025, 6, 1, 0, 30, 15, 7, tzinfo=UTC)
    assert found.tzinfo is UTC
    assert found + timedelta(seconds=1) > found


def test_an_interval_has_plain_ends() -> None:
    interval = plain_interval(*[Stranger(2025, 6, day, tzinfo=UTC) for day in (1, 2)])
    assert {type(interval.start), type(interval.end)} == {datetime}
    assert interval.end - interval.start == timedelta(days=1)
