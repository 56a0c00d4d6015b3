"""The server a command talks to, and the client for it."""

from __future__ import annotations

import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dli.cli.errors import suggestion
from dli.cli.output import note
from dli.client.basecamp import BasecampClient, ServerConfig
from dli.config import find_project_root, resolve_server
from dli.exceptions import (
    ConfigurationError,
    ErrorCode,
    WorkflowNotFoundError,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["connect", "is_mock", "project_root", "required_root"]

_MODES = ("local", "server", "mock")


def is_mock() -> bool:
    """Whether `DLI_EXECUTION_MODE` asks for samples."""
    mode = os.environ.get("DLI_EXECUTION_MODE", "local").lower()
    if mode not in _MODES:
        raise ConfigurationError(f"DLI_EXECUTION_MODE must be one of {', '.join(_MODES)}")
    return mode == "mock"


def project_root(path: Path | None) -> Path | None:
    if path is not None and not path.is_dir():
        raise ConfigurationError(
            "The directory does not exist", ErrorCode.PROJECT_NOT_FOUND, config_path=path
        )
    return find_project_root(path, os.environ)


def required_root(path: Path | None) -> Path:
    """The project's directory. Raises: ConfigurationError (002) outside of a project."""
    root = project_root(path)
    if root is None:
        place = Path(path or os.environ.get("DLI_HOME") or Path.cwd()).absolute()
        raise ConfigurationError(
            "No dli.yaml here or above", ErrorCode.CONFIG_NOT_FOUND, config_path=place
        )
    return root


@contextmanager
def connect(path: Path | None) -> Iterator[BasecampClient]:
    """A client for the block; an unknown name raised inside gets the names that come close."""
    with _client(path) as client:
        try:
            yield client
        except WorkflowNotFoundError as error:
            name = error.dataset_name
            if name and (hint := suggestion(name, _known_names(client))):
                error.add_note(hint.strip())
            raise


def _client(path: Path | None) -> BasecampClient:
    if is_mock():
        note("MOCK: sample data; no server is asked.")
        return BasecampClient(ServerConfig(url="http://mock-server"), mock_mode=True)
    server = resolve_server(project_root(path), os.environ)
    if server is None:
        error = ConfigurationError("server_url required: no Basecamp runs for this project")
        error.add_note("Start one with `dli up`, or name one with DLI_SERVER_URL.")
        raise error
    return BasecampClient(ServerConfig(server.url, timeout=server.timeout, api_key=server.token))


def find_again(client: BasecampClient) -> None:
    """Turn to the project's server where it is now: one that comes back may have another port."""
    if client.mock_mode:
        return
    path = click.get_current_context().params.get("path")
    server = resolve_server(project_root(path), os.environ)
    if server is not None and server.url != client.config.url:
        client.turn_to(ServerConfig(server.url, server.timeout, server.token))


def _known_names(client: BasecampClient) -> list[str]:
    answer = client.workflow_list(limit=500)
    records = answer.data if answer.success and isinstance(answer.data, list) else []
    return [str(record.get("dataset_name", "")) for record in records]
