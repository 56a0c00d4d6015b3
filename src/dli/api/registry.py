"""The server's registry of datasets and metrics, as the API classes use it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from dli.api.reply import record_of, records_of
from dli.api.server import connect

if TYPE_CHECKING:
    from dli.client.response import Record
    from dli.models.common import ExecutionContext

__all__ = ["Noun", "Registry"]

Noun = Literal["dataset", "metric"]


class Registry:
    """Every method raises ConfigurationError (001) without a server, ServerError (501-503)."""

    def __init__(self, context: ExecutionContext, noun: Noun) -> None:
        self._context = context
        self._noun = noun

    def specs(self) -> list[Record]:
        """All registered specs in the order of their names."""
        with connect(self._context) as client:
            is_dataset = self._noun == "dataset"
            answer = client.list_datasets() if is_dataset else client.list_metrics()
        return records_of(answer)

    def spec(self, name: str) -> Record | None:
        """The newest spec of a name, `None` when nobody registered one."""
        with connect(self._context) as client:
            is_dataset = self._noun == "dataset"
            answer = client.get_dataset(name) if is_dataset else client.get_metric(name)
        if answer.status_code == 404:
            return None
        return record_of(answer)

    def versions(self, name: str) -> list[Record] | None:
        """Registered versions, newest first; `None` when the server does not know the name."""
        with connect(self._context) as client:
            answer = client.spec_versions(f"{self._noun}s", name)
        return None if answer.status_code == 404 else records_of(answer)

    def register(self, spec: Record, *, force: bool) -> Record:
        """The record that the server keeps. Raises: ServerError (409 without `force`)."""
        with connect(self._context) as client:
            send = client.register_dataset if self._noun == "dataset" else client.register_metric
            answer = send(spec, force=force)
        return record_of(answer)
