"""Who may ask: one generated token per state directory, and the few routes that need none."""

from __future__ import annotations

import hmac
import os
import secrets
from typing import TYPE_CHECKING

from basecamp.errors import RequestRefusedError
from dli.exceptions import ConfigurationError, ErrorCode

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

PUBLIC = frozenset({("GET", "/livez"), ("GET", "/readyz"), ("GET", "/api/v1/health")})
"""Methods and route templates open to everybody; compared whole, after routing."""

OWNER = "local"
"""Name of the caller that the generated token stands for."""

_TOKEN_MIN = 32


class TokenAuth:
    """Checks the token of a request."""

    def __init__(self, token: str) -> None:
        self._token = token.encode()

    def caller(self, headers: Mapping[str, str]) -> str:
        """The name of who sent a request.

        Raises:
            RequestRefusedError: no token, or not ours (401, DLI-502); both look the same.
        """
        given = _given_token(headers)
        if given is not None and hmac.compare_digest(given.encode(), self._token):
            return OWNER
        raise RequestRefusedError(
            "A valid token is needed.",
            status=401,
            code=ErrorCode.SERVER_AUTH_FAILED,
            details={"reason": "missing" if given is None else "wrong"},
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


def _given_token(headers: Mapping[str, str]) -> str | None:
    key = headers.get("x-api-key")
    if key is not None:
        return key
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return token if scheme.lower() == "bearer" else None
