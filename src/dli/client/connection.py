"""Requests to one server, over HTTP or to the samples of mock mode, and lists page by page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dli.client.record import page_of, plain_record
from dli.client.response import Request, ServerConfig, ServerResponse, refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Self

    from dli.client.response import Record, Transport

__all__ = ["PAGE_LIMIT", "Connection"]

PAGE_LIMIT = 500


class Connection:
    """What every operation of `BasecampClient` is sent through; opened on first use."""

    def __init__(self, config: ServerConfig, mock_mode: bool = False) -> None:
        self.config = config
        self.mock_mode = mock_mode
        self._transport: Transport | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"BasecampClient(config={self.config!r}, mock_mode={self.mock_mode})"

    def close(self) -> None:
        """Close the connection; a later call opens a new one."""
        if self._transport is not None:
            self._transport.close()

    def turn_to(self, config: ServerConfig) -> None:
        """Ask the server at another address from now on."""
        self.close()
        self.config, self._transport = config, None

    def _send(self, request: Request, alias: Callable[[Record], Record]) -> ServerResponse:
        if self._transport is None:
            self._transport = _transport(self.config, mock_mode=self.mock_mode)
        response = self._transport.send(request)
        if response.success and isinstance(response.data, dict):
            response.data = alias(response.data)
        return response

    def _get(
        self,
        *path: str,
        query: Mapping[str, Any] | None = None,
        alias: Callable[[Record], Record] = plain_record,
        wait_s: float = 0.0,
    ) -> ServerResponse:
        return self._send(Request("GET", path, query=query or {}, wait_s=wait_s), alias)

    def _post(
        self,
        *path: str,
        body: Mapping[str, Any],
        alias: Callable[[Record], Record] = plain_record,
        wait_s: float = 0.0,
    ) -> ServerResponse:
        return self._send(Request("POST", path, body=body, wait_s=wait_s), alias)

    def _list(
        self,
        *path: str,
        items: str,
        query: Mapping[str, Any],
        limit: int | None = None,
        offset: int = 0,
        alias: Callable[[Record], Record] = plain_record,
    ) -> ServerResponse:
        """Pages of one list, followed until `limit` items (`None`: all) are there."""
        found: list[Record] = []
        at = offset
        while True:
            wanted = PAGE_LIMIT if limit is None else min(limit - len(found), PAGE_LIMIT)
            response = self._get(*path, query={**query, "limit": wanted, "offset": at or None})
            if not response.success:
                return response
            page, meta = page_of(response.data, items)
            if page is None:
                return refusal(502, "DLI-503", f"The server's answer holds no list of {items}")
            found += map(alias, page)
            next_offset = meta.get("next_offset")
            is_done = limit is not None and len(found) >= limit
            if is_done or not page or not isinstance(next_offset, int) or next_offset <= at:
                meta.update(limit=limit, offset=offset)
                return ServerResponse(success=True, data=found[:limit], meta=meta)
            at = next_offset


def _transport(config: ServerConfig, *, mock_mode: bool) -> Transport:
    # Each is imported on use: HTTP costs 25 ms, the samples need the schedule rules.
    if mock_mode:
        from dli.client.fake.server import FakeServer

        return FakeServer()
    from dli.client.transport import HttpTransport

    return HttpTransport(config)
