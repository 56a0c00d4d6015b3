"""What goes wrong between the server and its spec store, as errors of the library."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from dli.exceptions import ErrorCode, ServerError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["as_server_error"]


@contextmanager
def as_server_error() -> Iterator[None]:
    """Raises: ServerError (504) for an OSError of the block."""
    try:
        yield
    except OSError as exc:
        raise ServerError(
            "The spec store is not available.",
            code=ErrorCode.SERVER_EXECUTION,
            details={"retry_after": 5},
        ) from exc
