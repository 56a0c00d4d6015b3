"""Lineage, catalog and registry from a server: its answers, and those that cannot be read."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from click.testing import Result
    from tests.unit.dli.cli.conftest import ScriptedServer

    Dli = Callable[..., Result]

TABLE = {"name": "p.d.t", "engine": "trino", "owner": "ana", "team": None, "tags": ["x"]}
SPEC = {"name": "a.b.c", "owner": "ana", "team": "t", "type": "Dataset"}


def page(noun: str, *records: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    return 200, {noun: list(records), "total_count": len(records), "next_offset": None}


@pytest.fixture(autouse=True)
def mode(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DLI_EXECUTION_MODE", "server")


def test_lineage(dli: Dli, server: ScriptedServer) -> None:
    node = {"name": "a.b.c", "type": "Dataset", "depth": 0}
    other = {"name": "a.b.d", "type": "Metric", "depth": 1}
    answer = {
        "root": node,
        "nodes": [other],
        "edges": [{"source": "a.b.c", "target": "a.b.d", "edge_type": "direct"}],
        "direction": "downstream",
        "max_depth": 2,
        "total_upstream": 0,
        "total_downstream": 1,
    }
    server.on("GET /lineage/a.b.c", (200, answer), (200, {"root": node}))
    result = dli("lineage", "downstream", "a.b.c", "-d", "2")
    assert result.stdout.splitlines()[-1] == "└── a.b.d (Metric, 1)"
    assert set(server.asked("GET /lineage/a.b.c")[0].split("&")) == {
        "direction=downstream",
        "depth=2",
    }
    broken = dli("lineage", "show", "a.b.c")
    assert (broken.exit_code, broken.stdout) == (1, "")
    assert broken.stderr.startswith("Error [DLI-503]: The server's answer cannot be read")
    assert dli("lineage", "show", "a.b.none").stderr.startswith("Error [DLI-101]: ")


def test_catalog(dli: Dli, server: ScriptedServer) -> None:
    server.on("GET /catalog/tables", page("tables", TABLE, {**TABLE, "name": "p.e.u"}))
    server.on("GET /catalog/search", page("tables", TABLE))
    server.on("GET /catalog/tables/p.d.t", (200, {**TABLE, "basecamp_url": "http://b"}))
    assert [t["name"] for t in json.loads(dli("catalog", "p.d", "-f", "json").stdout)] == ["p.d.t"]
    assert [t["name"] for t in json.loads(dli("catalog", "search", "x", "-f", "json").stdout)]
    assert "basecamp_url  http://b" in dli("catalog", "p.d.t").stdout
    unknown = dli("catalog", "p.d.none")
    assert unknown.stderr.startswith("Error [DLI-702]: Table 'p.d.none' not found")


def test_a_catalog_that_the_server_has_not_or_that_cannot_be_read(
    dli: Dli, server: ScriptedServer
) -> None:
    missing = dli("catalog")
    assert (missing.exit_code, missing.stdout) == (1, "")
    assert missing.stderr.startswith("Error [DLI-701]: The server has no catalog")
    server.on("GET /catalog/tables", page("tables", {"name": 1}))
    assert dli("catalog").stderr.startswith("Error [DLI-503]: ")
    server.on("GET /catalog/tables", (401, {"code": "DLI-502", "detail": "no"}))
    assert dli("catalog").stderr.startswith("Error [DLI-502]: ")


def test_registered_specs(dli: Dli, server: ScriptedServer) -> None:
    server.on("GET /datasets", page("datasets", SPEC, {**SPEC, "name": "a.b.d", "owner": "bo"}))
    listed = dli("dataset", "list", "-s", "server", "--owner", "bo", "-f", "json")
    assert [one["name"] for one in json.loads(listed.stdout)] == ["a.b.d"]
    server.on("GET /datasets", page("datasets", {"name": "a.b.c"}))
    broken = dli("dataset", "list", "-s", "server")
    assert broken.stderr.startswith("Error [DLI-503]: The server's spec cannot be read")
    assert dli("dataset", "history", "a.b.c").stderr.startswith("Error [DLI-101]: ")


def test_server_mode_finds_the_basecamp_of_the_project(
    dli: Dli,
    server: ScriptedServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "dli.yaml").write_text("version: '1'\n")
    (tmp_path / ".dli").mkdir(mode=0o700)
    state = {"url": server.url, "token": "generated", "pid": os.getpid()}
    (tmp_path / ".dli" / "basecamp.json").write_text(json.dumps(state))
    monkeypatch.delenv("DLI_SERVER_URL")
    server.on("GET /quality", page("qualities"))
    found = dli("quality", "list", "--path", str(tmp_path))
    assert (found.exit_code, found.stderr) == (0, "No quality test found.\n")
    assert server.asked("GET /quality")
