"""`ConfigAPI`: values with their source, environments, and what a server really answers."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from dli import __version__
from dli.api.config import ConfigAPI
from dli.exceptions import ConfigurationError, ErrorCode
from dli.models.common import ConfigValue, ExecutionContext
from dli.models.state import ExecutionMode

KEYS = (
    "project.name",
    "project.description",
    "server.url",
    "server.timeout",
    "defaults.dialect",
    "defaults.timeout_seconds",
)

PROJECT = """
project: {name: flights, description: Flights of a year}
server: {url: "http://file:1", timeout: 9, api_key: s3cret}
defaults: {dialect: duckdb, timeout_seconds: 60}
environments:
  dev: {connection_string: "duckdb:///dev.duckdb"}
  prod: {connection_string: "trino://me:s3cret@h"}
  empty:
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    root.mkdir()
    (root / "dli.yaml").write_text(PROJECT)
    return root


class Health(BaseHTTPRequestHandler):
    tokens: tuple[str, ...] = ()

    def do_GET(self) -> None:
        is_known = self.headers["Authorization"] in Health.tokens
        body = b'{"status": "ok", "version": "9.9"}' if is_known else b"{}"
        self.send_response(200 if is_known else 401)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def healthy_url() -> Iterator[str]:
    Health.tokens = ("Bearer s3cret",)
    with HTTPServer(("127.0.0.1", 0), Health) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_it_is_read_only() -> None:
    assert "read-only" in (ConfigAPI.__doc__ or "")
    assert not hasattr(ConfigAPI, "set")
    assert not hasattr(ConfigAPI, "update")


def test_values_of_a_project_come_from_its_files(project: Path) -> None:
    api = ConfigAPI(ExecutionContext(project_path=project))
    found = {key: api.get(key) for key in KEYS}
    assert found == {
        "project.name": ConfigValue(key="project.name", value="flights"),
        "project.description": ConfigValue(key="project.description", value="Flights of a year"),
        "server.url": ConfigValue(key="server.url", value="http://file:1"),
        "server.timeout": ConfigValue(key="server.timeout", value=9),
        "defaults.dialect": ConfigValue(key="defaults.dialect", value="duckdb"),
        "defaults.timeout_seconds": ConfigValue(key="defaults.timeout_seconds", value=60),
    }
    assert {value.source for value in found.values() if value} == {"config"}


def test_without_a_project_only_the_context_speaks() -> None:
    api = ConfigAPI(ExecutionContext(server_url="http://given", dialect="spark"))
    found = {key: value for key in KEYS if (value := api.get(key))}
    assert found == {
        "server.url": ConfigValue(key="server.url", value="http://given", source="context"),
        "defaults.dialect": ConfigValue(key="defaults.dialect", value="spark", source="context"),
    }
    assert ConfigAPI(ExecutionContext()).get("server.url") is None


def test_a_url_given_to_the_context_wins(project: Path) -> None:
    context = ExecutionContext(project_path=project, server_url="http://given")
    found = ConfigAPI(context).get("server.url")
    assert found == ConfigValue(key="server.url", value="http://given", source="context")


@pytest.mark.parametrize("key", ["server.api_key", "project", "no.such.key", "environments.dev"])
def test_other_keys_have_no_value(project: Path, key: str) -> None:
    assert ConfigAPI(ExecutionContext(project_path=project)).get(key) is None


def test_a_key_that_nobody_set_has_no_value(project: Path) -> None:
    (project / "dli.yaml").write_text("{}")
    api = ConfigAPI(ExecutionContext(project_path=project))
    assert api.get("project.name") is None
    assert api.get("defaults.timeout_seconds") is None
    dialect = api.get("defaults.dialect")
    assert dialect is not None
    assert (dialect.value, dialect.source) == ("trino", "context")


def test_environments_never_show_where_they_connect_to(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DLI_ENV", "prod")
    found = ConfigAPI(ExecutionContext(project_path=project)).list_environments()
    assert [(env.name, env.connection_string, env.is_active) for env in found] == [
        ("dev", "***", False),
        ("prod", "***", True),
        ("empty", None, False),
    ]


def test_mock_environments(mock_context: ExecutionContext) -> None:
    found = ConfigAPI(mock_context).list_environments()
    assert [(env.name, env.is_active) for env in found] == [
        ("dev", True),
        ("staging", False),
        ("prod", False),
    ]


def test_the_current_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    assert ConfigAPI(ExecutionContext()).get_current_environment() == "dev"
    monkeypatch.setenv("DLI_ENV", "prod")
    assert ConfigAPI(ExecutionContext()).get_current_environment() == "prod"


def test_what_needs_a_project_says_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="project_path is required") as missing:
        ConfigAPI(ExecutionContext()).list_environments()
    assert missing.value.code is ErrorCode.CONFIG_INVALID
    with pytest.raises(FileNotFoundError) as empty:
        ConfigAPI(ExecutionContext(project_path=tmp_path)).list_environments()
    assert isinstance(empty.value, ConfigurationError)
    assert empty.value.code is ErrorCode.CONFIG_NOT_FOUND
    with pytest.raises(ConfigurationError) as nowhere:
        ConfigAPI(ExecutionContext(project_path=tmp_path / "no")).list_environments()
    assert nowhere.value.code is ErrorCode.PROJECT_NOT_FOUND


def test_a_project_is_found_from_the_working_directory_or_dli_home(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DLI_HOME", str(project))
    assert len(ConfigAPI(ExecutionContext()).list_environments()) == 3
    monkeypatch.delenv("DLI_HOME")
    monkeypatch.chdir(project)
    assert len(ConfigAPI(ExecutionContext()).list_environments()) == 3


def test_a_server_is_healthy_after_a_real_answer(healthy_url: str) -> None:
    context = ExecutionContext(
        execution_mode=ExecutionMode.SERVER, server_url=healthy_url, api_token="s3cret"
    )
    status = ConfigAPI(context).get_server_status()
    assert status == {"healthy": True, "url": healthy_url, "version": "9.9"}


def test_a_server_that_refuses_is_not_healthy(healthy_url: str) -> None:
    context = ExecutionContext(execution_mode=ExecutionMode.SERVER, server_url=healthy_url)
    status = ConfigAPI(context).get_server_status()
    assert (status["healthy"], status["url"]) == (False, healthy_url)
    assert status["error"]
    assert "s3cret" not in str(status)


def test_no_server_is_not_healthy() -> None:
    status = ConfigAPI(ExecutionContext(execution_mode=ExecutionMode.SERVER)).get_server_status()
    assert status["healthy"] is False
    assert "server_url required" in status["error"]


def test_the_mock_server_is_healthy(mock_context: ExecutionContext) -> None:
    status = ConfigAPI(mock_context).get_server_status()
    assert status == {"healthy": True, "url": "http://mock-server", "version": __version__}


@pytest.mark.parametrize("mode", list(ExecutionMode))
def test_values_do_not_depend_on_the_mode(
    project: Path, monkeypatch: pytest.MonkeyPatch, mode: ExecutionMode
) -> None:
    monkeypatch.setenv("DLI_ENV", "prod")
    api = ConfigAPI(ExecutionContext(project_path=project, execution_mode=mode))
    assert api.get("project.name") == ConfigValue(key="project.name", value="flights")
    assert api.get_current_environment() == "prod"
    if mode is not ExecutionMode.MOCK:
        active = [env.name for env in api.list_environments() if env.is_active]
        assert active == ["prod"]
