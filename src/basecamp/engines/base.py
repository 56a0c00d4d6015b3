"""What a service may ask of an engine."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True)
class RunSpec:
    """All that it takes to render a dataset for one data interval."""

    content: dict[str, Any]
    parameters: dict[str, Any]
    interval_start: datetime
    interval_end: datetime
    timezone: str
    run_id: str | None = None


@dataclass(frozen=True)
class CheckResult:
    """What a check found; `code` and `message` say why it is not `ok`."""

    ok: bool
    statements: list[str] = field(default_factory=list)
    code: str | None = None
    message: str | None = None


Listener = Callable[[Iterable[str]], None]
"""Told the ids of runs and backfills after their state has changed and is stored."""


class Engine(Protocol):
    """Carries out what the state store says is to be run."""

    def start(self) -> None: ...

    def stop(self) -> None: ...

    def wake(self) -> None:
        """The state store has changed: look for work."""
        ...

    def interrupt(self, run_ids: Iterable[str]) -> None:
        """End the SQL of runs that the state store shows as KILLED."""
        ...

    def check(self, spec: RunSpec, *, bind: bool) -> CheckResult:
        """Render and parse every statement; with `bind` also bind it on the warehouse.

        Raises:
            ServerError: the engine does not answer (DLI-504).
        """
        ...

    def subscribe(self, listener: Listener) -> None:
        """Call `listener`, from the engine's thread, after each stored change of runs."""
        ...

    def health(self) -> dict[str, Any]:
        """State of the engine's parts; `ok` says whether it can do its work."""
        ...
