"""Tells of runs with new log lines, many at a time: a line by itself is not worth a message."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_PAUSE_S = 0.05


class News:
    """Collects run ids for a moment, then hands them to `tell` in a thread of its own."""

    def __init__(self, tell: Callable[[list[str]], None]) -> None:
        self._tell = tell
        self._changed = threading.Condition()
        self._run_ids: set[str] = set()
        threading.Thread(target=self._tell_on, name="news", daemon=True).start()

    def add(self, run_id: str) -> None:
        """There is something new in the log of this run."""
        with self._changed:
            self._run_ids.add(run_id)
            self._changed.notify()

    def discard(self, run_id: str) -> None:
        """Say nothing of this run: it has ended, which is told in another way."""
        with self._changed:
            self._run_ids.discard(run_id)

    def _tell_on(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._run_ids)
            time.sleep(_PAUSE_S)
            with self._changed:
                run_ids = sorted(self._run_ids)
                self._run_ids.clear()
            if run_ids:
                self._tell(run_ids)
