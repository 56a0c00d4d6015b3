"""Work of the leader that comes round again: when it is asked for, and when its time has come."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from basecamp.engines.leadership import NotLeaderError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from basecamp.clock import Clock

_log = logging.getLogger(__name__)
_IDLE_S = 60.0
"""Another server may have stored something to do and ended."""
_LEAST_S = 0.5  # what is due may wait for something that is under way


class Rounds:
    """A thread that does `work` round by round; `work` tells when it has something to do next."""

    def __init__(self, name: str, work: Callable[[], datetime | None], clock: Clock) -> None:
        self._name = name
        self._work = work
        self._clock = clock
        self._wanted = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self.is_ending = False

    def start(self) -> None:
        """Begin with what an earlier server has left."""
        self._thread.start()

    def wake(self) -> None:
        """There may be something to do."""
        self._wanted.set()

    def stop(self) -> None:
        """End after the round that is under way."""
        self.is_ending = True
        self._wanted.set()
        if self._thread.ident is not None:
            self._thread.join()

    def _run(self) -> None:
        while not self.is_ending:
            self._wanted.clear()
            wait_s = _IDLE_S
            try:
                following = self._work()
                if following is not None:
                    wait_s = min(wait_s, (following - self._clock.now()).total_seconds())
            except NotLeaderError:
                pass  # whoever leads does it
            except Exception as exc:  # noqa: BLE001 - one bad round must not end all later ones
                _log.error("round.failed", exc_info=exc, extra={"round": self._name})
            self._wanted.wait(max(_LEAST_S, wait_s))
