"""How soon one run of a dataset may be asked for after another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from basecamp.rate import NO_LIMIT, Allowances

if TYPE_CHECKING:
    from basecamp.services.command import Caller

UNLIMITED = Allowances("runs", NO_LIMIT)


def check_pace(starts: Allowances, caller: Caller, name: str) -> None:
    """Refuse a run of a dataset that was started a moment ago, unless this machine asks for it.

    To be called for who may start it and after a look at stored answers: nobody uses up what
    others may do, and a repetition costs nothing.

    Raises:
        RequestRefusedError: try later (429, DLI-503).
    """
    if caller.actor.token_id is None:
        return
    if (allowance := starts.take(name)) is not None:
        allowance.check("A run of this dataset was started a moment ago.")
