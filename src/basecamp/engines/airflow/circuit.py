"""Keeps calls away from an Airflow that fails, and lets one through from time to time."""

from __future__ import annotations

import random
import threading
from dataclasses import replace
from typing import TYPE_CHECKING

from basecamp.engines.airflow.fault import AirflowError, Reason

if TYPE_CHECKING:
    from collections.abc import Callable

    from basecamp.clock import Clock

_FAILURES_ALLOWED = 5
_FIRST_PAUSE_S = 1.0
_LONGEST_PAUSE_S = 30.0
_AUTH_PAUSE_S = 60.0
_LONGEST_WISH_S = 300.0
"""A `Retry-After` beyond this is not believed."""


class Circuit:
    """Open after five failures in a row, or at once when Airflow asks for a pause.

    An open circuit lets one call through when its pause is over. Used by many threads.
    """

    def __init__(
        self, clock: Clock, on_fault: Callable[[Reason], None] = lambda _reason: None
    ) -> None:
        self._clock = clock
        self._on_fault = on_fault
        self._lock = threading.Lock()
        self._failures = 0
        self._fault: AirflowError | None = None
        self._closed_at = 0.0
        self._is_probing = False

    @property
    def fault(self) -> AirflowError | None:
        """What went wrong last, unless a later call succeeded."""
        return self._fault

    @property
    def is_open(self) -> bool:
        """Whether calls are kept away, or only one is let through to try."""
        return self._fault is not None and self._closed_at > 0.0

    def wait_s(self) -> float:
        """How long calls are kept away from now on."""
        return max(0.0, self._closed_at - self._clock.monotonic())

    def admit(self) -> None:
        """Let a call pass, or refuse it with the fault that opened the circuit.

        Raises:
            AirflowError: the circuit is open; `retry_after` tells for how long.
        """
        with self._lock:
            fault = self._fault
            if fault is None or self._closed_at <= 0.0:
                return
            wait_s = self.wait_s()
            if wait_s <= 0 and not self._is_probing:
                self._is_probing = True
                return
        raise replace(fault, details={"retry_after": max(1, round(wait_s))})

    def succeeded(self) -> None:
        """Airflow has answered."""
        with self._lock:
            self._failures = 0
            self._fault = None
            self._closed_at = 0.0
            self._is_probing = False

    def failed(self, fault: AirflowError) -> None:
        """A call has failed."""
        self._on_fault(fault.reason)
        with self._lock:
            self._failures += 1
            self._fault = fault
            self._is_probing = False
            pause_s = self._pause_s(fault)
            if pause_s > 0:
                self._closed_at = self._clock.monotonic() + pause_s

    def _pause_s(self, fault: AirflowError) -> float:
        asked = fault.retry_after_s
        if asked is not None:
            return min(asked, _LONGEST_WISH_S)
        if fault.reason is Reason.AUTH:
            return _AUTH_PAUSE_S
        beyond = self._failures - _FAILURES_ALLOWED
        if beyond < 0:
            return 0.0
        longest = min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2.0**beyond)
        return longest * random.uniform(0.5, 1.0)  # noqa: S311 - jitter, nothing secret
