"""Executors: what a caller may inject to run the statements of LOCAL mode."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from dli.models.execution import ExecutionResult

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["BaseExecutor", "MockExecutor", "QueryExecutor"]


@runtime_checkable
class QueryExecutor(Protocol):
    """Anything that runs SQL; no base class is needed."""

    def execute_sql(self, sql: str, *, timeout_seconds: int | None = None) -> ExecutionResult: ...

    def test_connection(self) -> bool: ...

    def close(self) -> None: ...


class BaseExecutor(ABC):
    """A base for executors that want their missing methods found when they are made."""

    @abstractmethod
    def execute_sql(self, sql: str, *, timeout_seconds: int | None = None) -> ExecutionResult:
        """Run one statement. SQL that the engine refuses gives a result without success."""

    @abstractmethod
    def test_connection(self) -> bool:
        """Whether the engine answers a trivial statement."""

    @abstractmethod
    def close(self) -> None:
        """Release what the executor holds; it is not used afterwards."""


class MockExecutor(BaseExecutor):
    """Gives the same rows to every statement and keeps what it was given in `statements`."""

    def __init__(self, rows: Iterable[Mapping[str, Any]] = ()) -> None:
        self.rows = [dict(row) for row in rows]
        self.statements: list[str] = []

    def execute_sql(
        self,
        sql: str,
        *,
        timeout_seconds: int | None = None,  # noqa: ARG002 (it answers at once)
    ) -> ExecutionResult:
        self.statements.append(sql)
        return ExecutionResult(
            dataset_name="<inline>",
            phase="main",
            success=True,
            row_count=len(self.rows),
            columns=list(self.rows[0]) if self.rows else [],
            data=[dict(row) for row in self.rows],
            rendered_sql=sql,
        )

    def test_connection(self) -> bool:
        return True

    def close(self) -> None:
        """Nothing is held."""
