"""The server's registry of datasets and metrics, as the API classes use it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from dli.api.server import connect
from dli.exceptions import ErrorCode, ServerError

if TYPE_CHECKING:
    from dli.client.response import Record, ServerResponse
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
        return _records(answer)

    def spec(self, name: str) -> Record | None:
        """The newest spec of a name, `None` when nobody registered one."""
        with connect(self._context) as client:
            is_dataset = self._noun == "dataset"
            answer = client.get_dataset(name) if is_dataset else client.get_metric(name)
        if answer.status_code == 404:
            return None
        return _record(answer)

    def versions(self, name: str) -> list[Record] | None:
        """Registered versions, newest first; `None` when the server does not know the name."""
        with connect(self._context) as client:
            answer = client.spec_versions(f"{self._noun}s", name)
        return None if answer.status_code == 404 else _records(answer)

    def register(self, spec: Record, *, force: bool) -> Record:
        """The record that the server keeps. Raises: ServerError (409 without `force`)."""
        with connect(self._context) as client:
            send = client.register_dataset if self._noun == "dataset" else client.register_metric
            answer = send(spec, force=force)
        return _record(answer)


def _records(answer: ServerResponse) -> list[Record]:
    if not answer.success:
        raise _refused(answer)
    if not isinstance(answer.data, list):
        raise ServerError("The server's answer cannot be read", status_code=answer.status_code)
    return answer.data


def _record(answer: ServerResponse) -> Record:
    if not answer.success:
        raise _refused(answer)
    if not isinstance(answer.data, dict):
        raise ServerError("The server's answer cannot be read", status_code=answer.status_code)
    return answer.data


def _refused(answer: ServerResponse) -> ServerError:
    details: dict[str, Any] = dict(answer.details or {})
    try:
        code = ErrorCode(answer.code or ErrorCode.SERVER_ERROR)
    except ValueError:
        code = ErrorCode.SERVER_ERROR
    message = answer.error or "The server refused"
    return ServerError(message, code, details, status_code=answer.status_code)
