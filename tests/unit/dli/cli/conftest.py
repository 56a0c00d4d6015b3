"""A `dli` that runs in this process, and a small HTTP server that says what a test wants."""

from __future__ import annotations

import json
import os
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import click
import pytest
from click.testing import CliRunner, Result

from dli.main import app

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

Answer = tuple[int, dict[str, Any]]


@pytest.fixture(autouse=True)
def clean_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty directory, and none of the settings of whoever runs the tests."""
    for name in os.environ:
        if name.startswith("DLI_") or name in ("NO_COLOR", "COLUMNS"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def dli() -> Callable[..., Result]:
    """`dli("workflow", "list")` with its exit code, stdout and stderr."""

    def invoke(*words: str) -> Result:
        return CliRunner().invoke(app, words)  # type: ignore[arg-type]

    return invoke


@pytest.fixture
def mock_dli(dli: Callable[..., Result], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """The same on sample data."""
    monkeypatch.setenv("DLI_EXECUTION_MODE", "mock")
    return dli


class ScriptedServer:
    """Answers each `METHOD path` with the next of its answers, the last one for ever."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.requests: list[tuple[str, str, Any]] = []
        self.hosts: list[str] = []
        self._answers: dict[str, list[Answer | Callable[[], Answer]]] = {}

    def on(self, route: str, *answers: Answer | Callable[[], Answer]) -> None:
        self._answers[route] = list(answers)

    def asked(self, route: str) -> list[Any]:
        """Bodies of the requests to a route; for GET their query strings."""
        return [said for method, path, said in self.requests if f"{method} {path}" == route]

    def answer(self, method: str, target: str, body: bytes) -> Answer:
        path, _, query = target.removeprefix("/api/v1").partition("?")
        path = unquote(path)
        said = json.loads(body) if body else query
        self.requests.append((method, path, said))
        answers = self._answers.get(f"{method} {path}", [(404, problem(404, "DLI-800", "Unknown"))])
        found = answers.pop(0) if len(answers) > 1 else answers[0]
        return found if isinstance(found, tuple) else found()


def problem(status: int, code: str, detail: str) -> dict[str, Any]:
    return {"type": "about:blank", "status": status, "code": code, "detail": detail}


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedServer]:
    """The server that `dli` talks to."""

    class Requests(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            scripted.hosts.append(self.headers["Host"])
            status, answer = scripted.answer(self.command, self.path, body)
            content = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def do_POST(self) -> None:
            self.do_GET()

        def do_DELETE(self) -> None:
            self.do_GET()

        def log_message(self, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Requests) as http:
        http.daemon_threads = True
        scripted = ScriptedServer(f"http://127.0.0.1:{http.server_port}")
        monkeypatch.setenv("DLI_SERVER_URL", scripted.url)
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield scripted
        http.shutdown()
        thread.join()


@pytest.fixture
def commands() -> dict[str, click.Command]:
    """Every command by its words, such as `workflow list`."""
    from dli.cli.main import cli

    def collect(group: click.Group, prefix: str) -> Iterator[tuple[str, click.Command]]:
        ctx = click.Context(group)
        for name in group.list_commands(ctx):
            command = group.get_command(ctx, name)
            assert command is not None
            yield f"{prefix}{name}", command
            if isinstance(command, click.Group):
                yield from collect(command, f"{prefix}{name} ")

    return dict(collect(cli, ""))
