"""Instants: aware datetimes in UTC, whatever came in."""

from datetime import UTC, datetime
from typing import Annotated, TypeAlias

from pydantic import AfterValidator

__all__ = ["Instant", "as_utc", "seconds_between", "utc_now"]


def utc_now() -> datetime:
    return datetime.now(UTC)


def as_utc(value: datetime) -> datetime:
    """The same instant in UTC; a naive value counts as UTC."""
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def seconds_between(start: datetime, end: datetime) -> float:
    return (as_utc(end) - as_utc(start)).total_seconds()


Instant: TypeAlias = Annotated[datetime, AfterValidator(as_utc)]
