"""`DatasetAPI`, `MetricAPI` and the command line on the registry of a real server."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from dli.api.dataset import DatasetAPI
from dli.api.metric import MetricAPI
from dli.exceptions import DatasetNotFoundError, MetricNotFoundError, ServerError
from dli.main import app
from dli.models.common import ExecutionContext
from dli.models.state import ExecutionMode

DAILY, TOTAL = "shop.sales.daily", "shop.sales.total"
HEAD = "owner: ana@example.com\nteam: sales\ntags: [daily]\nname: "


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    for folder in ("datasets", "metrics"):
        (root / folder).mkdir(parents=True)
    (root / "dli.yaml").write_text("")
    (root / "datasets" / "daily.sql").write_text("SELECT 1 AS a\nFROM shop.raw.orders\n")
    (root / "datasets" / f"dataset.{DAILY}.yaml").write_text(
        f"{HEAD}{DAILY}\nquery_file: daily.sql"
    )
    (root / "metrics" / f"metric.{TOTAL}.yaml").write_text(
        f"{HEAD}{TOTAL}\nquery_statement: SELECT 1\n"
    )
    return root


@pytest.fixture
def context(site: Any, project: Path) -> ExecutionContext:
    return ExecutionContext(
        project_path=project,
        server_url=f"http://127.0.0.1:{site.port}",
        api_token=site.basecamp.token,
    )


def test_a_registered_dataset_comes_back(context: ExecutionContext) -> None:
    api = DatasetAPI(context)
    assert api.list_datasets(source="server") == []
    api.register(DAILY)
    (found,) = api.list_datasets(source="server", tags=["daily"])
    assert (found.name, found.query_statement) == (DAILY, "SELECT 1 AS a\nFROM shop.raw.orders\n")
    assert api.list_datasets(source="server", owner="bo") == []
    elsewhere = context.model_copy(
        update={"project_path": None, "execution_mode": ExecutionMode.SERVER}
    )
    assert DatasetAPI(elsewhere).get(DAILY) == found
    assert DatasetAPI(elsewhere).get("shop.sales.none") is None
    with pytest.raises(ServerError) as caught:
        api.register(DAILY)
    assert (caught.value.status_code, caught.value.code.value) == (409, "DLI-201")
    api.register(DAILY, force=True)
    assert [one["version"] for one in api.get_versions(DAILY)] == [1]


def test_metrics_too(context: ExecutionContext) -> None:
    api = MetricAPI(context)
    with pytest.raises(MetricNotFoundError):
        api.diff(TOTAL)
    api.register(TOTAL)
    assert api.diff(TOTAL) == ""
    assert [spec.name for spec in api.list_metrics(source="server")] == [TOTAL]


def test_a_change_is_seen_line_by_line(context: ExecutionContext, project: Path) -> None:
    with pytest.raises(DatasetNotFoundError, match="Searched: the server"):
        DatasetAPI(context).diff(DAILY)
    DatasetAPI(context).register(DAILY)
    (project / "datasets" / "daily.sql").write_text("SELECT 2 AS a\nFROM shop.raw.orders\n")
    api = DatasetAPI(context)
    changed = [line for line in api.diff(DAILY).splitlines() if line[0] in "+-"]
    assert changed == ["--- registered", "+++ project", "-  SELECT 1 AS a", "+  SELECT 2 AS a"]
    api.register(DAILY, force=True)
    assert api.diff(DAILY) == ""
    assert [one["version"] for one in api.get_versions(DAILY)] == [2, 1]


def test_the_command_line(
    context: ExecutionContext, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project)
    monkeypatch.setenv("DLI_SERVER_URL", context.server_url or "")
    monkeypatch.setenv("DLI_API_TOKEN", context.api_token or "")

    def dli(*words: str) -> Result:
        return CliRunner().invoke(app, words)  # type: ignore[arg-type]

    assert dli("dataset", "register", DAILY).stdout == f"{DAILY} is registered.\n"
    again = dli("dataset", "register", DAILY)
    assert (again.exit_code, again.stderr[:17]) == (1, "Error [DLI-201]: ")
    assert dli("dataset", "diff", DAILY).stderr == "No difference.\n"
    (project / "datasets" / "daily.sql").write_text("SELECT 3")
    assert "+query_statement: SELECT 3\n" in dli("dataset", "diff", DAILY).stdout
    assert dli("dataset", "register", DAILY, "-f").exit_code == 0
    versions = json.loads(dli("dataset", "history", DAILY, "--format", "json").stdout)
    assert [(one["version"], one["registered_by"]) for one in versions] == [
        (2, "local"),
        (1, "local"),
    ]
    assert dli("dataset", "history", DAILY).stdout.startswith("VERSION  BY     AT")
    listed = json.loads(dli("dataset", "list", "-s", "server", "-f", "json").stdout)
    assert [one["name"] for one in listed] == [DAILY]
    assert "query_statement" in dli("dataset", "get", DAILY, "-s", "server", "-f", "json").stdout
    unknown = dli("dataset", "register", "shop.sales.dayly")
    assert f"Did you mean '{DAILY}'?" in unknown.stderr
    assert dli("metric", "history", TOTAL).stderr.startswith("Error [DLI-102]: ")


def test_a_server_that_is_not_there(context: ExecutionContext) -> None:
    gone = context.model_copy(update={"server_url": "http://127.0.0.1:9", "timeout": 1})
    with pytest.raises(ServerError) as caught:
        DatasetAPI(gone).register(DAILY)
    assert caught.value.code.value == "DLI-501"
