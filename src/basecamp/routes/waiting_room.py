"""Where requests wait for a thread: in their order, and never for long."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from dli.exceptions import ErrorCode, ServerError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

_TURNS = 24
"""Requests at work at once; the framework has 40 threads, the rest are for who waits for a run."""

_PATIENCE_SECONDS = 1.0
_SEATS = 4_000


class WaitingRoom:
    """Sends away, before anything is done, who would wait for too long: they may come again."""

    def __init__(self) -> None:
        self._turns: asyncio.Semaphore | None = None
        self._waiting = 0

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """A turn to work.

        Raises:
            ServerError: none came in time, or too many wait already (DLI-504).
        """
        turns = self._own()
        if self._waiting >= _SEATS:
            raise _overrun()
        self._waiting += 1
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                await turns.acquire()
        except TimeoutError as exc:
            raise _overrun() from exc
        finally:
            self._waiting -= 1
        try:
            yield
        finally:
            turns.release()

    def _own(self) -> asyncio.Semaphore:
        if self._turns is None:  # it belongs to the event loop, which runs only now
            self._turns = asyncio.Semaphore(_TURNS)
        return self._turns


def _overrun() -> ServerError:
    return ServerError(
        "More is asked than the server can do just now; nothing was done.",
        code=ErrorCode.SERVER_EXECUTION,
        details={"retry_after": 1},
    )
