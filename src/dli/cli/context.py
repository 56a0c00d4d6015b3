"""The execution context of a command, from the shell's variables and `--path`."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from dli.cli.connection import is_mock, project_root
from dli.cli.output import note
from dli.config import resolve_server
from dli.exceptions import ConfigurationError
from dli.models.common import ExecutionContext
from dli.models.state import ExecutionMode

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["execution_context"]


def execution_context(path: Path | None, mode: str | None = None) -> ExecutionContext:
    """What the API classes need; says so when samples are used. `mode` wins over the variable.

    In SERVER mode the server is the one of every command: also the project's own Basecamp.
    Raises: ConfigurationError (001) for variables that cannot be used.
    """
    if is_mock():
        note("MOCK: sample data; nothing is run.")
    root = project_root(path)
    try:
        context = ExecutionContext() if root is None else ExecutionContext(project_path=root)
    except ValueError as error:
        errors: list[Any] = getattr(error, "errors", list)()
        names = ", ".join(f"DLI_{found['loc'][0]}".upper() for found in errors)
        message = f"Variables with values that cannot be used: {names}"
        raise ConfigurationError(message) from None
    if mode is not None:
        context.execution_mode = ExecutionMode(mode)
    if context.execution_mode is ExecutionMode.SERVER:
        server = resolve_server(root, os.environ)
        if server is not None:
            context.server_url, context.api_token = server.url, server.token
    return context
