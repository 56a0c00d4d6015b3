"""What a service may ask of an engine."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, TypedDict

if TYPE_CHECKING:
    from concurrent.futures import Future
    from datetime import datetime

    from basecamp.store.run import RunRow


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


class LogLine(TypedDict):
    """One line of a run's log; `seq` counts from 1, `at` is RFC 3339."""

    seq: int
    at: str
    level: str
    message: str


Listener = Callable[[Iterable[str]], None]
"""Told the ids of runs and backfills after their state has changed and is stored."""


class Engine(Protocol):
    """Carries out what the state store says is to be run."""

    def start(self) -> None: ...

    def stop(self) -> None: ...

    def wake(self) -> None:
        """The state store has changed: look for work."""
        ...

    can_hold: ClassVar[bool]
    """Whether `admit` may refuse a run; to ask it takes its time then."""

    def admit(self, dataset_name: str) -> None:
        """Refuse a run that would wait for ever; an engine that is away refuses nothing.

        Raises:
            WorkflowExecutionError: somebody holds the workflow in the engine itself (DLI-807).
        """
        ...

    def prepare_stop(self) -> None:
        """Refuse to stop runs as long as the engine could not be told.

        Raises:
            ServerError: the engine does not answer (DLI-504).
        """
        ...

    def interrupt(self, run_ids: Iterable[str]) -> None:
        """End what runs of runs that the state store shows as KILLED."""
        ...

    def put_in_force(self, dataset_names: Iterable[str]) -> str | None:
        """The specs of these workflows are stored: wait a little until the engine has them.

        Returns a sentence on what is not in force yet, and why; it will be, without any more doing.
        """
        ...

    def holds(self) -> Mapping[str, str]:
        """By dataset name, why the engine starts no run of it at the moment."""
        ...

    def log(self, run: RunRow, *, after: int, limit: int) -> list[LogLine]:
        """Lines of a run's log after the `after`-th.

        Raises:
            ServerError: the engine does not answer (DLI-504).
        """
        ...

    def check(self, spec: RunSpec, *, bind: bool) -> CheckResult:
        """Render and parse every statement; with `bind` also bind it on the warehouse.

        Raises:
            ServerError: the engine does not answer (DLI-504).
        """
        ...

    def ask(
        self,
        subject: str,
        arguments: Mapping[str, Any],
        *,
        timeout_s: float,
        writes: str | None = None,
        withdrawn: Future[None] | None = None,
    ) -> dict[str, Any]:
        """What the worker process answers to a question on project or warehouse, in JSON values.

        `subject` is a key of `basecamp.engines.embedded.inquiry.SUBJECTS`. `writes` names the
        dataset whose table the question changes: it takes turns with the runs of that dataset.
        Once `withdrawn` is done, or the time is up, the question is interrupted.

        Raises:
            DLIError: what the question was refused with.
            ServerError: the engine does not answer, or nobody waits any more (DLI-504).
        """
        ...

    def subscribe(self, listener: Listener) -> None:
        """Call `listener`, from the engine's thread, after each stored change of runs."""
        ...

    def health(self) -> dict[str, Any]:
        """State of the engine's parts; `ok` says whether it can do its work.

        `tick_age_s` is how long ago it looked at its clock.
        """
        ...
