"""From an execution context to the project and the server that it means."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from dli.client.basecamp import BasecampClient
from dli.client.response import ServerConfig
from dli.config import check_server_url, find_project_root, read_server_state, same_server
from dli.exceptions import ConfigNotFoundError, ConfigurationError, ErrorCode
from dli.models.state import ExecutionMode

if TYPE_CHECKING:
    from pathlib import Path

    from dli.models.context import ExecutionContext

__all__ = ["connect", "find_root", "require_root"]


def connect(context: ExecutionContext) -> BasecampClient:
    """A client for the server of this context; nothing is sent yet.

    Raises: ConfigurationError (001) when there is no server, or its URL cannot be used.
    """
    url, token = context.server_url, context.api_token
    if context.execution_mode is ExecutionMode.LOCAL:
        # The generated token opens the project's own Basecamp; no other host may see it.
        root = find_root(context)
        running = read_server_state(root) if root is not None else None
        url = url or (running.url if running else None)
        if url and running and token is None and same_server(url, running.url):
            token = running.token
    if not url:
        raise ConfigurationError(_NO_SERVER[context.execution_mode])
    check_server_url(url)
    return BasecampClient(ServerConfig(url=url, timeout=context.timeout, api_key=token))


def find_root(context: ExecutionContext) -> Path | None:
    """The project that `project_path`, else `DLI_HOME`, else the working directory lies in."""
    return find_project_root(context.project_path, os.environ)


def require_root(context: ExecutionContext) -> Path:
    """The project of this context.

    Raises: ConfigurationError 001 without a `project_path` outside of any project, 003 for a
    directory that does not exist, 002 (also a FileNotFoundError) for one without `dli.yaml`.
    """
    root = find_root(context)
    path = context.project_path
    if path is None:
        if root is None:
            message = "project_path is required: set it, DLI_PROJECT_PATH or DLI_HOME to a project"
            raise ConfigurationError(message)
        return root
    if not path.is_dir():
        message = "The project directory does not exist"
        raise ConfigurationError(message, ErrorCode.PROJECT_NOT_FOUND, config_path=path)
    if root is None:
        message = "The project directory has no dli.yaml"
        raise ConfigNotFoundError(message, config_path=path / "dli.yaml")
    return root


_NO_SERVER = {
    ExecutionMode.LOCAL: (
        "server_url required: no Basecamp runs for this project. Start one with `dli up`, or set "
        "server_url (DLI_SERVER_URL, or server.url in dli.yaml)"
    ),
    ExecutionMode.SERVER: (
        "server_url required: set server_url (DLI_SERVER_URL, or server.url in dli.yaml)"
    ),
}
