"""Kept import path of the client."""

from dli.client.basecamp import (
    BasecampClient,
    ServerConfig,
    ServerResponse,
    WorkflowSource,
    create_client,
)
from dli.models.state import RunStatus

__all__ = [
    "BasecampClient",
    "RunStatus",
    "ServerConfig",
    "ServerResponse",
    "WorkflowSource",
    "create_client",
]
