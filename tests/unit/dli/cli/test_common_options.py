"""Options that mean the same for every command: `--format json` and `--path`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from click.testing import Result
    from tests.unit.dli.cli.conftest import ScriptedServer

    Dli = Callable[..., Result]

DAILY, TOTAL = "shop.sales.daily_revenue", "shop.sales.total"
QUALITY = "quality/quality.shop.raw.orders.yaml"
METRIC = f"""
name: {TOTAL}
owner: me@example.com
team: sales
query_statement: SELECT SUM(amount) AS total FROM shop.raw.orders
"""
TESTS = """
target: {type: dataset, name: shop.raw.orders}
metadata: {owner: me@example.com}
tests: [{name: some, type: row_count, min: 1}]
"""
RULES = """
transpile: {rules: [{id: r, type: table_substitution, source: old.orders, target: shop.raw.orders}]}
"""
RUN = {"run_id": "r1", "dataset_name": DAILY, "status": "KILLED", "parameters": {}}
WORKFLOW = {"dataset_name": DAILY, "status": "active", "cron": "0 6 * * *", "timezone": "UTC"}
VERSION = {"version": 1, "registered_by": "ana", "created_at": "2025-01-01T00:00:00Z"}

# What each command is given besides the option in question; no other command has these options.
CASES: dict[str, list[str]] = {
    "config show": [],
    "config status": [],
    "info": [],
    "doctor": [],
    "dataset list": [],
    "dataset get": [DAILY],
    "dataset show": [DAILY],
    "dataset validate": [DAILY],
    "dataset run": [DAILY, "-p", "ds=2020-01-01"],
    "dataset register": [DAILY],
    "dataset diff": [DAILY],
    "dataset history": [DAILY],
    "metric list": [],
    "metric get": [TOTAL],
    "metric validate": [TOTAL],
    "metric run": [TOTAL],
    "metric register": [TOTAL],
    "metric diff": [TOTAL],
    "metric history": [TOTAL],
    "quality list": [],
    "quality get": ["some"],
    "quality register": [QUALITY],
    "quality run": [QUALITY],
    "quality validate": [QUALITY],
    "catalog show": ["shop"],
    "catalog list": [],
    "catalog search": ["orders"],
    "lineage show": [DAILY],
    "lineage upstream": [DAILY],
    "lineage downstream": [DAILY],
    "transpile": ["SELECT 1 FROM old.orders LIMIT 1"],
    "workflow list": [],
    "workflow show": [DAILY],
    "workflow status": ["r1"],
    "workflow history": [],
    "workflow logs": ["r1"],
    "workflow run": [DAILY],
    "workflow backfill": [DAILY, "-s", "2025-01-01", "-e", "2025-01-02"],
    "workflow stop": ["r1"],
    "workflow next": [DAILY],
    "workflow pause": [DAILY],
    "workflow unpause": [DAILY],
    "workflow register": [DAILY, "-c", "0 6 * * *"],
    "workflow unregister": [DAILY],
    "workflow publish": [],
    "audit list": [],
    "audit verify": [],
    "audit export": [],
    "token create": ["ci", "--role", "viewer"],
    "token list": [],
    "token rotate": ["t1"],
    "token revoke": ["t1"],
}
# These start or stop processes, or ask the keyring; tests of their own lead them into a project.
ELSEWHERE = {"up", "down", "workflow migrate", "backup", "restore", "login", "logout"} | {
    "token exchange"
}


def answers(server: ScriptedServer) -> None:
    """What a server says to each of the commands that ask one."""
    page = {"total_count": 1, "next_offset": None}
    name = f"/workflows/{DAILY}"
    server.on("GET /health", (200, {"status": "ok", "version": "0.4.0"}))
    server.on("GET /workflows", (200, {"workflows": [WORKFLOW], **page}))
    server.on("GET /workflows/history", (200, {"runs": [RUN], **page}))
    server.on("GET /workflows/runs/r1", (200, RUN))
    server.on("GET /workflows/runs/r1/logs", (200, {"lines": [], "next": 0, "done": True}))
    server.on("POST /workflows/runs/r1/stop", (200, RUN))
    server.on(f"GET {name}", (200, WORKFLOW))
    server.on(f"DELETE {name}", (200, WORKFLOW))
    server.on(f"POST {name}/run", (202, RUN))
    days = {"start_date": "2025-01-01", "end_date": "2025-01-02", "total_runs": 2, "runs": []}
    server.on(f"POST {name}/backfill", (202, {**RUN, **days}))
    server.on(f"POST {name}/pause", (200, WORKFLOW))
    server.on(f"POST {name}/unpause", (200, WORKFLOW))
    server.on("POST /workflows/register", (201, WORKFLOW))
    table = {"name": "shop.raw.orders", "engine": "duckdb"}
    server.on("GET /catalog/tables", (200, {"tables": [table], **page}))
    server.on("GET /catalog/search", (200, {"tables": [table], **page}))
    sets: dict[str, list[str]] = {key: [] for key in ("added", "changed", "removed", "unchanged")}
    server.on("POST /workflows/publish", (200, {"version": "v1", **sets}))
    server.on("POST /quality", (201, {"name": "shop.raw.orders"}))
    chain = {"ok": True, "entries": 1, "head": "0" * 64, "broken_id": None, "is_head_known": True}
    server.on("GET /audit", (200, {"entries": [{"action": "run.start"}], **page}))
    server.on("GET /audit/chain", (200, chain))
    keys = ("token", "message", "state", "expires_at", "last_used_at")
    token: dict[str, Any] = dict.fromkeys(keys, "x")
    token |= {"token_id": "t1", "name": "ci", "role": "viewer", "teams": [], "scopes": []}
    server.on("GET /tokens", (200, {"tokens": [token], **page}))
    server.on("POST /tokens", (201, token))
    server.on("POST /tokens/t1/rotate", (201, token))
    server.on("POST /tokens/t1/revoke", (200, token))
    for noun, spec in (("datasets", DAILY), ("metrics", TOTAL)):
        record = {"name": spec, "owner": "ana", "team": "sales"}
        server.on(f"POST /{noun}", (201, record))
        server.on(f"GET /{noun}/{spec}", (200, record))
        server.on(f"GET /{noun}/{spec}/versions", (200, {"versions": [VERSION], **page}))


@pytest.fixture
def project(clean_place: Path, dli: Dli, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project that is not the working directory, with its table filled once."""
    root = clean_place / "project"
    assert dli("init", str(root)).exit_code == 0
    for folder in ("metrics", "quality"):
        (root / folder).mkdir(exist_ok=True)
    (root / "metrics" / f"metric.{TOTAL}.yaml").write_text(METRIC)
    (root / QUALITY).write_text(TESTS)
    monkeypatch.chdir(root)
    assert dli("dataset", "run", DAILY, "-p", "ds=2020-01-01").exit_code == 0
    elsewhere = clean_place / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    return root


