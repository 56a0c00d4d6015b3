"""Long polling: requests that wait for a change of a run without holding a thread."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

from starlette.concurrency import run_in_threadpool

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_LOOK_AGAIN_SECONDS = 1.0
"""Changes that no notice told of, such as queued runs ended by a publication, show after this."""

T = TypeVar("T")


class RunWatch:
    """Brings notices of changed runs, which come from other threads, to waiting requests."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._waiting: dict[str, set[asyncio.Event]] = {}
        self._is_closed = False

    def bind(self) -> None:
        """Take the running event loop; before that, notices find nobody."""
        self._loop = asyncio.get_running_loop()

    def notify(self, run_ids: Iterable[str]) -> None:
        """Wake the requests that wait for these runs; may be called from any thread."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._wake, list(run_ids))

    def notify_all(self) -> None:
        """Wake every request that waits; may be called from any thread."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(lambda: self._wake(list(self._waiting)))

    def close(self) -> None:
        """Let every waiting request answer now and none wait any more: the server ends."""
        self._is_closed = True
        self._wake(list(self._waiting))

    async def read(
        self,
        run_id: str,
        read: Callable[[], T],
        *,
        is_enough: Callable[[T], bool],
        timeout_s: float,
    ) -> T:
        """What `read` gives, once it is enough or the time is up; `read` runs in a thread."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout_s
        event = asyncio.Event()
        self._waiting.setdefault(run_id, set()).add(event)
        try:
            while True:
                event.clear()
                value = await run_in_threadpool(read)
                left_s = deadline - loop.time()
                if left_s <= 0 or self._is_closed or is_enough(value):
                    return value
                await _wait(event, min(left_s, _LOOK_AGAIN_SECONDS))
        finally:
            self._waiting[run_id].discard(event)
            if not self._waiting[run_id]:
                del self._waiting[run_id]

    def _wake(self, run_ids: list[str]) -> None:
        for run_id in run_ids:
            for event in self._waiting.get(run_id, ()):
                event.set()


async def _wait(event: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return
