"""The execution context of a command, from the shell's variables and `--path`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dli.cli.connection import is_mock, project_root
from dli.cli.output import note
from dli.exceptions import ConfigurationError
from dli.models.common import ExecutionContext

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["execution_context"]


def execution_context(path: Path | None) -> ExecutionContext:
    """What the API classes need; says so when samples are used.

    Raises: ConfigurationError (001) for variables that cannot be used.
    """
    if is_mock():
        note("MOCK: sample data; nothing is run.")
    root = project_root(path)
    try:
        return ExecutionContext() if root is None else ExecutionContext(project_path=root)
    except ValueError as error:
        errors: list[Any] = getattr(error, "errors", list)()
        names = ", ".join(f"DLI_{found['loc'][0]}".upper() for found in errors)
        message = f"Variables with values that cannot be used: {names}"
        raise ConfigurationError(message) from None
