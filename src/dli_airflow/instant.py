"""Instants as Airflow has them, turned into plain ones: pendulum's own arithmetic is another."""

from __future__ import annotations

from datetime import UTC, datetime

from dli.specs.schedule import Interval

__all__ = ["plain", "plain_interval"]


def plain(instant: datetime) -> datetime:
    """The same instant in UTC, of no subclass of `datetime`."""
    at = instant.astimezone(UTC)
    return datetime(
        at.year, at.month, at.day, at.hour, at.minute, at.second, at.microsecond, tzinfo=UTC
    )


def plain_interval(start: datetime, end: datetime) -> Interval:
    return Interval(plain(start), plain(end))
