"""Request bodies: read with a limit, decoded without the tolerance of the standard JSON reader."""

from __future__ import annotations

import asyncio
import contextlib
import json
import math
from typing import TYPE_CHECKING, Any, NoReturn

from starlette.requests import ClientDisconnect

from basecamp.errors import RequestRefusedError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.requests import Request

LIMIT_BYTES = 1024 * 1024
PUBLISH_LIMIT_BYTES = 32 * 1024 * 1024
"""A whole project is published in one body."""

_READ_SECONDS = 8.0
_DISCARDING_SECONDS = 1.0
_DISCARDED_BYTES = 64 * 1024 * 1024
_CLOSE = {"Connection": "close"}
_DEPTH_MAX = 64
_INTEGER_BITS = 63


async def read_body(request: Request, limit_bytes: int) -> bytes:
    """The body; refused as soon as it is too large (413) or when it does not arrive in time (408).

    A limit of 0 means that the request takes no body (400).
    """
    announced = request.headers.get("content-length", "0")
    is_too_large = announced.isdigit() and int(announced) > limit_bytes
    chunks: list[bytes] = []
    size = 0
    stream = request.stream()
    try:
        async with asyncio.timeout(_READ_SECONDS):
            while not is_too_large and (chunk := await anext(stream, None)) is not None:
                size += len(chunk)
                is_too_large = size > limit_bytes
                chunks.append(chunk)
    except TimeoutError as exc:
        raise RequestRefusedError(
            "The body did not arrive in time.", status=408, headers=_CLOSE
        ) from exc
    except ClientDisconnect as exc:
        raise RequestRefusedError("The body ended early.", headers=_CLOSE) from exc
    if is_too_large:
        await _discard(stream)
        raise _too_large(limit_bytes)
    return b"".join(chunks)


async def _discard(stream: AsyncIterator[bytes]) -> None:
    """Take in some of what is refused: a sender that is cut off at once never reads the answer."""
    left_bytes = _DISCARDED_BYTES
    with contextlib.suppress(TimeoutError, ClientDisconnect):
        async with asyncio.timeout(_DISCARDING_SECONDS):
            async for chunk in stream:
                left_bytes -= len(chunk)
                if left_bytes < 0:
                    return


def check_media_type(request: Request) -> None:
    """Refuse everything but plain UTF-8 JSON (415)."""
    media_type, _, parameter = request.headers.get("content-type", "").partition(";")
    charset = parameter.strip().lower().removeprefix("charset=").strip('"')
    is_json = media_type.strip().lower() == "application/json" and charset in ("", "utf-8")
    if not is_json or request.headers.get("content-encoding", "identity") != "identity":
        raise RequestRefusedError("The body must be application/json in UTF-8.", status=415)


def decode(data: bytes) -> dict[str, Any]:
    """A JSON object; whatever two readers could understand differently is refused (400)."""
    try:
        value = json.loads(
            data.decode("utf-8"),
            object_pairs_hook=_unique,
            parse_int=_integer,
            parse_float=_finite,
            parse_constant=_constant,
        )
        if not isinstance(value, dict):
            raise RequestRefusedError("The body must be a JSON object.")
        _check_texts(value)
    except (UnicodeError, RecursionError, json.JSONDecodeError) as exc:
        raise RequestRefusedError("The body is not valid JSON.") from exc
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise RequestRefusedError("The body names a key twice.")
    return found


def _integer(text: str) -> int:
    if len(text) > _INTEGER_BITS or int(text).bit_length() > _INTEGER_BITS:
        raise RequestRefusedError("The body has an integer of more than 64 bits.")
    return int(text)


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise RequestRefusedError("The body has a number that is out of range.")
    return number


def _constant(_name: str) -> NoReturn:
    raise RequestRefusedError("NaN and Infinity are not JSON.")


def _check_texts(value: dict[str, Any]) -> None:
    """Refuse deep nesting, NUL and half characters, which stores and terminals stumble over."""
    level: list[Any] = [value]
    for _ in range(_DEPTH_MAX):
        following: list[Any] = []
        for item in level:
            if isinstance(item, str):
                item.encode()
                if "\0" in item:
                    raise RequestRefusedError("The body has a NUL character.")
            elif isinstance(item, dict):
                following.extend(item)
                following.extend(item.values())
            elif isinstance(item, list):
                following.extend(item)
        if not following:
            return
        level = following
    raise RequestRefusedError("The body is nested too deeply.")


def _too_large(limit_bytes: int) -> RequestRefusedError:
    if limit_bytes == 0:
        return RequestRefusedError("This request takes no body.", headers=_CLOSE)
    mebibytes, kibibytes = limit_bytes // 1024**2, limit_bytes // 1024
    limit = f"{mebibytes} MiB" if mebibytes else f"{kibibytes} KiB"
    return RequestRefusedError(
        f"The body is larger than {limit}.",
        status=413,
        headers=_CLOSE,
    )
