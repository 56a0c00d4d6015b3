"""Checks specs in a worker process of this machine; runs go to Airflow."""

from __future__ import annotations

import itertools
import threading
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import dataclass
from typing import TYPE_CHECKING

from basecamp.engines.embedded.check import TIMEOUT_S, question, result_of
from basecamp.engines.embedded.link import Message, WorkerLink
from dli.exceptions import ErrorCode, ServerError

if TYPE_CHECKING:
    from pathlib import Path

    from basecamp.clock import Clock
    from basecamp.engines.base import CheckResult, RunSpec


@dataclass(frozen=True)
class CheckerSettings:
    """Where project and state lie, what templates may read, when an idle worker ends."""

    project: Path
    state_dir: Path
    template_env: tuple[str, ...] = ()
    worker_idle_s: float = 300.0
    worker_memory_mb: int = 0


class Checker:
    """Asks a worker that is started when it is needed; used by many threads."""

    def __init__(self, settings: CheckerSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._lock = threading.Lock()
        self._link: WorkerLink | None = None
        self._used_at = clock.monotonic()
        self._waiting: dict[int, Future[Message]] = {}
        self._numbers = itertools.count()

    def check(self, spec: RunSpec, *, bind: bool) -> CheckResult:
        """What a run of this spec would find.

        Raises:
            ServerError: the worker does not answer (DLI-504).
        """
        answer: Future[Message] = Future()
        with self._lock:
            number = next(self._numbers)
            self._waiting[number] = answer
            self._used_at = self._clock.monotonic()
            if self._link is None:
                self._link = self._start()
            self._link.send(question(number, spec, bind=bind))
        try:
            return result_of(answer.result(TIMEOUT_S))
        except FutureTimeoutError as exc:
            raise _silent("The worker did not answer in time.") from exc
        finally:
            with self._lock:
                self._waiting.pop(number, None)

    def retire(self) -> None:
        """End a worker that nobody has needed for a while."""
        with self._lock:
            idle_s = self._clock.monotonic() - self._used_at
            if self._waiting or idle_s < self._settings.worker_idle_s:
                return
            link, self._link = self._link, None
        if link is not None:
            link.close(timeout_s=1.0)

    def close(self) -> None:
        """End the worker."""
        with self._lock:
            link, self._link = self._link, None
        if link is not None:
            link.close(timeout_s=1.0)

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
        if message["op"] == "checked":
            with self._lock:
                answer = self._waiting.get(message["id"])
            if answer is not None:
                answer.set_result(message)
        elif message["op"] == "gone":
            self._forget(link)

    def _forget(self, gone: WorkerLink) -> None:
        with self._lock:
            if gone is not self._link:
                return
            self._link = None
            waiting = list(self._waiting.values())
        for answer in waiting:
            if not answer.done():
                answer.set_exception(_silent("The worker ended."))


def _silent(message: str) -> ServerError:
    return ServerError(message, code=ErrorCode.SERVER_EXECUTION)
