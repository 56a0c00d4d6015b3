"""Up to when the runs of Airflow have been read, so that a restart goes on from there."""

from __future__ import annotations

import json
import secrets
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

FIRST_LOOK_BACK = timedelta(days=7)
"""Without a mark, runs that changed before this are left alone."""
_SAVE_EVERY = timedelta(seconds=5)


class Watermark:
    """An instant on Airflow's clock, kept in a file. Losing it costs time, not runs of a week."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._saved: datetime | None = None
        self._at = _load(path)

    def since(self, now: datetime, overlap: timedelta) -> datetime:
        """From when on to read; what was committed late there lies in the overlap."""
        return (self._at - overlap) if self._at is not None else now - FIRST_LOOK_BACK

    def move(self, at: datetime | None) -> None:
        """All that had changed before `at` is read."""
        if at is None or (self._at is not None and at <= self._at):
            return
        self._at = at
        if self._saved is None or at - self._saved >= _SAVE_EVERY:
            fresh = self._path.with_name(f".{self._path.name}-{secrets.token_hex(4)}")
            fresh.write_text(json.dumps({"read_until": at.isoformat()}), encoding="utf-8")
            fresh.replace(self._path)
            self._saved = at


def _load(path: Path) -> datetime | None:
    try:
        found = datetime.fromisoformat(json.loads(path.read_bytes())["read_until"])
    except (OSError, ValueError, TypeError, KeyError):
        return None
    return found if found.tzinfo is not None and found <= datetime.now(UTC) else None
