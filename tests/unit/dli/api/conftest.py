"""API objects in each mode, on a client that says what a test wants and keeps what it was asked."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest

from dli.api.workflow import WorkflowAPI
from dli.client.basecamp import BasecampClient, create_client
from dli.client.response import ServerResponse
from dli.models.common import ExecutionContext
from dli.models.state import ExecutionMode


@pytest.fixture(autouse=True)
def clean_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty directory, and none of the settings of whoever runs the tests."""
    for name in os.environ:
        if name.startswith("DLI_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return tmp_path


class ScriptedClient:
    """Has the kept signatures of the methods that a test names, and no others."""

    def __init__(self, **answers: ServerResponse) -> None:
        self.answers = answers
        self.calls: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = []

    def __getattr__(self, name: str) -> Callable[..., ServerResponse]:
        answer = self.__dict__["answers"].get(name)
        if answer is None:
            raise AttributeError(name)

        def method(*args: Any, **kwargs: Any) -> ServerResponse:
            self.calls.append((name, args, kwargs))
            return answer if isinstance(answer, ServerResponse) else answer.pop(0)

        return method

    def asked(self) -> dict[str, Any]:
        """What the only call so far was given by keyword."""
        ((_, _, keywords),) = self.calls
        return keywords


@pytest.fixture
def scripted() -> type[ScriptedClient]:
    return ScriptedClient


@pytest.fixture
def samples() -> BasecampClient:
    return create_client()


@pytest.fixture
def server_context() -> ExecutionContext:
    return ExecutionContext(execution_mode=ExecutionMode.SERVER)


@pytest.fixture
def mock_context() -> ExecutionContext:
    return ExecutionContext(execution_mode=ExecutionMode.MOCK)


@pytest.fixture
def mock(mock_context: ExecutionContext) -> WorkflowAPI:
    """In MOCK mode, with a client that must never be called."""
    client = Mock(spec=BasecampClient)
    api = WorkflowAPI(mock_context, client=client)
    api.__dict__["watched"] = client
    return api


@pytest.fixture
def api(server_context: ExecutionContext, samples: BasecampClient) -> WorkflowAPI:
    """In SERVER mode, on the sample server."""
    return WorkflowAPI(server_context, client=samples)


@pytest.fixture
def on(server_context: ExecutionContext, scripted: Any) -> Callable[..., WorkflowAPI]:
    """In SERVER mode, on given answers; the client is `api._client`."""

    def make(**answers: Any) -> WorkflowAPI:
        return WorkflowAPI(server_context, client=scripted(**answers))

    return make
