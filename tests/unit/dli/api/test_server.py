"""Which server an execution context means."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from dli.api.server import connect
from dli.exceptions import ConfigurationError
from dli.models.common import ExecutionContext, ExecutionMode

RUNNING = "http://127.0.0.1:4711"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("DLI_SERVER_URL", raising=False)
    monkeypatch.delenv("DLI_API_TOKEN", raising=False)
    monkeypatch.chdir(tmp_path)
    text = "server: {url: 'https://far.example.com', api_key: far-key}\n"
    (tmp_path / "dli.yaml").write_text(text, encoding="utf-8")
    return tmp_path


def start(project: Path) -> None:
    state = {"url": RUNNING, "token": "own-token", "pid": os.getpid()}
    (project / ".dli").mkdir()
    (project / ".dli" / "basecamp.json").write_text(json.dumps(state), encoding="utf-8")


def meant(project: Path, **settings: Any) -> tuple[str, str | None]:
    config = connect(ExecutionContext(project_path=project, **settings)).config
    return config.url, config.api_key


def test_local_prefers_the_running_basecamp_to_the_url_of_a_file(project: Path) -> None:
    assert meant(project) == ("https://far.example.com", "far-key")
    start(project)
    assert meant(project) == (RUNNING, "own-token")


def test_local_takes_a_given_url_and_keeps_the_own_token_from_it(project: Path) -> None:
    start(project)
    assert meant(project, server_url="https://other.example.com")[1] is None
    assert meant(project, server_url=RUNNING) == (RUNNING, "own-token")


def test_local_sends_a_given_token_to_the_running_basecamp(project: Path) -> None:
    start(project)
    assert meant(project, api_token="given") == (RUNNING, "given")


def test_server_mode_never_means_the_running_basecamp_by_itself(project: Path) -> None:
    start(project)
    far = meant(project, execution_mode=ExecutionMode.SERVER)
    assert far == ("https://far.example.com", "far-key")


def test_no_server_at_all_names_the_way_to_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="dli up") as raised:
        connect(ExecutionContext(project_path=tmp_path))
    assert "server_url required" in raised.value.message
