"""`DatasetAPI`, `MetricAPI` and the command line in SERVER mode, on a server that runs SQL."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from dli.api.dataset import DatasetAPI
from dli.api.metric import MetricAPI
from dli.api.server import connect
from dli.exceptions import (
    DatasetNotFoundError,
    DLIError,
    DLIValidationError,
    ErrorCode,
    ExecutionError,
    MetricNotFoundError,
    ServerError,
    TranspileError,
)
from dli.main import app
from dli.models.common import ExecutionContext
from dli.models.execution import ExecutionResult
from dli.models.state import ExecutionMode, ResultStatus

DAILY, TOTAL = "web.clicks.daily", "web.clicks.total"
HEAD = {"owner": "ana@example.com", "team": "web"}
DATASET = {
    "name": DAILY,
    "parameters": [{"name": "rows", "type": "integer"}],
    "pre_statements": [
        {"name": "table", "sql": "CREATE TABLE IF NOT EXISTS web.clicks.daily (day DATE, n BIGINT)"}
    ],
    "query_statement": """INSERT INTO web.clicks.daily
        SELECT DATE '{{ ds }}', n FROM UNNEST(SEQUENCE(1, {{ rows }})) AS t(n)""",
    "post_statements": [{"name": "look", "sql": "SELECT 1"}],
}
METRIC = {
    "name": TOTAL,
    "query_statement": "SELECT n FROM web.clicks.daily WHERE day = DATE '2026-01-01' ORDER BY n",
    "metrics": [{"name": "rows", "aggregation": "count", "expression": "*"}],
    "dimensions": [{"name": "n", "expression": "n"}],
}


@pytest.fixture(scope="module")
def clicks(working_site: Any) -> Any:
    assert working_site.post("/api/v1/datasets", {"spec": HEAD | DATASET}).status == 201
    assert working_site.post("/api/v1/metrics", {"spec": HEAD | METRIC}).status == 201
    path = f"/api/v1/datasets/{DAILY}/run"
    body = {"parameters": {"ds": "2026-01-01", "rows": 4}}
    assert working_site.post(path, body).body["rows_affected"] == 4
    return working_site


@pytest.fixture
def context(clicks: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ExecutionContext:
    monkeypatch.chdir(tmp_path)  # outside of any project
    return ExecutionContext(
        execution_mode=ExecutionMode.SERVER,
        server_url=f"http://127.0.0.1:{clicks.port}",
        api_token=clicks.basecamp.token,
    )


@pytest.fixture
def dli(context: ExecutionContext, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("DLI_EXECUTION_MODE", "server")
    monkeypatch.setenv("DLI_SERVER_URL", str(context.server_url))
    monkeypatch.setenv("DLI_API_TOKEN", str(context.api_token))

    def call(*arguments: str) -> Result:
        return CliRunner().invoke(app, list(arguments))  # type: ignore[arg-type]

    return call


def test_a_dataset_runs_on_the_server_as_it_would_here(context: ExecutionContext) -> None:
    api = DatasetAPI(context)
    result = api.run(DAILY, parameters={"ds": date(2026, 2, 1), "rows": 2}, show_sql=True)
    assert (result.status, result.rows_affected) == (ResultStatus.SUCCESS, 2)
    assert result.sql is not None
    assert "DATE '2026-02-01'" in result.sql
    assert api.run(DAILY, parameters={"rows": 1}, dry_run=True).rows_affected is None
    assert api.run(DAILY, parameters={"rows": 1}, dry_run=True).sql is None
    context.parameters = {"rows": 3, "not_declared": 1}
    assert api.run(DAILY, parameters={"ds": "2026-02-02"}).rows_affected == 3
    context.dry_run = True
    assert api.run(DAILY, parameters={"ds": "2026-02-03"}).rows_affected is None


def test_a_check_binds_on_the_server(context: ExecutionContext) -> None:
    api = DatasetAPI(context)
    assert api.check(DAILY, parameters={"rows": 1}).valid
    bad = {
        **DATASET,
        "name": "web.clicks.bad",
        "query_statement": "SELECT nix FROM web.clicks.daily",
    }
    with connect(context) as client:
        assert client.register_dataset(HEAD | bad, force=True).success
    found = api.check("web.clicks.bad", parameters={"rows": 1})
    assert (found.valid, len(found.errors)) == (False, 1)
    assert "nix" in found.errors[0]


def test_what_the_server_refuses_is_raised_as_here(context: ExecutionContext) -> None:
    api = DatasetAPI(context)
    with pytest.raises(DLIValidationError) as refused:
        api.run(DAILY, parameters={"rows": "many"})
    assert refused.value.code is ErrorCode.PARAMETER_INVALID
    with pytest.raises(DatasetNotFoundError) as unknown:
        api.run("no.such", parameters={})
    assert (unknown.value.name, unknown.value.searched_paths) == ("no.such", ["the server"])
    with pytest.raises(MetricNotFoundError):
        MetricAPI(context).run("no.such")
    with pytest.raises(DLIValidationError, match="DLI-202"):
        api.run_sql("SELEC 1")
    with pytest.raises(TranspileError):
        api.run_sql("SELECT * FROM a.b.c", strict=True)


def test_a_refused_token_is_an_error_of_the_server(context: ExecutionContext) -> None:
    context.api_token = "wrong"
    with pytest.raises(ServerError) as refused:
        DatasetAPI(context).run_sql("SELECT 1")
    assert refused.value.code is ErrorCode.SERVER_AUTH_FAILED


def test_no_answer_in_time_leaves_the_outcome_open(
    context: ExecutionContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dli.api.remote.waiting_s", lambda _: 0.0)
    context.timeout = 1
    with pytest.raises(ExecutionError) as late:
        DatasetAPI(context).run_sql(
            "SELECT COUNT(*) FROM UNNEST(SEQUENCE(1, 1000000000)) AS a(x)"
            " CROSS JOIN UNNEST(SEQUENCE(1, 1000000000)) AS b(y) WHERE x * y = 7"
        )
    assert late.value.code is ErrorCode.TIMEOUT


def test_a_statement_gives_its_first_rows(context: ExecutionContext) -> None:
    api = DatasetAPI(context)
    found: list[ExecutionResult] = []
    result = api.run_sql("SELECT {{ a }} AS a", parameters={"a": 1}, on_rows=found.append)
    assert (result.name, result.sql) == ("<inline>", "SELECT 1 AS a")
    assert [(one.columns, one.data, one.row_count) for one in found] == [(["a"], [{"a": 1}], 1)]
    failed = api.run_sql("SELECT nix FROM web.clicks.daily")
    assert failed.status is ResultStatus.FAILURE
    assert "nix" in str(failed.error_message)


def test_the_registered_spec(context: ExecutionContext) -> None:
    assert DatasetAPI(context).get_registered(DAILY).parameters[0].name == "rows"
    assert MetricAPI(context).get_registered(TOTAL).metrics[0].name == "rows"


def test_rows_of_a_table(context: ExecutionContext) -> None:
    api = DatasetAPI(context)
    assert len(api.get_rows(DAILY, limit=2)) == 2
    with pytest.raises(DLIValidationError):
        api.get_rows(DAILY, limit=101)
    with pytest.raises(DLIError):
        api.get_rows("no.such")


def test_a_metric_gives_its_rows(context: ExecutionContext) -> None:
    api = MetricAPI(context)
    result = api.run(TOTAL, limit=2)
    assert (result.columns, result.data, result.row_count) == (["n"], [{"n": 1}, {"n": 2}], 2)
    assert result.sql is None
    by_n = api.run(TOTAL, by=["n"], metrics=["rows"], show_sql=True)
    assert by_n.data is not None
    assert by_n.data[0] == {"n": 1, "rows": 1}
    assert "GROUP BY" in str(by_n.sql)
    assert api.run(TOTAL, dry_run=True).data is None


def test_the_log_says_when_a_server_has_more_rows_than_it_gives(
    context: ExecutionContext, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    api = MetricAPI(context)
    api.run(TOTAL)
    assert "more rows" not in caplog.text
    wide = {**METRIC, "name": "web.clicks.wide"}
    wide["query_statement"] = "SELECT n FROM UNNEST(SEQUENCE(1, 10001)) AS t(n)"
    with connect(context) as client:
        assert client.register_metric(HEAD | wide).success
    assert api.run("web.clicks.wide").row_count == 10_000
    assert "more rows" in caplog.text


def test_the_command_line_runs_on_the_server(dli: Any) -> None:
    done = dli("dataset", "run", DAILY, "-p", "ds=2026-03-01", "-p", "rows=2", "--skip-post")
    assert done.exit_code == 0, done.output
    assert f"{DAILY}: success, 2 rows" in done.stdout
    assert "Left out: post look" in done.stderr
    dry = dli("dataset", "run", DAILY, "-p", "rows=2", "--dry-run", "--show-sql")
    assert "dry-run" in dry.stdout
    assert "INSERT INTO" in dry.stdout
    shown = dli("dataset", "show", DAILY, "--rows", "1", "--format", "json")
    assert json.loads(shown.stdout) == [{"day": "2026-01-01", "n": 1}]
    rows = dli("dataset", "run", "--sql", "SELECT 41 + 1 AS answer")
    assert "42" in rows.stdout
    metric = dli("metric", "run", TOTAL, "--output", "csv", "--limit", "1")
    assert metric.stdout == "n\n1\n"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("dataset", "run", "no.such"), "DLI-101"),
        (("dataset", "run", DAILY, "-p", "rows=x"), "DLI-204"),
        (("dataset", "run", "--sql", "SELECT nix FROM web.clicks.daily"), "DLI-405"),
        (("metric", "run", "no.such"), "DLI-102"),
    ],
)
def test_the_command_line_tells_what_the_server_refused(
    dli: Any, arguments: tuple[str, ...], code: str
) -> None:
    refused = dli(*arguments)
    assert refused.exit_code == 1
    assert refused.stderr.startswith(f"Error [{code}]: ")
