"""The time limit of work on a session."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from dli.exceptions import ErrorCode, ExecutionError
from dli.warehouse.base import StatementInterruptedError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dli.warehouse.base import Session

__all__ = ["time_limit"]


@contextmanager
def time_limit(session: Session, timeout_s: float | None) -> Iterator[None]:
    """Interrupts the session when the time is up.

    Raises `ExecutionError` DLI-402 in place of the interruption that this causes.
    """
    if timeout_s is None:
        yield
        return
    is_late = threading.Event()

    def interrupt() -> None:
        is_late.set()
        session.interrupt()

    timer = threading.Timer(timeout_s, interrupt)
    timer.daemon = True
    timer.start()
    try:
        yield
    except StatementInterruptedError as error:
        if not is_late.is_set():
            raise
        raise ExecutionError(
            f"The time limit of {timeout_s:g} s was reached; the data is as before",
            code=ErrorCode.TIMEOUT,
        ) from error
    finally:
        timer.cancel()
