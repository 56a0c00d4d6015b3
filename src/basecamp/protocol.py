"""HTTP on a connection, with an end to patience: heads must come soon, answers be taken."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

if TYPE_CHECKING:
    import asyncio

    from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

_HEAD_SECONDS = 8.0
_HEAD_MAX_BYTES = 64 * 1024
_ANSWER_SECONDS = 8.0
_ANSWER_MIN_BYTES = 64 * 1024
"""So much of an answer, or all that is left, must be taken in each `_ANSWER_SECONDS`."""
_TOO_LARGE = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
    b"content-length: 0\r\nconnection: close\r\n\r\n"
)


class PunctualProtocol(HttpToolsProtocol):
    """uvicorn's protocol; by itself it waits for heads, of any size, and for readers for ever."""

    _patience: asyncio.TimerHandle | None = None
    _stall: asyncio.TimerHandle | None = None
    _head_bytes = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(cast("asyncio.Transport", transport))
        self.transport.set_write_buffer_limits(high=0)  # tells of all that is not taken at once
        self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._end_patience()
        self._end_stall()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._watch_reader()

    def resume_writing(self) -> None:
        self._end_stall()
        super().resume_writing()

    def data_received(self, data: bytes) -> None:
        cycle: RequestResponseCycle | None = self.cycle
        if self._patience is None and (cycle is None or cycle.response_complete):
            self._expect_head()
        super().data_received(data)
        if self._patience is None:
            return
        self._head_bytes += len(data)
        if self._head_bytes > _HEAD_MAX_BYTES and not self.transport.is_closing():
            self.transport.write(_TOO_LARGE)
            self.transport.close()

    def on_headers_complete(self) -> None:
        self._end_patience()
        super().on_headers_complete()

    def _expect_head(self) -> None:
        self._head_bytes = 0
        self._patience = self.loop.call_later(_HEAD_SECONDS, self.transport.close)

    def _watch_reader(self) -> None:
        left_bytes = self.transport.get_write_buffer_size()
        self._stall = self.loop.call_later(_ANSWER_SECONDS, self._check_reader, left_bytes)

    def _check_reader(self, left_bytes: int) -> None:
        if left_bytes - self.transport.get_write_buffer_size() < _ANSWER_MIN_BYTES:
            self.transport.abort()
        else:
            self._watch_reader()

    def _end_stall(self) -> None:
        if self._stall is not None:
            self._stall.cancel()
            self._stall = None

    def _end_patience(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None
