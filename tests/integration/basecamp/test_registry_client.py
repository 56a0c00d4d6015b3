"""`DatasetAPI`, `MetricAPI` and the command line on the registry of a real server."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from dli import __version__
from dli.api.config import ConfigAPI
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


def test_a_registered_spec_can_be_read_beside_that_of_the_project(
    context: ExecutionContext, project: Path
) -> None:
    with pytest.raises(DatasetNotFoundError, match="Searched: the server"):
        DatasetAPI(context).get_registered(DAILY)
    DatasetAPI(context).register(DAILY)
    (project / "datasets" / "daily.sql").write_text("SELECT 2 AS a")
    api = DatasetAPI(context)
    assert api.get_registered(DAILY).query_statement == "SELECT 1 AS a\nFROM shop.raw.orders\n"
    assert "2 AS a" in api.render_sql(DAILY)
    MetricAPI(context).register(TOTAL)
    assert MetricAPI(context).get_registered(TOTAL).name == TOTAL


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


def test_metrics_on_the_command_line(
    context: ExecutionContext, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project)
    monkeypatch.setenv("DLI_SERVER_URL", context.server_url or "")
    monkeypatch.setenv("DLI_API_TOKEN", context.api_token or "")

    def dli(*words: str) -> Result:
        return CliRunner().invoke(app, words)  # type: ignore[arg-type]

    assert json.loads(dli("metric", "list", "--source", "server", "-f", "json").stdout) == []
    assert dli("metric", "register", TOTAL).stdout == f"{TOTAL} is registered.\n"
    assert dli("metric", "register", TOTAL).exit_code == 1
    assert dli("metric", "diff", TOTAL).stderr == "No difference.\n"
    file = project / "metrics" / f"metric.{TOTAL}.yaml"
    file.write_text(file.read_text().replace("SELECT 1", "SELECT 2"))
    assert "+query_statement: SELECT 2\n" in dli("metric", "diff", TOTAL).stdout
    assert dli("metric", "register", TOTAL, "--force").exit_code == 0
    versions = json.loads(dli("metric", "history", TOTAL, "--format", "json").stdout)
    assert [one["version"] for one in versions] == [2, 1]
    listed = json.loads(dli("metric", "list", "-s", "server", "-t", "daily", "-f", "json").stdout)
    assert [one["name"] for one in listed] == [TOTAL]
    shown = json.loads(dli("metric", "get", TOTAL, "-s", "server", "-f", "json").stdout)
    assert shown["query_statement"] == "SELECT 2"


@pytest.mark.parametrize(
    ("filters", "is_found"),
    [
        ({"owner": "ana@example.com"}, True),
        ({"owner": "ana"}, False),
        ({"tags": ["daily"]}, True),
        ({"tags": ["daily", "other"]}, False),
        ({"catalog": "shop", "schema": "sales"}, True),
        ({"catalog": "web"}, False),
        ({"schema": "raw"}, False),
        ({"domain": "money"}, False),
    ],
)
def test_every_filter_holds_for_registered_specs_too(
    context: ExecutionContext, filters: dict[str, Any], is_found: bool
) -> None:
    datasets, metrics = DatasetAPI(context), MetricAPI(context)
    datasets.register(DAILY)
    metrics.register(TOTAL)
    found = [spec.name for spec in datasets.list_datasets(source="server", **filters)]
    assert found == ([DAILY] if is_found else [])
    also = [spec.name for spec in metrics.list_metrics(source="server", **filters)]
    assert also == ([TOTAL] if is_found else [])


@pytest.mark.parametrize(("kind", "name"), [(DatasetAPI, DAILY), (MetricAPI, TOTAL)])
def test_in_server_mode_the_specs_of_the_project_are_looked_at(
    context: ExecutionContext, kind: type[DatasetAPI | MetricAPI], name: str
) -> None:
    api = kind(context.model_copy(update={"execution_mode": ExecutionMode.SERVER}))
    assert api.validate(name).valid
    assert not api.validate("shop.sales.none", strict=True).valid
    assert api.render_sql(name, format_sql=False).startswith("SELECT 1")
    assert api.get_tables(name) == (["shop.raw.orders"] if name == DAILY else [])
    assert api.get_columns(name) == (["a"] if name == DAILY else ["1"])
    api.register(name)
    assert api.diff(name) == ""
    assert [one["version"] for one in api.get_versions(name)] == [1]
    with pytest.raises(ServerError):
        api.register(name)


def test_the_connection_to_a_server_is_really_tried(context: ExecutionContext) -> None:
    server = {"execution_mode": ExecutionMode.SERVER}
    for kind in (DatasetAPI, MetricAPI):
        assert kind(context.model_copy(update=server)).test_connection() is True
        for wrong in ({"api_token": "wrong"}, {"server_url": "http://127.0.0.1:9", "timeout": 1}):
            assert kind(context.model_copy(update={**server, **wrong})).test_connection() is False
    status = ConfigAPI(context).get_server_status()
    assert status == {"healthy": True, "url": context.server_url, "version": __version__}
