"""What the server asks of the place where the specs of workflows lie as files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Source = Literal["code", "manual"]


class FileKey(NamedTuple):
    """One file; the folder alone decides the source."""

    source_type: Source
    name: str


class SpecStore(Protocol):
    """Files `code/{name}.yaml` and `manual/{name}.yaml`, and `state/{name}.json` beside them."""

    def prepare(self) -> bool:
        """Make the store ready for use and tell whether there was a CODE set.

        Raises:
            ServerError: it is not there (DLI-504).
        """
        ...

    def scan(self) -> dict[FileKey, str]:
        """Every spec file with a signature that changes whenever its bytes may have changed.

        Raises:
            ServerError: the list is not complete (DLI-504); nothing may be concluded from it.
        """
        ...

    def read(self, key: FileKey) -> bytes:
        """The bytes of a file.

        Raises:
            FileNotFoundError: it has gone.
            DLIValidationError: it is larger than a spec may be (DLI-203).
        """
        ...

    def signature(self, key: FileKey) -> str | None:
        """The signature of one file now; `None` when there is no such file."""
        ...

    def signatures(self, keys: Iterable[FileKey]) -> dict[FileKey, str | None]:
        """The signature of each of these files now, at a cost that hardly grows with their number.

        Raises:
            ServerError: the store does not answer (DLI-504).
        """
        ...

    def put_manual(self, name: str, content: dict[str, Any]) -> None:
        """Write the file of a MANUAL workflow, whole or not at all."""
        ...

    def remove_manual(self, name: str) -> None:
        """Remove the file of a MANUAL workflow if there is one."""
        ...

    def states(self) -> dict[str, dict[str, Any]]:
        """What readers beside the server are to know of workflows, by name."""
        ...

    def put_state(self, name: str, state: dict[str, Any]) -> None:
        """Write the state of a workflow, whole or not at all."""
        ...

    def remove_state(self, name: str) -> None:
        """Remove the state of a workflow if there is one."""
        ...

    def stage_code(self, contents: Mapping[str, dict[str, Any]]) -> str:
        """Write a whole CODE set beside the one in force; returns the id to switch to."""
        ...

    def switch_code(self, staged: str) -> str:
        """Bring a staged CODE set in force at one instant; returns the id of the one before."""
        ...

    def prune_code(self) -> None:
        """Remove old sets; the one in force and a few before it stay."""
        ...
