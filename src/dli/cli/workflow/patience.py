"""Asking a server again while it is away: a restart must not end a wait."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeVar

from dli.cli.connection import find_again
from dli.cli.output import note
from dli.exceptions import DLIError

if TYPE_CHECKING:
    from collections.abc import Callable

    from dli.client.basecamp import BasecampClient

__all__ = ["WAIT_S", "patiently", "rest"]

WAIT_S = 20
"""How long a server may hold an answer; it answers at once when there is news."""
PAUSE_S = 0.2
PATIENCE_S = 60
"""How long a server that does not answer is asked again."""

_T = TypeVar("_T")


def rest(started: float) -> None:
    """A server that does not hold its answer back is not asked without pause."""
    time.sleep(max(0.0, PAUSE_S - (time.monotonic() - started)))


def patiently(client: BasecampClient, run_id: str, ask: Callable[[], _T]) -> _T:
    """Ask again while the server is away: a restart must not end the wait."""
    lost_at: float | None = None
    while True:
        try:
            return ask()
        except DLIError as error:
            if not _is_outage(error):
                raise
            if lost_at is None:
                lost_at = time.monotonic()
                note(f"{error.message}; still waiting.")
            if time.monotonic() - lost_at > PATIENCE_S:
                error.add_note(f"The run may go on: dli workflow status {run_id}")
                raise
            time.sleep(PAUSE_S)
            find_again(client)


def _is_outage(error: DLIError) -> bool:
    status: int = error.details.get("status_code", 0)
    return status == 429 or status >= 500
