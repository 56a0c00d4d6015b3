"""From an execution context to the server that it means."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from dli.api.project import find_root
from dli.client.basecamp import BasecampClient
from dli.client.response import ServerConfig
from dli.config import check_server_url, read_server_state, same_server
from dli.credential import stored
from dli.exceptions import ConfigurationError
from dli.models.state import ExecutionMode

if TYPE_CHECKING:
    from dli.models.common import ExecutionContext

__all__ = ["connect"]


def connect(context: ExecutionContext) -> BasecampClient:
    """A client for the server of this context; nothing is sent yet.

    Raises: ConfigurationError (001) when there is no server, or its URL cannot be used.
    """
    url, token = context.server_url, context.api_token
    if context.execution_mode is ExecutionMode.LOCAL:
        # The generated token opens the project's own Basecamp; no other host may see it.
        root = find_root(context)
        running = read_server_state(root) if root is not None else None
        if running and "server_url" not in context.model_fields_set:
            url = running.url  # as the command line does: before `server.url` of a file
            token = token if "api_token" in context.model_fields_set else None
        if url and running and token is None and same_server(url, running.url):
            token = running.token
    if not url:
        raise ConfigurationError(_NO_SERVER[context.execution_mode])
    check_server_url(url)
    token = token or stored(url, os.environ)
    return BasecampClient(ServerConfig(url=url, timeout=context.timeout, api_key=token))


_NO_SERVER = {
    ExecutionMode.LOCAL: (
        "server_url required: no Basecamp runs for this project. Start one with `dli up`, or set "
        "server_url (DLI_SERVER_URL, or server.url in dli.yaml)"
    ),
    ExecutionMode.SERVER: (
        "server_url required: set server_url (DLI_SERVER_URL, or server.url in dli.yaml)"
    ),
}
