"""Requests whose work lasts: each in a thread of its own, and ended when its caller goes."""

from __future__ import annotations

import asyncio
from concurrent.futures import Future
from functools import partial
from typing import TYPE_CHECKING

from anyio import CapacityLimiter, to_thread

from basecamp.routes.answer import of_reply
from dli.exceptions import ErrorCode, ServerError

if TYPE_CHECKING:
    from collections.abc import Callable

    from fastapi import Request, Response

    from basecamp.services.command import Reply

_PLACES = 32
"""Such requests at once; they take no thread from those that are answered at once."""


class Vigil:
    """Keeps an eye on callers while their work is under way."""

    def __init__(self) -> None:
        self._limiter: CapacityLimiter | None = None
        self._open: set[Future[None]] = set()
        self._is_closed = False

    async def answer(self, request: Request, work: Callable[[Future[None]], Reply]) -> Response:
        """What `work` replies, as `respond`."""
        return await self.respond(request, lambda withdrawn: of_reply(work(withdrawn)))

    async def respond(self, request: Request, work: Callable[[Future[None]], Response]) -> Response:
        """What `work` gives; the future that it gets is done once nobody waits any more.

        Raises:
            ServerError: too many such requests are under way (DLI-504).
        """
        withdrawn: Future[None] = Future()
        if len(self._open) >= _PLACES or self._is_closed:
            raise ServerError(
                "Too many requests wait for the engine already.", code=ErrorCode.SERVER_EXECUTION
            )
        self._open.add(withdrawn)
        watching = asyncio.create_task(_watch(request, withdrawn))
        try:
            return await to_thread.run_sync(partial(work, withdrawn), limiter=self._own())
        finally:
            watching.cancel()
            self._open.discard(withdrawn)

    def close(self) -> None:
        """End all that is under way, and begin no more: the server ends."""
        self._is_closed = True
        for withdrawn in list(self._open):
            _withdraw(withdrawn)

    def _own(self) -> CapacityLimiter:
        if self._limiter is None:  # it belongs to the event loop, which runs only now
            self._limiter = CapacityLimiter(_PLACES)
        return self._limiter


async def _watch(request: Request, withdrawn: Future[None]) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        continue
    _withdraw(withdrawn)


def _withdraw(withdrawn: Future[None]) -> None:
    if not withdrawn.done():
        withdrawn.set_result(None)
