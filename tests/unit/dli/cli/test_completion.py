"""Shell completion: fast, silent, from the running server."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from click.testing import Result
    from tests.unit.dli.cli.conftest import ScriptedServer

    Dli = Callable[..., Result]


def completed(*words: str) -> list[str]:
    """What a press of the tab key after these words offers."""
    env = {"_DLI_COMPLETE": "bash_complete", "COMP_WORDS": " ".join(["dli", *words])}
    result = subprocess.run(
        [sys.executable, "-c", "from dli.main import app; app(prog_name='dli')"],
        env={**os.environ, **env, "COMP_CWORD": str(len(words))},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert result.stderr == ""
    return [line.partition(",")[2] for line in result.stdout.split()]


def test_commands_are_completed() -> None:
    assert completed("work") == ["workflow"]
    assert completed("workflow", "un") == ["unpause", "unregister"]
    assert "--running" in completed("workflow", "list", "--r")


def test_dataset_names_come_from_the_server(server: ScriptedServer) -> None:
    known = [{"dataset_name": "shop.sales.daily"}, {"dataset_name": "other.shop.x"}]
    server.on("GET /workflows", (200, {"workflows": known, "total_count": 2, "next_offset": None}))
    assert completed("workflow", "run", "shop") == ["shop.sales.daily"]
    (query,) = server.asked("GET /workflows")
    assert "dataset=shop" in query


def test_run_ids_come_from_the_server(server: ScriptedServer) -> None:
    runs = [{"run_id": "r-2"}, {"run_id": "r-1"}]
    server.on(
        "GET /workflows/history", (200, {"runs": runs, "total_count": 2, "next_offset": None})
    )
    assert completed("workflow", "stop", "r-") == ["r-2", "r-1"]


def test_names_of_specs_come_from_the_files_of_the_project(clean_place: Path) -> None:
    (clean_place / "dli.yaml").write_text("discovery: {datasets_dir: tables}")
    for folder, name in (
        ("tables/deep", "dataset.shop.sales.daily"),
        ("metrics", "metric.shop.total"),
    ):
        (clean_place / folder).mkdir(parents=True)
        (clean_place / folder / f"{name}.yaml").write_text("not: read")
    assert completed("dataset", "run", "shop") == ["shop.sales.daily"]
    assert completed("metric", "run", "") == ["shop.total"]
    assert completed("dataset", "get", "web") == []
    (clean_place / "dli.yaml").write_text("[")
    assert completed("dataset", "run", "shop") == []


@pytest.mark.parametrize("url", ["http://127.0.0.1:9", "not a url", ""])
def test_without_a_server_nothing_is_offered(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DLI_SERVER_URL", url)
    assert completed("workflow", "run", "shop") == []


def test_an_error_of_the_server_is_silent(server: ScriptedServer) -> None:
    server.on("GET /workflows", (401, {"code": "DLI-502", "detail": "no"}))
    assert completed("workflow", "run", "shop") == []


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_asks_dli(dli: Dli, shell: str) -> None:
    result = dli("completion", shell)
    assert result.exit_code == 0
    assert "_DLI_COMPLETE" in result.stdout
