"""Cron expressions: the accepted grammar and the one decision when each of them fires."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Literal
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from dli.exceptions import ErrorCode, WorkflowRegistrationError
from dli.specs.zone import as_utc, changes, find_zone, first_instant, offset_at

__all__ = ["check_schedule", "follows_real_time", "next_fire", "previous_fire"]

_MAX_LENGTH = 400
_FIELDS = ("minute", "hour", "day-of-month", "month", "day-of-week")
_VALUE = {
    "month": r"(?:[0-9]{1,2}|jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)",
    "day-of-week": r"(?:[0-9]|sun|mon|tue|wed|thu|fri|sat)",
}
_MICROSECOND = timedelta(microseconds=1)
_ANY_DAY = datetime(2000, 1, 1)  # noqa: DTZ001 - wall-clock time of no zone


def _field_pattern(field: str) -> re.Pattern[str]:
    value = _VALUE.get(field, r"[0-9]{1,2}")
    term = rf"(?:\*|{value}(?:-{value})?)(?:/[0-9]{{1,3}})?"
    return re.compile(rf"{term}(?:,{term})*", re.ASCII | re.IGNORECASE)


_PATTERNS = {field: _field_pattern(field) for field in _FIELDS}


def check_schedule(cron: str, timezone: str) -> None:
    """Refuse an expression that is not five plain fields or never fires, and an unknown zone.

    Raises: WorkflowRegistrationError DLI-805.
    """
    for _, error in schedule_problems(cron, timezone):
        raise error


def schedule_problems(
    cron: str, timezone: str
) -> Iterator[tuple[Literal["cron", "timezone"], WorkflowRegistrationError]]:
    """What `check_schedule` refuses, all of it, each with the key that it is about."""
    try:
        _parse(cron)
    except WorkflowRegistrationError as error:
        yield "cron", error
    try:
        find_zone(timezone)
    except WorkflowRegistrationError as error:
        yield "timezone", error


@lru_cache(maxsize=4096)
def _parse(cron: str) -> str:
    """The expression in one spelling. Messages name the field, never what was given."""
    fields = cron.split(" ") if len(cron) > _MAX_LENGTH else cron.split()
    if len(cron) > _MAX_LENGTH or len(fields) != len(_FIELDS) or not cron.isascii():
        raise _invalid("cron needs exactly five fields: minute hour day-of-month month day-of-week")
    for name, text in zip(_FIELDS, fields, strict=True):
        if not _PATTERNS[name].fullmatch(text):
            raise _invalid(
                f"cron: the {name} field is not valid; "
                "use numbers, names, *, lists, ranges and steps"
            )
    expression = " ".join(fields)
    try:
        next(CronSim(expression, _ANY_DAY))
    except CronSimError as error:
        field = str(error).removeprefix("Bad ")
        raise _invalid(f"cron: the {field} field is out of range, or can never match") from None
    except StopIteration:
        raise _invalid("cron: the expression never fires") from None
    return expression


def _invalid(message: str) -> WorkflowRegistrationError:
    return WorkflowRegistrationError(message, code=ErrorCode.WORKFLOW_INVALID_CRON)


def follows_real_time(cron: str) -> bool:
    """Whether minute or hour hold `*` or a step: such a cron goes by elapsed time."""
    minute, hour = _parse(cron).split()[:2]
    return any(sign in minute + hour for sign in "*/")


@lru_cache(maxsize=4096)  # many workflows share a schedule
def next_fire(cron: str, timezone: str, after: datetime) -> datetime | None:
    """The first fire strictly after this instant, in UTC; none when the calendar ends first."""
    find = _next_by_clock if follows_real_time(cron) else _next_by_wall
    try:
        return find(_parse(cron), find_zone(timezone), as_utc(after))
    except (StopIteration, OverflowError):
        return None


def previous_fire(cron: str, timezone: str, before: datetime) -> datetime:
    """The last fire strictly before this instant, in UTC: the exact inverse of `next_fire`."""
    find = _previous_by_clock if follows_real_time(cron) else _previous_by_wall
    return find(_parse(cron), find_zone(timezone), as_utc(before))


def _next_by_wall(cron: str, zone: ZoneInfo, after: datetime) -> datetime:
    # A repeated wall-clock time counts the first time only; those in a gap mean the gap's end.
    matches = CronSim(cron, after.astimezone(zone).replace(tzinfo=None))
    while (instant := first_instant(next(matches), zone)) <= after:
        pass
    return instant


def _previous_by_wall(cron: str, zone: ZoneInfo, before: datetime) -> datetime:
    local = before.astimezone(zone)
    wall = local.replace(tzinfo=None)
    if local.fold:
        # In the second pass the whole repeated time has fired already, also what is still to come.
        wall += offset_at(first_instant(wall, zone), zone) - offset_at(before, zone)
    matches = CronSim(cron, wall, reverse=True)
    while (instant := first_instant(next(matches), zone)) >= before:
        pass
    return instant


def _next_by_clock(cron: str, zone: ZoneInfo, after: datetime) -> datetime:
    # Between two clock changes wall-clock time and real time run alike: search span by span.
    start = after + _MICROSECOND
    while True:
        offset = offset_at(start, zone)
        wall = (start + offset).replace(tzinfo=None)
        match = next(CronSim(cron, wall - _MICROSECOND))
        instant = (match - offset).replace(tzinfo=UTC)
        change = next(changes(zone, start, instant), None)
        if change is None:
            return instant
        start = change


def _previous_by_clock(cron: str, zone: ZoneInfo, before: datetime) -> datetime:
    end = before
    while True:
        last = end - _MICROSECOND
        offset = offset_at(last, zone)
        wall = (end + offset).replace(tzinfo=None)
        match = next(CronSim(cron, wall, reverse=True))
        instant = (match - offset).replace(tzinfo=UTC)
        change = max(changes(zone, instant, last), default=None)
        if change is None:
            return instant
        end = change