@pytest.fixture
def served(project: Path, server: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same, and only its dli.yaml names the server."""
    monkeypatch.delenv("DLI_SERVER_URL")
    answers(server)
    file = project / "dli.yaml"
    file.write_text(f"{file.read_text()}\nserver: {{url: '{server.url}', api_key: any}}\n{RULES}")
    return project


def having(commands: dict[str, click.Command], option: str) -> set[str]:
    return {
        name
        for name, command in commands.items()
        if any(option in parameter.opts for parameter in command.params)
    }


def test_every_command_with_these_options_is_tried(commands: dict[str, click.Command]) -> None:
    assert having(commands, "--path") - ELSEWHERE == set(CASES)
    assert having(commands, "--format") <= set(CASES)


@pytest.mark.parametrize("name", CASES)
def test_json_is_one_document_and_nothing_else(
    dli: Dli,
    served: Path,
    commands: dict[str, click.Command],
    monkeypatch: pytest.MonkeyPatch,
    name: str,
) -> None:
    if name not in having(commands, "--format"):
        return
    monkeypatch.chdir(served)
    result = dli(*name.split(), *CASES[name], "--format", "json")
    assert result.exit_code == 0, result.stderr
    document: Any = json.loads(result.stdout)
    assert isinstance(document, dict | list)


@pytest.mark.parametrize("name", CASES)
def test_path_leads_every_command_into_the_project(
    dli: Dli, served: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    words = [*name.split(), *CASES[name]]
    inside = dli(*words, "--path", str(served))
    assert inside.exit_code == 0, inside.stderr
    below = dli(*words, "--path", str(served / "datasets"))
    outside = dli(*words)
    assert below.exit_code == 0, below.stderr
    assert shape(outside) != shape(inside)
    nowhere = dli(*words, "--path", "nowhere")
    assert nowhere.exit_code == 1
    assert "[DLI-003]" in nowhere.output


def shape(result: Result) -> tuple[int, str]:
    return result.exit_code, result.stdout


def test_home_and_working_directory_lead_there_too(
    dli: Dli, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert dli("dataset", "list").exit_code == 1
    monkeypatch.setenv("DLI_HOME", str(project))
    assert DAILY in dli("dataset", "list").stdout
    monkeypatch.delenv("DLI_HOME")
    monkeypatch.chdir(project / "datasets")
    assert DAILY in dli("dataset", "list").stdout
