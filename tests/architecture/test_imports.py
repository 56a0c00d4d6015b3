"""Start-up stays short: the commands typed all day load no heavy package."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

HEAVY = (
    "alembic",
    "dotenv",
    "duckdb",
    "fastapi",
    "importlib.metadata",
    "minijinja",
    "opentelemetry",
    "pydantic",
    "rich",
    "sqlalchemy",
    "sqlglot",
    "starlette",
    "uvicorn",
    "yaml",
)

PROBE = """
import json, sys
try:
    {action}
except SystemExit:
    pass
finally:
    print(json.dumps(sorted(sys.modules)), file=sys.__stdout__)
"""


HOT_COMMANDS = [
    "--version",
    "--help",
    "workflow --help",
    "workflow list",
    "workflow list --format json",
    "workflow history",
    "workflow status r1",
    "workflow logs r1",
    "workflow run a.b",
    "workflow backfill a.b -s 2025-01-01 -e 2025-01-02",
    "workflow stop r1",
    "workflow pause a.b",
    "workflow unpause a.b",
    "workflow next a.b",
    "workflow unregister a.b",
]


class Answers(BaseHTTPRequestHandler):
    """A server that knows no workflow and no run."""

    def do_GET(self) -> None:
        if self.path.split("?")[0] in ("/api/v1/workflows", "/api/v1/workflows/history"):
            self.answer(200, {"workflows": [], "runs": [], "total_count": 0, "next_offset": None})
        else:
            self.do_POST()

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.answer(404, {"status": 404, "code": "DLI-800", "title": "none", "detail": "none"})

    def do_DELETE(self) -> None:
        self.do_POST()

    def answer(self, status: int, body: dict[str, Any]) -> None:
        payload = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)

    def log_message(self, *_: object) -> None:
        """Requests are not worth a line."""


@pytest.fixture(scope="module")
def server_url() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def loaded_by(action: str, directory: Path, **variables: str) -> set[str]:
    """Names of all modules in a fresh interpreter after `action`."""
    probe = subprocess.run(
        [sys.executable, "-c", PROBE.format(action=action)],
        cwd=directory,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return set(json.loads(probe.stdout.splitlines()[-1]))


def test_importing_the_library_loads_nothing_heavy(tmp_path: Path) -> None:
    assert loaded_by("import dli", tmp_path).isdisjoint({*HEAVY, "click", "http.client"})


@pytest.mark.parametrize("words", HOT_COMMANDS)
def test_hot_commands_load_nothing_heavy(words: str, server_url: str, tmp_path: Path) -> None:
    action = f"from dli.main import app; app({words.split()!r})"
    loaded = loaded_by(action, tmp_path, DLI_SERVER_URL=server_url, DLI_API_TOKEN="any")
    assert loaded.isdisjoint(HEAVY)
    assert ("dli.client.basecamp" in loaded) == (" " in words and "--help" not in words)


def test_the_server_leaves_the_warehouse_and_sql_parsing_to_its_worker(tmp_path: Path) -> None:
    assert loaded_by("import basecamp.serve", tmp_path).isdisjoint(
        {"duckdb", "minijinja", "sqlglot"}
    )


def test_quality_tests_without_sql_of_their_own_load_no_parser_of_sql(tmp_path: Path) -> None:
    (tmp_path / "dli.yaml").write_text('sources: [{table: shop.raw.ids, path: "ids.csv"}]')
    (tmp_path / "ids.csv").write_text("id\n1\n")
    tests = "[{name: there, type: not_null, column: id}, {name: once, type: unique, column: id}]"
    target = "{type: dataset, name: shop.raw.ids}"
    (tmp_path / "q.yaml").write_text(
        f"{{target: {target}, metadata: {{owner: o}}, tests: {tests}}}"
    )
    action = "from dli.main import app; app(['quality', 'run', 'q.yaml'])"
    loaded = loaded_by(action, tmp_path)
    assert "duckdb" in loaded
    assert loaded.isdisjoint({"asyncio", "dotenv", "sqlglot"})
