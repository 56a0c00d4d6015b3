"""`FakeServer` answers requests like the HTTP API does, from sample data that calls may change."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from dli import __version__
from dli.client.fake.catalog import FakeCatalog
from dli.client.fake.dataset import FakeSpecs
from dli.client.fake.quality import FakeQuality
from dli.client.fake.transpile import FakeTranspile
from dli.client.fake.workflow import FakeWorkflows
from dli.client.message import encode
from dli.client.response import ServerConfig, ServerResponse, refusal

if TYPE_CHECKING:
    from dli.client.response import Request

__all__ = ["FakeServer"]

_ANYWHERE = ServerConfig(url="http://mock-server")


class FakeServer:
    """Everything that a mock client knows; lives and ends with it."""

    def __init__(self) -> None:
        self._workflows = FakeWorkflows()
        self._specs = FakeSpecs()
        self._quality = FakeQuality()
        self._catalog = FakeCatalog()
        self._transpile = FakeTranspile()

    def close(self) -> None:
        """Nothing to close; the samples stay until the client goes."""

    def send(self, request: Request) -> ServerResponse:
        try:
            # What HTTP could not carry is refused here too; nothing is shared with the caller.
            wire = encode(request, _ANYWHERE)
        except (TypeError, ValueError, RecursionError):
            text = "The request holds a value that JSON cannot carry, or a name that a URL cannot"
            return refusal(422, "DLI-204", text)
        query = {key: value for key, value in request.query.items() if value is not None}
        body = json.loads(wire.body or b"{}")
        match request.path:
            case ("health",):
                return ServerResponse(success=True, data={"status": "ok", "version": __version__})
            case ("workflows", *rest):
                return self._workflows.answer(request.method, rest, query, body)
            case ("datasets" | "metrics" | "sql" | "lineage" as noun, *rest):
                return self._specs.answer(noun, request.method, rest, query, body)
            case ("quality", *rest):
                return self._quality.answer(request.method, rest, query, body)
            case ("catalog", *rest):
                return self._catalog.answer(rest, query)
            case ("transpile", *rest):
                return self._transpile.answer(rest)
            case _:
                return refusal(404, "DLI-201", "No such operation")
