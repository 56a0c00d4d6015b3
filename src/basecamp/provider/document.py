"""Small JSON documents of identity providers, asked for over HTTP."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

from dli.exceptions import ErrorCode, ServerError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from urllib3 import BaseHTTPResponse

_LIMIT_BYTES = 256 * 1024
_TIMEOUT_S = 5.0


class ProviderUnusableError(ServerError):
    """An identity provider does not answer, or not as one."""


class RedemptionRefusedError(Exception):
    """The provider was asked in order and said no."""


def fetch(url: str, form: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The JSON object under an address, or what a form sent there is answered with.

    Redirects are not followed, no more than a small answer is read, and the whole takes seconds.

    Raises:
        RedemptionRefusedError: the form was refused.
        ProviderUnusableError: no answer, or none that means something (DLI-504).
    """
    import urllib3  # most servers have no identity provider
    from urllib3.exceptions import HTTPError

    timeout = urllib3.Timeout(total=_TIMEOUT_S)
    kept: dict[str, Any] = {"timeout": timeout, "redirect": False, "preload_content": False}
    headers = {"Accept": "application/json"}
    try:
        with urllib3.PoolManager(retries=False) as pool:
            if form is None:
                answer = pool.request("GET", url, headers=headers, **kept)
            else:
                sent = dict(form)
                answer = pool.request(
                    "POST", url, fields=sent, encode_multipart=False, headers=headers, **kept
                )
            data, status = _read(answer), answer.status
    except (HTTPError, OSError) as exc:
        raise _unusable("The identity provider cannot be reached.") from exc
    if form is not None and status in (400, 401, 403):
        raise RedemptionRefusedError
    if status != 200 or len(data) > _LIMIT_BYTES:
        raise _unusable(f"The identity provider answered with {status}.")
    return _object(data)


def _read(answer: BaseHTTPResponse) -> bytes:
    """The body, as far as it is wanted; a sender that trickles is given up."""
    end = time.monotonic() + _TIMEOUT_S
    data = b""
    while len(data) <= _LIMIT_BYTES and (chunk := answer.read1(_LIMIT_BYTES)):
        data += chunk
        if time.monotonic() > end:
            raise _unusable("The identity provider takes too long.")
    return data


def _object(data: bytes) -> dict[str, Any]:
    try:
        found = json.loads(data)
    except (ValueError, RecursionError) as exc:
        raise _unusable("The identity provider did not answer with JSON.") from exc
    if not isinstance(found, dict):
        raise _unusable("The identity provider did not answer with a JSON object.")
    return found


def _unusable(message: str) -> ProviderUnusableError:
    return ProviderUnusableError(message, code=ErrorCode.SERVER_EXECUTION)
