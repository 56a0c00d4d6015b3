"""The log of a task in Airflow, as lines of a run's log."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from basecamp.engines.base import LogLine

_LEVELS = {"warning": "warning", "error": "error", "critical": "error"}
_LINE_LIMIT = 4_000


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
