"""What all API classes have in common: their context."""

from __future__ import annotations

from dli.models.common import ExecutionContext
from dli.models.state import ExecutionMode

__all__ = ["Facade"]


class Facade:
    """Holds the context; making one does no I/O. One object is for one thread at a time."""

    context: ExecutionContext

    def __init__(self, context: ExecutionContext | None) -> None:
        self.context = context if context is not None else ExecutionContext()

    def __repr__(self) -> str:
        return f"{type(self).__name__}(context={self.context!r})"

    @property
    def _is_mock(self) -> bool:
        return self.context.execution_mode is ExecutionMode.MOCK

    @property
    def _is_server(self) -> bool:
        return self.context.execution_mode is ExecutionMode.SERVER
