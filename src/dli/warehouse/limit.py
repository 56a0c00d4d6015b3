"""How long work on a session may take, and how often it may try to begin."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dli.exceptions import ErrorCode, ExecutionError
from dli.warehouse.base import DataHeldError, StatementInterruptedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Self

    from dli.models.spec import ExecutionConfig
    from dli.warehouse.base import Session
    from dli.warehouse.planned import PlannedStatement

__all__ = ["Limits", "prepare", "time_is_up", "time_limit"]

_LOOK_S = 0.05


@dataclass(frozen=True, slots=True)
class Limits:
    """Of one run; the retries concern data that somebody else has, before anything has begun."""

    timeout_s: float | None = None
    retry_count: int = 0
    retry_delay_s: float = 0.0

    @classmethod
    def of(cls, execution: ExecutionConfig, *, is_timed: bool = True) -> Self:
        """Those of a spec; without its time limit where somebody else sees to that."""
        timeout_s = execution.timeout_seconds if is_timed else None
        return cls(timeout_s, execution.retry_count, execution.retry_delay_seconds)


def prepare(
    session: Session,
    plan: Sequence[PlannedStatement],
    limits: Limits,
    on_wait: Callable[[ExecutionError], None],
) -> None:
    """Make the session ready for the plan, and try again while somebody else has its data.

    Raises: DataHeldError (403) after the last try, StatementInterruptedError after an interrupt.
    """
    for left in range(limits.retry_count, -1, -1):
        try:
            session.prepare(plan)
        except DataHeldError as error:
            if left == 0:
                raise
            on_wait(error)
            _wait(session, limits.retry_delay_s)
        else:
            return


def _wait(session: Session, delay_s: float) -> None:
    until = time.monotonic() + delay_s
    while (left_s := until - time.monotonic()) > 0:
        if session.interrupted:
            message = "The run was stopped before it had its data"
            raise StatementInterruptedError(message)
        time.sleep(min(_LOOK_S, left_s))


def time_is_up(timeout_s: float) -> ExecutionError:
    """What an interruption becomes that the time limit has caused."""
    return ExecutionError(
        f"The time limit of {timeout_s:g} s was reached; the data is as before",
        code=ErrorCode.TIMEOUT,
    )


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
        raise time_is_up(timeout_s) from error
    finally:
        timer.cancel()
