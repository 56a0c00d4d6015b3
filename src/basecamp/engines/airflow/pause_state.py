"""Keeps the pauses of the state store in the spec store, where Airflow's timetable reads them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable

    from basecamp.store.workflow import WorkflowRow


class StateFiles(Protocol):
    """The part of a spec store that holds `state/{name}.json`."""

    def states(self) -> dict[str, dict[str, Any]]:
        """Every state by the name of its workflow."""
        ...

    def put_state(self, name: str, state: dict[str, Any]) -> None:
        """Write one, whole or not at all."""
        ...

    def remove_state(self, name: str) -> None:
        """Remove one if there is one."""
        ...


class PauseStates:
    """Writes what differs. A workflow that is paused just as its spec says has no state file."""

    def __init__(self, files: StateFiles) -> None:
        self._files = files
        self._written: dict[str, dict[str, Any]] | None = None

    def forget(self) -> None:
        """Another server may write: read what is there before the next write."""
        self._written = None

    def write(self, rows: Iterable[WorkflowRow]) -> None:
        """Bring the files to what the workflows in force are now.

        Raises:
            ServerError: the spec store is not available (DLI-504); the next call goes on.
        """
        if self._written is None:
            self._written = self._files.states()
        written = self._written
        wanted = {row.dataset_name: _state(row) for row in rows if row.paused == row.spec_enabled}
        for name in sorted(written.keys() - wanted.keys()):
            self._files.remove_state(name)
            del written[name]
        for name, state in wanted.items():
            if written.get(name) != state:
                self._files.put_state(name, state)
                written[name] = state


def _state(row: WorkflowRow) -> dict[str, Any]:
    until = None if row.pause_until is None else row.pause_until.isoformat()
    return {"paused": bool(row.paused), "source_type": row.source_type, "until": until}
