"""One deadline for a whole HTTP call, also against a server that sends a byte now and then."""

from __future__ import annotations

import io
import time
from http.client import HTTPResponse
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import socket

    from _typeshed import WriteableBuffer

__all__ = ["Deadline", "timed_response"]


class Deadline:
    """An instant that many socket operations share."""

    def __init__(self, seconds: float) -> None:
        self._end_s = time.monotonic() + seconds

    def left_s(self) -> float:
        return self._end_s - time.monotonic()

    def limit_s(self) -> float:
        """What the next operation may take. Raises TimeoutError when nothing is left."""
        left_s = self.left_s()
        if left_s <= 0:
            raise TimeoutError
        return left_s


def timed_response(deadline: Deadline) -> type[HTTPResponse]:
    """For `HTTPConnection.response_class`: every read, headers included, ends at the deadline.

    A socket's own timeout starts anew with each read, so alone it would never end a slow drip.
    """

    class TimedResponse(HTTPResponse):
        def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
            super().__init__(sock, *args, **kwargs)
            self.fp = io.BufferedReader(_TimedReader(sock, self.fp.detach(), deadline))

    return TimedResponse


class _TimedReader(io.RawIOBase):
    def __init__(self, sock: socket.socket, raw: io.RawIOBase, deadline: Deadline) -> None:
        self._sock = sock
        self._raw = raw
        self._deadline = deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int | None:
        self._sock.settimeout(self._deadline.limit_s())
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()
