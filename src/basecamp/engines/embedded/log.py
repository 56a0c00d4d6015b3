"""The log of one run: JSON lines in a file that the server reads while the run goes on."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from basecamp.engines.base import LogLine

_LIMIT_BYTES = 10 * 1024 * 1024
_LINE_LIMIT = 4_000


class RunLog:
    """Appends lines to a run's log and says so; past 10 MiB only a note is written, once."""

    def __init__(self, path: Path, on_line: Callable[[], None]) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        self._on_line = on_line
        self._is_full = False

    def write(self, level: str, message: str) -> None:
        """Append one line at `level` (`info`, `warning` or `error`)."""
        if self._is_full:
            return
        if os.fstat(self._file).st_size > _LIMIT_BYTES:
            self._is_full = True
            level, message = "warning", "The log has reached its limit of 10 MiB and ends here."
        line = {
            "at": datetime.now(UTC).isoformat().replace("+00:00", "Z"),
            "level": level,
            "message": message[:_LINE_LIMIT],
        }
        os.write(self._file, json.dumps(line, ensure_ascii=False).encode() + b"\n")
        self._on_line()

    def close(self) -> None:
        """Write nothing any more."""
        os.close(self._file)


def read_lines(path: Path, *, after: int, limit: int) -> list[LogLine]:
    """Whole lines after the `after`-th; none when there is no log yet."""
    if not path.exists():
        return []
    lines: list[LogLine] = []
    with path.open(encoding="utf-8") as file:
        for number, text in enumerate(file, start=1):
            if number > after and text.endswith("\n") and len(lines) < limit:
                line = json.loads(text)
                lines.append(
                    {
                        "seq": number,
                        "at": line["at"],
                        "level": line["level"],
                        "message": line["message"],
                    }
                )
    return lines
