"""`dli workflow publish`, and `register` inside of a project."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from click.testing import Result
    from tests.unit.dli.cli.conftest import ScriptedServer

    Dli = Callable[..., Result]

DATASET = "shop.sales.daily_revenue"


@pytest.fixture
def project(dli: Dli, clean_place: Path) -> Path:
    assert dli("init").exit_code == 0
    return clean_place


def answer(**changes: list[str]) -> tuple[int, dict[str, Any]]:
    nothing: dict[str, Any] = {"added": [], "changed": [], "removed": [], "unchanged": []}
    return 200, {"version": "v1", **nothing, **changes, "message": "Done."}


@pytest.mark.usefixtures("project")
def test_publish_sends_every_dataset_with_its_sql(dli: Dli, server: ScriptedServer) -> None:
    server.on("POST /workflows/publish", answer(added=[DATASET], removed=["old.one"]))
    result = dli("workflow", "publish", "--version", "v1")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.splitlines() == [
        "CHANGE   DATASET",
        f"added    {DATASET}",
        "removed  old.one",
        "Published version v1: 1 added, 0 changed, 1 removed, 0 unchanged.",
    ]
    (body,) = server.asked("POST /workflows/publish")
    assert (body["version"], body["dry_run"]) == ("v1", False)
    (spec,) = body["specs"]
    assert spec["name"] == DATASET
    assert spec["schedule"]["cron"] == "0 6 * * *"
    assert "INSERT INTO" in spec["query_statement"]


@pytest.mark.usefixtures("project")
def test_publish_dry_run_says_so(dli: Dli, server: ScriptedServer) -> None:
    server.on("POST /workflows/publish", answer(changed=[DATASET]))
    result = dli("workflow", "publish", "--dry-run")
    assert "dry-run: 0 added, 1 changed, 0 removed, 0 unchanged; nothing was" in result.stdout
    assert server.asked("POST /workflows/publish")[0]["dry_run"] is True


@pytest.mark.usefixtures("project")
def test_publish_as_json_is_the_answer(dli: Dli, server: ScriptedServer) -> None:
    server.on("POST /workflows/publish", answer(added=[DATASET]))
    document = json.loads(dli("workflow", "publish", "-f", "json").stdout)
    assert document["added"] == [DATASET]


def test_one_bad_file_and_nothing_is_published(
    dli: Dli, server: ScriptedServer, project: Path
) -> None:
    (project / "datasets" / "dataset.a.b.c.yaml").write_text("name: a.b.c\nname: d\n")
    (project / "datasets" / "dataset.a.b.d.yaml").write_text(
        "name: a.b.d\nowner: o\nteam: t\nquery_statement: SELEC 1\n"
    )
    result = dli("workflow", "publish")
    assert (result.exit_code, result.stdout, server.requests) == (1, "", [])
    lines = result.stderr.splitlines()
    assert lines[0].startswith("Error [DLI-203]: Nothing was published")
    assert any("dataset.a.b.c.yaml" in line for line in lines[1:])
    assert any("dataset.a.b.d.yaml" in line for line in lines[1:])


def test_an_empty_project_is_only_published_on_purpose(
    dli: Dli, server: ScriptedServer, project: Path
) -> None:
    (project / "datasets" / f"dataset.{DATASET}.yaml").unlink()
    server.on("POST /workflows/publish", answer(removed=[DATASET]))
    result = dli("workflow", "publish")
    assert (result.exit_code, server.requests) == (1, [])
    assert "--allow-empty" in result.stderr
    assert dli("workflow", "publish", "--allow-empty").exit_code == 0


def test_publish_needs_a_project(dli: Dli) -> None:
    result = dli("workflow", "publish")
    assert (result.exit_code, result.stderr[:16]) == (1, "Error [DLI-002]:")


@pytest.mark.usefixtures("project")
def test_register_takes_the_spec_of_the_project(dli: Dli, server: ScriptedServer) -> None:
    server.on("POST /workflows/register", (201, {"dataset_name": DATASET, "status": "active"}))
    assert dli("workflow", "register", DATASET, "-c", "0 9 * * *").exit_code == 0
    (body,) = server.asked("POST /workflows/register")
    assert body["spec"]["name"] == DATASET
    assert "INSERT INTO" in body["spec"]["query_statement"]


@pytest.mark.usefixtures("project")
def test_register_leaves_what_the_project_does_not_hold_to_the_server(
    dli: Dli, server: ScriptedServer
) -> None:
    server.on("POST /workflows/register", (404, {"code": "DLI-101", "detail": "no such dataset"}))
    result = dli("workflow", "register", "shop.sales.dayly", "-c", "0 9 * * *")
    assert (result.exit_code, result.stderr[:16]) == (1, "Error [DLI-101]:")
    assert f"Did you mean '{DATASET}'?" in result.stderr
    assert "spec" not in server.asked("POST /workflows/register")[0]


def test_register_refuses_a_file_with_a_problem(
    dli: Dli, server: ScriptedServer, project: Path
) -> None:
    (project / "datasets" / "dataset.a.b.c.yaml").write_text("name: a.b.c\nwhat: 1\n")
    result = dli("workflow", "register", "a.b.c", "-c", "0 9 * * *")
    assert (result.exit_code, server.requests) == (1, [])
    assert result.stderr.startswith("Error [DLI-203]: ")
