"""Asks a worker process of this machine what the server wants to know; runs go to Airflow."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from basecamp.engines.embedded.link import Message, WorkerLink
from basecamp.engines.embedded.question import Questions

if TYPE_CHECKING:
    from pathlib import Path

    from basecamp.clock import Clock

_log = logging.getLogger(__name__)
_KILL_AFTER_S = 10.0


@dataclass(frozen=True)
class CheckerSettings:
    """Where project and state lie, what templates may read, when an idle worker ends."""

    project: Path
    state_dir: Path
    template_env: tuple[str, ...] = ()
    worker_idle_s: float = 60.0
    worker_memory_mb: int = 0


class Checker:
    """Asks a worker that is started when it is needed; used by many threads.

    It knows nothing of the runs that Airflow makes: between processes the lock of a DuckDB file
    sees to it that only one writes.
    """

    def __init__(self, settings: CheckerSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._lock = threading.Lock()
        self._link: WorkerLink | None = None
        self._used_at = clock.monotonic()
        self._questions = Questions(self._put, clock.monotonic)
        self.ask = self._questions.ask  # as `basecamp.engines.base.Engine.ask`

    def retire(self) -> None:
        """End a worker that nobody has needed for a while, or that does not let go."""
        with self._lock:
            now = self._clock.monotonic()
            if self._link is not None and self._questions.is_stuck(now, _KILL_AFTER_S):
                self._link.kill()
            idle_s = now - self._used_at
            if self._questions or idle_s < self._settings.worker_idle_s:
                return
            link, self._link = self._link, None
        if link is not None:
            link.close(timeout_s=1.0)

    def close(self) -> None:
        """End the worker."""
        self._questions.close()
        with self._lock:
            link, self._link = self._link, None
        if link is not None:
            link.close(timeout_s=1.0)

    def _put(self) -> None:
        try:
            with self._lock:
                self._used_at = self._clock.monotonic()
                for message in self._questions.due(()):
                    if self._link is None:
                        self._link = self._start()
                    self._link.send(message)
        except OSError as exc:  # no process or no descriptor is to be had at the moment
            _log.error("engine.no_worker", extra={"reason": exc.strerror})
            self._questions.lose()

    def _start(self) -> WorkerLink:
        own = self._settings
        return WorkerLink(
            own.project,
            own.state_dir,
            own.template_env,
            self._receive,
            memory_mb=own.worker_memory_mb,
        )

    def _receive(self, link: WorkerLink, message: Message) -> None:
        if message["op"] == "answered":
            self._questions.settle(message)
        elif message["op"] == "gone":
            self._forget(link)

    def _forget(self, gone: WorkerLink) -> None:
        with self._lock:
            if gone is not self._link:
                return
            self._link = None
        self._questions.lose(gone.culprit)
