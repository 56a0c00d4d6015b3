"""IANA time zones: exact names, and what their clock changes do to wall-clock times."""

from collections.abc import Iterator
from datetime import MAXYEAR, MINYEAR, UTC, date, datetime, time, timedelta
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from zoneinfo import ZoneInfo

from dli.exceptions import DLIValidationError, ErrorCode, WorkflowRegistrationError

__all__ = [
    "as_utc",
    "changes",
    "find_zone",
    "first_instant",
    "is_repeated",
    "local_date",
    "offset_at",
    "start_of_day",
]

# No zone changes its clock twice within this time and ends where it began.
_STEP = timedelta(days=4)


@cache
def _zone_names() -> frozenset[str]:
    # The list of the tzdata package, not of the machine: the same names are valid everywhere.
    spec = find_spec("tzdata")
    if spec is None or not spec.submodule_search_locations:  # pragma: no cover - a dependency
        raise ModuleNotFoundError("tzdata")
    return frozenset(Path(spec.submodule_search_locations[0], "zones").read_text("ascii").split())


@cache
def find_zone(name: str) -> ZoneInfo:
    """The zone of exactly this name.

    Raises: WorkflowRegistrationError DLI-805.
    """
    if name not in _zone_names():
        raise WorkflowRegistrationError(
            "timezone is not the exact name of an IANA zone, such as UTC or Asia/Seoul",
            code=ErrorCode.WORKFLOW_INVALID_CRON,
        )
    return ZoneInfo(name)


def as_utc(instant: datetime) -> datetime:
    """The instant in UTC; a naive one counts as UTC."""
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)


def local_date(instant: datetime, timezone: str) -> date:
    """The day that the zone's calendar shows at this instant."""
    return as_utc(instant).astimezone(find_zone(timezone)).date()


def offset_at(instant: datetime, zone: ZoneInfo) -> timedelta:
    """What the zone's clocks are ahead of UTC at this instant."""
    offset = instant.astimezone(zone).utcoffset()
    assert offset is not None  # a ZoneInfo always knows it
    return offset


def changes(zone: ZoneInfo, after: datetime, until: datetime) -> Iterator[datetime]:
    """The instants in `(after, until]` at which the zone's clocks jump, in order."""
    low, offset = after, offset_at(after, zone)
    while low < until:
        high = min(low + _STEP, until)
        new_offset = offset_at(high, zone)
        if new_offset != offset:
            yield _jump_between(zone, low, high)
        low, offset = high, new_offset


def _jump_between(zone: ZoneInfo, low: datetime, high: datetime) -> datetime:
    """The first whole second in `(low, high]` with the offset of `high`."""
    target = offset_at(high, zone)
    first, last = low.replace(microsecond=0), high.replace(microsecond=0)
    while last - first > timedelta(seconds=1):
        middle = first + timedelta(seconds=(last - first) // timedelta(seconds=2))
        if offset_at(middle, zone) == target:
            last = middle
        else:
            first = middle
    return last


def first_instant(wall: datetime, zone: ZoneInfo) -> datetime:
    """The first instant at which the zone's clocks show `wall` (naive), or the end of its gap."""
    instant = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if instant.astimezone(zone).replace(tzinfo=None) == wall:
        return instant
    # In a gap the two readings of `wall` lie on the two sides of the jump.
    before = wall.replace(tzinfo=zone, fold=1).astimezone(UTC)
    return _jump_between(zone, before, instant)


def is_repeated(wall: datetime, zone: ZoneInfo) -> bool:
    """Whether the zone's clocks show `wall` (naive) twice."""
    first, second = (wall.replace(tzinfo=zone, fold=fold).utcoffset() for fold in (0, 1))
    assert first is not None
    assert second is not None
    return first > second


def start_of_day(day: date, timezone: str) -> datetime:
    """The first instant of this day in the zone; of the next day where the calendar leaves it out.

    Raises: DLIValidationError DLI-204 at the ends of the calendar, where UTC has no such instant.
    """
    if not MINYEAR < day.year < MAXYEAR:
        raise DLIValidationError("date is out of range", code=ErrorCode.PARAMETER_INVALID)
    return first_instant(datetime.combine(day, time()), find_zone(timezone))
