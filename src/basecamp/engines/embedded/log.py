"""The log of one run: JSON lines in a file that the server reads while the run goes on."""

from __future__ import annotations

import json
import os
from collections import OrderedDict, deque
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from basecamp.engines.base import LogLine

_LIMIT_BYTES = 10 * 1024 * 1024
_TAIL_LINES = 100
_LINE_LIMIT = 4_000
_KNOWN_OFFSETS = 1_000


class RunLog:
    """Appends lines to a run's log and says so.

    Past 10 MiB a note is written, and what comes then waits for the end, of which the last hundred
    lines are kept: why a run failed is told last.
    """

    def __init__(self, path: Path, on_line: Callable[[], None]) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        self._on_line = on_line
        self._size_bytes = os.fstat(self._file).st_size
        self._tail: deque[tuple[str, str]] = deque(maxlen=_TAIL_LINES)
        self._held_back = 0

    def write(self, level: str, message: str) -> None:
        """Append one line at `level` (`info`, `warning` or `error`)."""
        text = message[:_LINE_LIMIT]
        if self._size_bytes > _LIMIT_BYTES:
            self._held_back += 1
            self._tail.append((level, text))
            return
        self._append(level, text)
        if self._size_bytes > _LIMIT_BYTES:
            self._append(
                "warning",
                "The log has reached its limit of 10 MiB; its last lines follow at the end.",
            )

    def _append(self, level: str, message: str) -> None:
        at = datetime.now(UTC).isoformat().replace("+00:00", "Z")
        line = {"at": at, "level": level, "message": message}
        with suppress(OSError):  # a full disk shall cost lines, not the run
            data = json.dumps(line, ensure_ascii=False).encode() + b"\n"
            self._size_bytes += os.write(self._file, data)
        self._on_line()

    def close(self) -> None:
        """Write the last lines of a log that has reached its limit, and nothing any more."""
        if (left_out := self._held_back - len(self._tail)) > 0:
            self._append("warning", f"{left_out} lines were left out here.")
        for level, text in self._tail:
            self._append(level, text)
        self._tail.clear()
        os.close(self._file)


class LogReader:
    """Reads logs on from where they were read up to, not from their start each time."""

    def __init__(self) -> None:
        self._offsets: OrderedDict[tuple[Path, int], int] = OrderedDict()

    def read(self, path: Path, *, after: int, limit: int) -> list[LogLine]:
        """Whole lines after the `after`-th; none when there is no log yet."""
        offset = self._offsets.pop((path, after), None)
        number, offset = (0, 0) if offset is None else (after, offset)
        lines: list[LogLine] = []
        try:
            with path.open("rb") as file:
                file.seek(offset)
                while len(lines) < limit and (data := file.readline()).endswith(b"\n"):
                    number, offset = number + 1, offset + len(data)
                    if number > after and (line := _decoded(data, number)) is not None:
                        lines.append(line)
        except FileNotFoundError:
            return []
        self._offsets[path, lines[-1]["seq"] if lines else after] = offset
        while len(self._offsets) > _KNOWN_OFFSETS:
            self._offsets.popitem(last=False)
        return lines


def _decoded(data: bytes, seq: int) -> LogLine | None:
    """A line's fields; nothing of one that a full disk cut short and another run on."""
    try:
        line = json.loads(data)
    except ValueError:
        return None
    return {"seq": seq, "at": line["at"], "level": line["level"], "message": line["message"]}
