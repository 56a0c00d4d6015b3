"""`dli info|config`: what is set up, and whether it works."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from dli import __version__

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from click.testing import Result
    from tests.unit.dli.cli.conftest import ScriptedServer

    Dli = Callable[..., Result]

SECRET = "canary-7391"
EMPTY_LIST = {"workflows": [], "total_count": 0, "next_offset": None}


@pytest.fixture
def healthy(server: ScriptedServer) -> ScriptedServer:
    server.on("GET /health", (200, {"status": "ok", "version": __version__}))
    server.on("GET /workflows", (200, EMPTY_LIST))
    return server


def states(result: Result) -> dict[str, str]:
    return {check["name"]: check["state"] for check in json.loads(result.stdout)}


def test_info_names_version_project_and_server(
    dli: Dli, healthy: ScriptedServer, clean_place: Path
) -> None:
    (clean_place / "dli.yaml").write_text("version: '1'\n")
    found = json.loads(dli("info", "-f", "json").stdout)
    assert found["version"] == __version__
    assert found["project"] == str(clean_place)
    assert found["server_url"] == healthy.url
    assert found["mode"] == "local"
    assert healthy.url in dli("info").stdout


def test_config_show_tells_the_source_of_each_value(
    dli: Dli, clean_place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (clean_place / "dli.yaml").write_text("server: {url: 'http://example.com', timeout: 7}\n")
    monkeypatch.setenv("DLI_SERVER_URL", "http://127.0.0.1:9")
    shown = {s["key"]: s for s in json.loads(dli("config", "show", "-f", "json").stdout)}
    assert (shown["server.url"]["value"], shown["server.url"]["source"]) == (
        "http://127.0.0.1:9",
        "environment",
    )
    assert (shown["server.timeout"]["value"], shown["server.timeout"]["source"]) == (7, "dli.yaml")
    assert shown["defaults.dialect"]["source"] == "default"


def test_config_show_has_a_line_for_each_value_of_a_list(dli: Dli, clean_place: Path) -> None:
    (clean_place / "dli.yaml").write_text(
        "sources: [{table: a.b.c, path: c.csv}, {table: a.b.d, path: d.csv}]\n"
    )
    lines = [line.split() for line in dli("config", "show").stdout.splitlines()]
    assert ["sources.0.path", "c.csv", "dli.yaml"] in lines
    assert ["sources.1.table", "a.b.d", "dli.yaml"] in lines
    shown = {s["key"]: s["value"] for s in json.loads(dli("config", "show", "-f", "json").stdout)}
    assert len(shown["sources"]) == 2


@pytest.mark.parametrize("words", [("config", "show"), ("config", "show", "-f", "json"), ("info",)])
def test_no_secret_is_shown(
    dli: Dli, healthy: ScriptedServer, clean_place: Path, words: tuple[str, ...]
) -> None:
    (clean_place / "dli.yaml").write_text(
        f"server: {{api_key: {SECRET}}}\n"
        f"environments: {{dev: {{connection_string: 'trino://u:{SECRET}@h/c'}}}}\n"
    )
    result = dli(*words)
    assert SECRET not in result.output
    if words == ("config", "show"):
        assert "***" in result.stdout


def test_config_status_is_good_with_a_healthy_server(dli: Dli, healthy: ScriptedServer) -> None:
    result = dli("config", "status", "-f", "json")
    assert result.exit_code == 0
    assert states(result) == {"project": "warn", "server": "ok", "token": "ok"}
    assert len(healthy.asked("GET /health")) == 1


def test_config_status_fails_with_a_server_that_is_not_healthy(
    dli: Dli, server: ScriptedServer
) -> None:
    server.on("GET /health", (500, {"code": "DLI-504", "detail": "no store"}))
    result = dli("config", "status", "-f", "json")
    assert (result.exit_code, states(result)["server"]) == (1, "fail")


def test_config_status_fails_with_a_wrong_token(dli: Dli, healthy: ScriptedServer) -> None:
    healthy.on("GET /workflows", (401, {"code": "DLI-502", "detail": "no"}))
    result = dli("config", "status", "-f", "json")
    assert (result.exit_code, states(result)["token"]) == (1, "fail")


def test_config_status_without_any_server_only_warns(dli: Dli) -> None:
    result = dli("config", "status", "-f", "json")
    assert (result.exit_code, states(result)["server"]) == (0, "warn")


def test_a_broken_dli_yaml_is_found_with_its_place(dli: Dli, clean_place: Path) -> None:
    (clean_place / "dli.yaml").write_text("version: '1'\n bad: [\n")
    result = dli("config", "status")
    assert result.exit_code == 1
    assert "line 2" in result.stdout
    assert result.stderr == ""
