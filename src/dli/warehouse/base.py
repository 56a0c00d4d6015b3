"""The shape of a warehouse: what runs statements, whatever engine is behind it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol, Self

from dli.exceptions import ErrorCode, ExecutionError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    from dli.warehouse.inventory import StoredTable
    from dli.warehouse.planned import PlannedStatement

__all__ = [
    "REFUSALS",
    "DataHeldError",
    "EventKind",
    "Outcome",
    "Session",
    "StatementEvent",
    "StatementInterruptedError",
    "Warehouse",
]

REFUSALS = frozenset(
    {ErrorCode.SQL_SYNTAX_ERROR, ErrorCode.EXECUTION_PERMISSION, ErrorCode.EXECUTION_QUERY}
)
"""What is wrong with a statement; other codes are about the engine and end the run at once."""

EventKind = Literal["waiting", "started", "finished", "failed", "ignored", "repeated", "skipped"]
"""`waiting`: the data cannot be had yet; `ignored`: failed, and the spec says to go on;
`repeated`: done again after such a failure."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one statement gave.

    `rows_affected` is the engine's count of rows written; None for statements that write no rows.
    `rows` holds at most as many rows as were asked for; `row_count` counts all rows of a query.
    """

    rows_affected: int | None
    columns: list[str]
    rows: list[tuple[Any, ...]]
    row_count: int | None = None


@dataclass(frozen=True, slots=True)
class StatementEvent:
    """One step in the life of one statement of a run. `position` counts from 1."""

    kind: EventKind
    phase: str
    name: str | None
    position: int
    total: int
    duration_ms: int | None = None
    rows_affected: int | None = None
    rows_read: int | None = None
    error: ExecutionError | None = None

    def __str__(self) -> str:
        title = self.phase if self.name is None else f"{self.phase} {self.name}"
        text = f"{title} ({self.position}/{self.total}) {self.kind}"
        if self.rows_affected is not None:
            text += f", {self.rows_affected} rows"
        if self.rows_read is not None:
            text += f", {self.rows_read} rows read and nothing written"
        if self.duration_ms is not None:
            text += f", {self.duration_ms} ms"
        return text if self.error is None else f"{text}: {self.error}"


class DataHeldError(ExecutionError):
    """Somebody else has the data open (403); nothing has begun, and it may be free again soon."""


class StatementInterruptedError(ExecutionError):
    """`Session.interrupt` ended the statement, or came before it could start."""


class Session(Protocol):
    """One line of work on a warehouse; used by one thread, interrupted from any."""

    @property
    def dialect(self) -> str | None:
        """The sqlglot dialect the engine reads; None leaves the text of the spec as it is."""
        ...

    @property
    def is_transactional(self) -> bool:
        """Whether `rollback` undoes all statements since `begin`."""
        ...

    @property
    def interrupted(self) -> bool: ...

    def prepare(self, plan: Sequence[PlannedStatement]) -> None:
        """Make what the statements name reachable; to be called before `begin`."""

    def begin(self) -> None: ...

    def commit(self) -> None: ...

    def rollback(self) -> None:
        """Undo all since `begin`; harmless without one."""

    def execute(self, sql: str, *, max_rows: int | None = None) -> Outcome:
        """Run one statement.

        Raises `StatementInterruptedError`, or `ExecutionError` when the engine refuses: DLI-202 for
        syntax, 404 for what is not allowed, 405 for other SQL, 401 for a failing engine.
        """
        ...

    def check(self, plan: Sequence[PlannedStatement]) -> list[str]:
        """Bind all statements in order without any effect; gives warnings, raises as `execute`."""
        ...

    def tables(self) -> list[StoredTable]:
        """Everything that can be read, by name; raises as `execute`."""
        ...

    def interrupt(self) -> None:
        """End the running statement and let no other start. Returns at once; for any thread."""

    def close(self) -> None: ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


class Warehouse(Protocol):
    """Stored data and the engine that works on it. Usable from several threads."""

    def session(self) -> Session: ...

    def close(self) -> None:
        """Let others have the data, as soon as the last session is closed; may be used again."""

    def shutdown(self) -> None:
        """Close for good."""
