"""Tokens as requests carry them, guesses at them, and the few routes that need none."""

from __future__ import annotations

import math
import os
import secrets
import time
from collections import OrderedDict, deque
from typing import TYPE_CHECKING

from basecamp.errors import RequestRefusedError
from dli.exceptions import ConfigurationError, ErrorCode

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

PUBLIC = frozenset(
    {
        ("GET", "/livez"),
        ("GET", "/readyz"),
        ("GET", "/api/v1/health"),
        ("GET", "/api/v1/session/provider"),
        ("POST", "/api/v1/session/login"),
        ("POST", "/api/v1/session/exchange"),
    }
)
"""Methods and route templates open to everybody; compared whole, after routing."""

LOCAL = "local"
"""Name of the caller that the generated token of the state directory stands for."""

_TOKEN_MIN = 32
_GUESSES = 10
_WINDOW_SECONDS = 60.0
_ADDRESSES = 10_000
"""Addresses remembered at most; the one that guessed longest ago is forgotten first."""


class GuessLimit:
    """Counts wrong tokens for each address; used from the event loop only."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failures: OrderedDict[str, deque[float]] = OrderedDict()

    def check(self, address: str) -> None:
        """Refuse an address that guessed too often within the last minute.

        Raises:
            RequestRefusedError: try later (429, DLI-503).
        """
        past = self._failures.get(address, deque())
        now = self._clock()
        while past and past[0] <= now - _WINDOW_SECONDS:
            past.popleft()
        if len(past) >= _GUESSES:
            raise RequestRefusedError(
                "Too many wrong tokens came from this address.",
                status=429,
                code=ErrorCode.SERVER_ERROR,
                details={"retry_after": math.ceil(past[0] + _WINDOW_SECONDS - now)},
            )

    def count(self, address: str) -> None:
        """Remember one wrong token."""
        self._failures.setdefault(address, deque(maxlen=_GUESSES)).append(self._clock())
        self._failures.move_to_end(address)
        if len(self._failures) > _ADDRESSES:
            self._failures.popitem(last=False)


def given_token(headers: Mapping[str, str]) -> str:
    """The token that a request carries.

    Raises:
        RequestRefusedError: none (401, DLI-502).
    """
    key = headers.get("x-api-key")
    if key is not None:
        return key
    scheme, _, token = headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        raise refusal("missing")
    return token


def refusal(reason: str) -> RequestRefusedError:
    """The one answer to whoever is not known (401, DLI-502); `reason` is for the figures."""
    return RequestRefusedError(
        "A valid token is needed.",
        status=401,
        code=ErrorCode.SERVER_AUTH_FAILED,
        details={"reason": reason},
    )


def load_token(path: Path) -> str:
    """The token in the file `path`, which is made on first use and readable by its owner only.

    Raises:
        ConfigurationError: others may read the file, or it holds no token (DLI-001).
    """
    if not path.exists():
        fresh = path.with_name(f".{path.name}-{secrets.token_hex(4)}")
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(f"bcp_local_{secrets.token_urlsafe(32)}\n")
        fresh.rename(path)
    return _read_token(path)


def _read_token(path: Path) -> str:
    if path.stat().st_mode & 0o077:
        raise ConfigurationError("Others may read the token file; remove it.", config_path=path)
    token = path.read_text(encoding="ascii").strip()
    if len(token) < _TOKEN_MIN:
        raise ConfigurationError("The token file holds no token; remove it.", config_path=path)
    return token
