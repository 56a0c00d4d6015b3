"""The log of a task in Airflow, as lines of a run's log."""

from __future__ import annotations

import threading
from collections import OrderedDict
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from basecamp.engines.airflow.connection import TooLargeError
from basecamp.engines.airflow.rest import LogPart

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from basecamp.clock import Clock
    from basecamp.engines.airflow.rest import AirflowRest
    from basecamp.engines.airflow.state import SeenTry
    from basecamp.engines.base import LogLine

_LEVELS = {"warning": "warning", "error": "error", "critical": "error"}
_LINE_LIMIT = 4_000
_KEPT = 8
_SETTLED = timedelta(seconds=10)
"""The last lines of an attempt may come after its end."""


class LogReader:
    """Reads what is new of the logs that somebody follows; used by many threads.

    What was read of the last few attempts is kept: of one that has ended all, of one that goes on
    what Airflow has shown so far and where to go on from there.
    """

    def __init__(self, rest: AirflowRest, clock: Clock) -> None:
        self._rest = rest
        self._clock = clock
        self._lock = threading.Lock()
        self._parts: OrderedDict[tuple[str, str, int], LogPart] = OrderedDict()

    def lines(self, dag_id: str, run_id: str) -> list[LogLine]:
        """All lines of all attempts so far."""
        lines: list[LogLine] = []
        for one in self._rest.tries(dag_id, run_id):
            if one.started_at is not None:
                lines += lines_of(self._entries(dag_id, run_id, one), first=len(lines) + 1)
        return lines

    def _entries(self, dag_id: str, run_id: str, one: SeenTry) -> list[Any]:
        key = (dag_id, run_id, one.number)
        with self._lock:
            known = self._parts.get(key)
        if known is not None and known.token is None:
            return known.entries
        if one.has_ended:
            part = LogPart(self._rest.log(*key), None)
            if one.ended_at is None or self._clock.now() - one.ended_at < _SETTLED:
                return part.entries
        else:
            try:
                more = self._rest.log_on(*key, known.token if known else None)
            except TooLargeError:
                return self._rest.log(*key)  # only its beginning is shown
            part = LogPart((known.entries if known else []) + more.entries, more.token)
            if part.token is None:
                return part.entries
        self._keep(key, part)
        return part.entries

    def _keep(self, key: tuple[str, str, int], part: LogPart) -> None:
        with self._lock:
            self._parts[key] = part
            self._parts.move_to_end(key)
            while len(self._parts) > _KEPT:
                self._parts.popitem(last=False)


def lines_of(entries: Iterable[Any], *, first: int) -> Iterator[LogLine]:
    """What the dataset's own code wrote, and what went wrong around it, numbered from `first`."""
    number = first
    for entry in entries:
        line = _line(entry, number)
        if line is not None:
            number += 1
            yield line


def _line(entry: Any, number: int) -> LogLine | None:
    if not isinstance(entry, dict):
        return None
    text, at = entry.get("event"), _instant(entry.get("timestamp"))
    if not isinstance(text, str) or at is None or text.startswith("::"):
        return None
    level = _LEVELS.get(str(entry.get("level")), "info")
    logger = str(entry.get("logger", ""))
    is_noise = logger == "task" or (
        logger.startswith("airflow.") and not logger.startswith("airflow.task.")
    )
    if level == "info" and is_noise:
        return None
    message = text + "".join(_causes(entry))
    return {"seq": number, "at": at, "level": level, "message": message[:_LINE_LIMIT]}


def _causes(entry: dict[str, Any]) -> Iterator[str]:
    details = entry.get("error_detail")
    for detail in details if isinstance(details, list) else ():
        if isinstance(detail, dict):
            yield f" {detail.get('exc_type', 'Error')}: {detail.get('exc_value', '')}"


def _instant(text: Any) -> str | None:
    try:
        found = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None
    if found.tzinfo is None:
        return None
    return found.astimezone(UTC).isoformat().replace("+00:00", "Z")
