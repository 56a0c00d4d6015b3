"""`dli doctor`: what is wrong with the setup."""

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

EMPTY_LIST = {"workflows": [], "total_count": 0, "next_offset": None}


@pytest.fixture
def healthy(server: ScriptedServer) -> ScriptedServer:
    server.on("GET /health", (200, {"status": "ok", "version": __version__}))
    server.on("GET /workflows", (200, EMPTY_LIST))
    return server


def states(result: Result) -> dict[str, str]:
    return {check["name"]: check["state"] for check in json.loads(result.stdout)}


def test_doctor_is_content_with_a_new_project(dli: Dli, healthy: ScriptedServer) -> None:
    dli("init")
    result = dli("doctor", "-f", "json")
    assert result.exit_code == 0, result.stdout
    assert set(states(result).values()) == {"ok"}


def test_doctor_finds_broken_specs_and_an_open_state_folder(
    dli: Dli, healthy: ScriptedServer, clean_place: Path
) -> None:
    dli("init")
    (clean_place / "datasets" / "dataset.a.b.c.yaml").write_text("name: a.b.c\nname: d\n")
    (clean_place / ".dli").mkdir(mode=0o755)
    result = dli("doctor", "-f", "json")
    assert result.exit_code == 1
    checks = json.loads(result.stdout)
    failed = {check["name"]: check["found"] for check in checks if check["state"] == "fail"}
    assert set(failed) == {"specs", "state folder"}
    assert "dataset.a.b.c.yaml" in failed["specs"]


def test_doctor_misses_the_file_of_a_source(
    dli: Dli, healthy: ScriptedServer, clean_place: Path
) -> None:
    dli("init")
    (clean_place / "data" / "orders.csv").unlink()
    result = dli("doctor", "-f", "json")
    assert (result.exit_code, states(result)["sources"]) == (1, "fail")


def test_doctor_misses_the_library_of_a_lineage_target(
    dli: Dli, healthy: ScriptedServer, clean_place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dli("init")
    with (clean_place / "dli.yaml").open("a") as file:
        file.write("\nlineage: {url: 'http://lineage.example'}\n")
    assert "lineage" not in states(dli("doctor", "-f", "json"))
    monkeypatch.setattr("dli.cli.doctor.find_spec", lambda name: name != "openlineage" or None)
    result = dli("doctor", "-f", "json")
    assert (result.exit_code, states(result)["lineage"]) == (0, "warn")


def test_doctor_tells_of_another_version(dli: Dli, healthy: ScriptedServer) -> None:
    healthy.on("GET /health", (200, {"status": "ok", "version": "9.9.9"}))
    result = dli("doctor", "-f", "json")
    assert (result.exit_code, states(result)["version"]) == (0, "warn")
