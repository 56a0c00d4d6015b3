"""HTTP on a connection, with an end to patience: a request's head must come whole and soon."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

if TYPE_CHECKING:
    import asyncio

    from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

_HEAD_SECONDS = 10.0
_HEAD_MAX_BYTES = 64 * 1024
_TOO_LARGE = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
    b"content-length: 0\r\nconnection: close\r\n\r\n"
)


class PunctualProtocol(HttpToolsProtocol):
    """uvicorn's protocol, which by itself waits for a head for ever and takes one of any size."""

    _patience: asyncio.TimerHandle | None = None
    _head_bytes = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(cast("asyncio.Transport", transport))
        self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._end_patience()
        super().connection_lost(exc)

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

    def _end_patience(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None
