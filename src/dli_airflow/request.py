"""What one run was asked to do, as its Airflow run carries it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from dli.exceptions import DLIValidationError, ErrorCode
from dli.specs.parameter import requested_date
from dli.specs.schedule import Interval, interval_for_date, latest_interval

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Request"]


@dataclass(frozen=True, slots=True)
class Request:
    """The data interval, when it was decided already, and parameters, as given; not yet checked.

    `request_id` and `traceparent` are those of the request to Basecamp that the run was asked by.
    """

    interval: Interval | None = None
    parameters: dict[str, Any] = field(default_factory=dict)
    spec_hash: str | None = None
    request_id: str | None = None
    traceparent: str | None = None

    @classmethod
    def from_conf(cls, conf: Mapping[str, Any]) -> Request:
        """The request in the `conf` of a run that Basecamp or a person has triggered.

        Raises: DLIValidationError DLI-204.
        """
        parameters = conf.get("parameters") or {}
        if not isinstance(parameters, dict):
            raise _refused("parameters must be a mapping")
        bounds = conf.get("interval_start"), conf.get("interval_end")
        ids = (conf.get(name) for name in ("spec_hash", "request_id", "traceparent"))
        return cls(_interval(*bounds), parameters, *ids)

    def resolved(
        self, cron: str, timezone: str, planned: Interval | None, at: datetime
    ) -> Interval:
        """What the run covers: as asked, else by its date, else as planned, else the latest."""
        if self.interval is not None:
            return self.interval
        day = requested_date(self.parameters)
        if day is not None:
            return interval_for_date(cron, timezone, day)
        return planned or latest_interval(cron, timezone, at)


def _interval(start: Any, end: Any) -> Interval | None:
    if start is None and end is None:
        return None
    interval = Interval(_instant(start), _instant(end))
    if interval.start >= interval.end:
        raise _refused("interval_start must be before interval_end")
    return interval


def _instant(text: Any) -> datetime:
    try:
        instant = datetime.fromisoformat(text)
        if instant.tzinfo is None:
            raise ValueError
    except (TypeError, ValueError):
        raise _refused(
            "interval_start and interval_end must be ISO instants with an offset from UTC"
        ) from None
    return instant


def _refused(message: str) -> DLIValidationError:
    return DLIValidationError(message, code=ErrorCode.PARAMETER_INVALID)
