"""How often somebody may ask: an allowance for each key that fills up steadily."""

from __future__ import annotations

import math
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from basecamp.errors import RequestRefusedError
from dli.exceptions import ErrorCode

if TYPE_CHECKING:
    from collections.abc import Callable

_KEYS = 10_000
"""Keys remembered at most; one that is forgotten begins with a full allowance."""


@dataclass(frozen=True)
class Rate:
    """So many in a second on the long run, and `burst` at once. 0 in a second is no limit."""

    per_second: int
    burst: int

    @property
    def window_s(self) -> int:
        """How long an empty allowance takes to be full."""
        return math.ceil(self.burst / self.per_second)


NO_LIMIT = Rate(0, 0)


@dataclass(frozen=True)
class Allowance:
    """What is left after somebody asked; `wait_s` is above 0 for who has to come again."""

    name: str
    rate: Rate
    left: int
    wait_s: float = 0.0

    @property
    def headers(self) -> dict[str, str]:
        """The fields that tell a client how much it may ask."""
        again_s = math.ceil(self.wait_s) if self.wait_s else self.rate.window_s
        return {
            "RateLimit-Policy": f'"{self.name}";q={self.rate.burst};w={self.rate.window_s}',
            "RateLimit": f'"{self.name}";r={self.left};t={again_s}',
        }

    def check(self, message: str) -> None:
        """Refuse who asks too often.

        Raises:
            RequestRefusedError: try later (429, DLI-503).
        """
        if self.wait_s:
            raise RequestRefusedError(
                message,
                status=429,
                code=ErrorCode.SERVER_ERROR,
                details={"retry_after": math.ceil(self.wait_s), "limit": self.name},
                headers=self.headers,
            )


class Allowances:
    """The allowances of one kind, each under its key; used by many threads."""

    def __init__(
        self, name: str, rate: Rate, seconds: Callable[[], float] = time.monotonic
    ) -> None:
        self._name = name
        self._rate = rate
        self._seconds = seconds
        self._lock = threading.Lock()
        self._full_at: OrderedDict[str, float] = OrderedDict()

    def take(self, key: str) -> Allowance | None:
        """Use one of the key's, if there is one left; `None` where nothing is limited."""
        if not self._rate.per_second:
            return None
        each_s = 1 / self._rate.per_second
        with self._lock:
            now = self._seconds()
            full_at = max(self._full_at.get(key, now), now) + each_s
            wait_s = full_at - now - self._rate.burst * each_s
            if wait_s > each_s / 1000:  # less is the error of floating point
                return Allowance(self._name, self._rate, 0, wait_s)
            self._full_at[key] = full_at
            self._full_at.move_to_end(key)
            if len(self._full_at) > _KEYS:
                self._full_at.popitem(last=False)
        left = self._rate.burst - math.ceil((full_at - now) / each_s - 0.001)
        return Allowance(self._name, self._rate, left)


class RequestRates:
    """How often one token may read and change, on this server."""

    def __init__(
        self, reads: Rate, changes: Rate, seconds: Callable[[], float] = time.monotonic
    ) -> None:
        self._reads = Allowances("reads", reads, seconds)
        self._changes = Allowances("changes", changes, seconds)

    def take(self, token_id: str | None, method: str) -> Allowance | None:
        """Count one request; the token of this machine, which has no id, is never limited."""
        if token_id is None:
            return None
        kind = self._reads if method in ("GET", "HEAD") else self._changes
        return kind.take(token_id)
