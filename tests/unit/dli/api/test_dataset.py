"""`DatasetAPI` in LOCAL mode: real specs, real SQL on the project's warehouse or an executor."""

import json
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest

from dli.api.dataset import DatasetAPI
from dli.exceptions import (
    ConfigurationError,
    DatasetNotFoundError,
    DLIError,
    DLIValidationError,
    ExecutionError,
    TableNotFoundError,
    TranspileError,
)
from dli.models.common import ExecutionContext
from dli.models.execution import ExecutionResult
from dli.models.state import ExecutionMode, ResultStatus
from dli.warehouse.base import StatementEvent
from dli.warehouse.executor import MockExecutor, QueryExecutor
from dli.warehouse.verdict import Verdicts

DAILY = "shop.sales.daily"
PLAIN = "shop.sales.plain"

ORDERS = "id,day,amount\n1,2025-01-01,10\n2,2025-01-01,20\n3,2025-01-02,5\n"
SPECS = {
    DAILY: """
name: shop.sales.daily
owner: me@example.com
team: sales
tags: [daily, money]
domains: [sales]
parameters:
  - {name: least, type: integer, default: 0}
pre_statements:
  - name: table
    sql: CREATE TABLE IF NOT EXISTS shop.sales.daily (day DATE, amount BIGINT)
  - name: day
    sql: DELETE FROM shop.sales.daily WHERE day = DATE '{{ ds }}'
query_file: daily.sql
""",
    PLAIN: """
name: shop.sales.plain
owner: you@example.com
team: sales
tags: [daily]
query_statement: INSERT INTO shop.sales.missing SELECT 1
""",
}
DAILY_SQL = """INSERT INTO shop.sales.daily
SELECT day, SUM(amount) AS amount FROM shop.raw.orders
WHERE day = DATE '{{ ds }}' AND amount >= {{ least }} GROUP BY day"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    (root / "datasets").mkdir(parents=True)
    (root / "data").mkdir()
    (root / "dli.yaml").write_text("sources: [{table: shop.raw.orders, path: data/orders.csv}]")
    (root / "data" / "orders.csv").write_text(ORDERS)
    (root / "datasets" / "daily.sql").write_text(DAILY_SQL)
    for name, text in SPECS.items():
        (root / "datasets" / f"dataset.{name}.yaml").write_text(text)
    return root


@pytest.fixture
def api(project: Path) -> DatasetAPI:
    return DatasetAPI(ExecutionContext(project_path=project))


def count(api: DatasetAPI) -> int | None:
    return api.run_sql("SELECT * FROM shop.sales.daily").rows_affected


@pytest.mark.parametrize(
    ("filters", "names"),
    [
        ({}, [DAILY, PLAIN]),
        ({"owner": "me@example.com"}, [DAILY]),
        ({"owner": "me"}, []),
        ({"tags": ["daily"]}, [DAILY, PLAIN]),
        ({"tags": ["daily", "money"]}, [DAILY]),
        ({"domain": "sales"}, [DAILY]),
        ({"catalog": "shop", "schema": "sales"}, [DAILY, PLAIN]),
        ({"schema": "raw"}, []),
    ],
)
def test_every_filter_of_the_list_holds(
    api: DatasetAPI, filters: dict[str, Any], names: list[str]
) -> None:
    assert [spec.name for spec in api.list_datasets(**filters)] == names


def test_a_path_replaces_the_project_of_the_context(project: Path, tmp_path: Path) -> None:
    api = DatasetAPI(ExecutionContext(project_path=tmp_path / "elsewhere"))
    assert [spec.name for spec in api.list_datasets(project)] == [DAILY, PLAIN]
    with pytest.raises(FileNotFoundError):
        api.list_datasets(tmp_path)


def test_a_spec_or_none(api: DatasetAPI, project: Path) -> None:
    found = api.get(DAILY)
    assert found is not None
    assert (found.name, found.team) == (DAILY, "sales")
    assert api.get("shop.sales.unknown") is None
    (project / "datasets" / "dataset.bad.yaml").write_text("name: shop.sales.bad\nowner: [")
    again = DatasetAPI(ExecutionContext(project_path=project))
    assert again.get("shop.sales.unknown") is None


def test_a_run_writes_what_the_engine_counts(api: DatasetAPI) -> None:
    result = api.run(DAILY, parameters={"ds": "2025-01-01"}, show_sql=True)
    assert (result.name, result.status) == (DAILY, ResultStatus.SUCCESS)
    assert result.error_message is None
    assert result.rows_affected == 1
    assert "DATE '2025-01-01'" in (result.sql or "")
    assert result.ended_at is not None
    assert result.ended_at >= result.started_at
    assert api.run(DAILY, parameters={"ds": "2025-01-01"}).rows_affected == 1
    assert count(api) == 1


def test_a_run_that_only_reads_affects_no_rows(api: DatasetAPI, project: Path) -> None:
    spec = project / "datasets" / f"dataset.{PLAIN}.yaml"
    spec.write_text(spec.read_text().replace("INSERT INTO shop.sales.missing SELECT", "SELECT"))
    result = api.run(PLAIN)
    assert (result.status, result.rows_affected) == (ResultStatus.SUCCESS, None)


def test_a_run_today_finds_nothing_and_says_so(api: DatasetAPI) -> None:
    result = api.run(DAILY)
    assert (result.status, result.rows_affected, result.sql) == (ResultStatus.SUCCESS, 0, None)


def test_parameters_of_the_context_are_defaults_of_declared_ones(project: Path) -> None:
    context = ExecutionContext(project_path=project, parameters={"least": 15, "other": 1})
    api = DatasetAPI(context)
    assert "amount >= 15" in api.render_sql(DAILY, format_sql=False)
    assert "amount >= 7" in api.render_sql(DAILY, parameters={"least": 7}, format_sql=False)


@pytest.mark.parametrize("parameters", [{"unknown": 1}, {"least": "many"}, {"ds": "soon"}], ids=str)
def test_parameters_that_do_not_fit_are_refused(api: DatasetAPI, parameters: Any) -> None:
    for call in (api.run, api.render_sql):
        with pytest.raises(DLIValidationError) as caught:
            call(DAILY, parameters=parameters)
        assert caught.value.code.value == "DLI-204"


def test_sql_that_the_engine_refuses_is_a_failure_and_changes_nothing(api: DatasetAPI) -> None:
    result = api.run(PLAIN)
    assert (result.status, result.rows_affected) == (ResultStatus.FAILURE, None)
    assert "missing" in (result.error_message or "")
    assert result.error_code == "DLI-405"
    forbidden = api.run_sql("SELECT * FROM read_text('/etc/hostname')", dialect="duckdb")
    assert (forbidden.status, forbidden.error_code) == (ResultStatus.FAILURE, "DLI-404")


def test_a_dry_run_needs_no_engine_and_changes_nothing(project: Path) -> None:
    executor = MockExecutor()
    api = DatasetAPI(ExecutionContext(project_path=project), executor)
    result = api.run(DAILY, dry_run=True, show_sql=True)
    assert (result.status, result.rows_affected) == (ResultStatus.SUCCESS, None)
    assert result.sql
    always = DatasetAPI(ExecutionContext(project_path=project, dry_run=True), executor)
    assert always.run(DAILY).status is ResultStatus.SUCCESS
    assert executor.statements == []
    with pytest.raises(DLIValidationError):
        api.run(DAILY, dry_run=True, parameters={"unknown": 1})


def test_a_dry_run_binds_on_the_warehouse_without_any_effect(
    api: DatasetAPI, project: Path
) -> None:
    assert api.run(DAILY, dry_run=True).status is ResultStatus.SUCCESS
    assert api.check(DAILY).warnings == []
    with pytest.raises(TableNotFoundError, match="daily' not found"):
        api.get_rows(DAILY)
    (project / "datasets" / "daily.sql").write_text(DAILY_SQL.replace("SUM(amount)", "SUM(amout)"))
    result = api.run(DAILY, dry_run=True)
    assert result.status is ResultStatus.FAILURE
    assert "amout" in (result.error_message or "")
    assert api.check(DAILY).errors == [result.error_message]


def test_a_dry_run_says_when_a_table_is_not_there_to_bind_on(api: DatasetAPI) -> None:
    found = api.check(PLAIN)
    assert found.valid
    assert found.warnings[0].startswith("not bound: main: Catalog Error: Table with name missing")
    assert api.run(PLAIN, dry_run=True).status is ResultStatus.SUCCESS


def test_rows_of_the_table(api: DatasetAPI) -> None:
    assert api.run(DAILY, parameters={"ds": "2025-01-01"}).status is ResultStatus.SUCCESS
    assert api.run(DAILY, parameters={"ds": "2025-01-02"}).status is ResultStatus.SUCCESS
    rows = api.get_rows(DAILY)
    assert sorted(row["amount"] for row in rows) == [5, 30]
    assert len(api.get_rows(DAILY, limit=1)) == 1


def test_statements_around_the_main_one_can_be_left_out(project: Path) -> None:
    executor = MockExecutor()
    api = DatasetAPI(ExecutionContext(project_path=project), executor)
    assert api.run(DAILY, skip_pre=True).status is ResultStatus.SUCCESS
    assert [sql.split()[0] for sql in executor.statements] == ["INSERT"]


def test_progress_is_told_statement_by_statement(api: DatasetAPI) -> None:
    events: list[StatementEvent] = []
    assert api.run(DAILY, on_event=events.append).status is ResultStatus.SUCCESS
    assert [(event.phase, event.position, event.total) for event in events[::2]] == [
        ("pre", 1, 3),
        ("pre", 2, 3),
        ("main", 3, 3),
    ]


def add_gate(project: Path, least: int) -> None:
    spec = project / "datasets" / f"dataset.{DAILY}.yaml"
    spec.write_text(SPECS[DAILY] + "quality: {gate: true}\n")
    (project / "quality").mkdir(exist_ok=True)
    (project / "quality" / f"quality.{DAILY}.yaml").write_text(
        f"target: {{type: dataset, name: {DAILY}}}\nmetadata: {{owner: me}}\n"
        f"tests: [{{name: enough, type: range_check, column: amount, min: {least}}}]\n"
    )


def test_a_quality_gate_undoes_a_run_that_fails_it(api: DatasetAPI, project: Path) -> None:
    assert api.run(DAILY, parameters={"ds": "2025-01-01"}).rows_affected == 1
    add_gate(project, least=10)
    api = DatasetAPI(ExecutionContext(project_path=project))
    result = api.run(DAILY, parameters={"ds": "2025-01-02"})
    assert result.status is ResultStatus.FAILURE
    assert result.error_message == "Quality gate: 1 of 1 tests did not pass: enough (1 rows)"
    verdicts = Verdicts(project)
    assert verdicts.latest(f"dataset:{DAILY}") == []
    assert result.error_code == "DLI-604"
    assert count(api) == 1
    add_gate(project, least=5)
    api = DatasetAPI(ExecutionContext(project_path=project))
    assert api.run(DAILY, parameters={"ds": "2025-01-02"}).status is ResultStatus.SUCCESS
    assert count(api) == 2
    assert [one["status"] for one in verdicts.latest(f"dataset:{DAILY}")] == ["pass"]


def test_a_dry_run_binds_the_tests_of_the_gate(api: DatasetAPI, project: Path) -> None:
    api.run(DAILY, parameters={"ds": "2025-01-01"})
    add_gate(project, least=10)
    file = project / "quality" / f"quality.{DAILY}.yaml"
    file.write_text(file.read_text().replace("column: amount", "column: nope"))
    api = DatasetAPI(ExecutionContext(project_path=project))
    assert "quality enough" in api.check(DAILY).errors[0]
    assert api.run(DAILY, dry_run=True).status is ResultStatus.FAILURE


def test_a_run_tells_the_lineage_target_before_it_returns(project: Path) -> None:
    settings = project / "dli.yaml"
    settings.write_text(settings.read_text() + "\nlineage: {url: 'file:events.jsonl'}")
    api = DatasetAPI(ExecutionContext(project_path=project))
    api.run(DAILY, parameters={"ds": "2025-01-01"})
    api.run(PLAIN)
    api.run(DAILY, dry_run=True)
    lines = (project / "events.jsonl").read_text().splitlines()
    events = [json.loads(line) for line in lines]
    told = [(event["eventType"], event["job"]["name"]) for event in events]
    assert told == [("START", DAILY), ("COMPLETE", DAILY), ("START", PLAIN), ("FAIL", PLAIN)]


def test_inline_sql_can_be_checked_only_and_by_strict_rules(api: DatasetAPI) -> None:
    assert api.run_sql("CREATE TABLE a.b.c (d INT)", dry_run=True).status is ResultStatus.SUCCESS
    assert api.run_sql("SELECT * FROM a.b.c").status is ResultStatus.FAILURE
    assert api.run_sql("SELECT nope FROM shop.raw.orders", dry_run=True).error_message
    with pytest.raises(TranspileError):
        api.run_sql("SELECT * FROM shop.raw.orders", strict=True)


def test_an_executor_gets_every_statement_in_order(project: Path) -> None:
    executor = MockExecutor()
    api = DatasetAPI(ExecutionContext(project_path=project), executor)
    assert api.run(DAILY, parameters={"ds": "2025-01-01"}).status is ResultStatus.SUCCESS
    assert [sql.split()[0] for sql in executor.statements] == ["CREATE", "DELETE", "INSERT"]
    assert not (project / ".dli").exists()


def test_an_executor_that_refuses_is_a_failure_and_one_that_breaks_an_error(project: Path) -> None:
    refusing = Mock(spec=QueryExecutor)
    refusing.execute_sql.return_value = ExecutionResult(
        dataset_name="x", phase="main", success=False, error_message="no such table"
    )
    context = ExecutionContext(project_path=project)
    result = DatasetAPI(context, refusing).run(DAILY)
    assert result.status is ResultStatus.FAILURE
    assert "no such table" in (result.error_message or "")
    breaking = Mock(spec=QueryExecutor)
    breaking.execute_sql.return_value = "nonsense"
    with pytest.raises(ExecutionError) as caught:
        DatasetAPI(context, breaking).run(DAILY)
    assert caught.value.code.value == "DLI-401"
    assert isinstance(caught.value.cause, Exception)


def test_an_executor_without_a_project_runs_inline_sql() -> None:
    executor = MockExecutor([{"n": 1}, {"n": 2}])
    result = DatasetAPI(executor=executor).run_sql("SELECT n FROM t")
    assert (result.name, result.status, result.rows_affected) == (
        "<inline>",
        ResultStatus.SUCCESS,
        2,
    )
    assert executor.statements == ["SELECT n FROM t"]


def test_without_project_and_executor_nothing_runs() -> None:
    api = DatasetAPI(ExecutionContext())
    for result in (api.run(DAILY), api.run_sql("SELECT 1")):
        assert result.status is ResultStatus.FAILURE
        assert "Executor not configured" in (result.error_message or "")
    assert api.test_connection() is False
    for call in (api.render_sql, api.get_tables, api.get_columns, api.get):
        with pytest.raises(ConfigurationError, match="project_path is required"):
            call(DAILY)


def test_inline_sql_runs_in_the_dialect_of_the_context_with_its_parameters(
    api: DatasetAPI,
) -> None:
    result = api.run_sql(
        "SELECT {{ n }} AS n, {{ text | sql_string }} AS t, date_add('day', 1, DATE '{{ ds }}')",
        parameters={"n": 3, "text": "it's", "ds": "2025-01-01"},
    )
    assert (result.status, result.rows_affected) == (ResultStatus.SUCCESS, 1)
    assert result.sql is not None
    assert "'it''s'" in result.sql
    assert api.run_sql("SELECT 1::INT", dialect="duckdb").status is ResultStatus.SUCCESS


def test_inline_sql_that_cannot_be_read_is_refused(api: DatasetAPI) -> None:
    for sql, code in (("SELEC 1 FROM", "DLI-202"), ("SELECT 1; SELECT 2", "DLI-203")):
        with pytest.raises(DLIValidationError) as caught:
            api.run_sql(sql)
        assert caught.value.code.value == code


def test_inline_sql_cannot_be_changed_by_its_parameters(api: DatasetAPI) -> None:
    with pytest.raises(DLIValidationError, match="structure"):
        api.run_sql("SELECT '{{ text }}'", parameters={"text": "' OR '1'='1"})


def test_inline_sql_follows_the_rules_of_the_project_unless_told_otherwise(
    api: DatasetAPI, project: Path
) -> None:
    with (project / "dli.yaml").open("a") as file:
        file.write(
            "\ntranspile: {rules: [{id: r, type: table_substitution, source: old.orders, "
            "target: shop.raw.orders}]}"
        )
    sql = "SELECT id FROM old.orders"
    assert api.run_sql(sql).rows_affected == 3
    assert api.run_sql(sql, transpile=False).status is ResultStatus.FAILURE


def test_names_of_a_dataset_that_needs_parameters(api: DatasetAPI, project: Path) -> None:
    text = SPECS[PLAIN].replace("SELECT 1", "SELECT {{ n }} AS n FROM shop.raw.orders")
    text += "parameters: [{name: n, type: integer}]"
    (project / "datasets" / f"dataset.{PLAIN}.yaml").write_text(text)
    assert api.get_columns(PLAIN) == ["n"]
    assert api.get_tables(PLAIN) == ["shop.raw.orders"]


def test_validation_tells_everything_and_never_raises(api: DatasetAPI, project: Path) -> None:
    assert api.validate(DAILY).valid
    assert not api.validate("shop.sales.unknown").valid
    text = SPECS[PLAIN].replace("SELECT 1", "SELEC 1 FROM") + "depends_on: [no.such.name]"
    (project / "datasets" / f"dataset.{PLAIN}.yaml").write_text(text)
    found = DatasetAPI(ExecutionContext(project_path=project)).validate(PLAIN, check_deps=True)
    assert not found.valid
    assert any(f"dataset.{PLAIN}.yaml:" in error for error in found.errors)
    assert any("no.such.name" in error for error in found.errors)


def test_the_rendered_statement_plain_and_laid_out(api: DatasetAPI) -> None:
    plain = api.render_sql(DAILY, parameters={"ds": "2025-01-01"}, format_sql=False)
    expected = DAILY_SQL.replace("{{ ds }}", "2025-01-01").replace("{{ least }}", "0")
    assert plain == expected
    pretty = api.render_sql(DAILY, parameters={"ds": "2025-01-01"})
    assert pretty != plain
    assert pretty.splitlines()[:3] == ["INSERT INTO shop.sales.daily", "SELECT", "  day,"]


def test_tables_and_columns_of_the_main_statement(api: DatasetAPI) -> None:
    assert api.get_tables(DAILY) == ["shop.raw.orders"]
    assert api.get_columns(DAILY) == ["day", "amount"]
    assert api.get_columns(PLAIN) == ["1"]


def test_an_unknown_name_is_told_with_the_places_searched(api: DatasetAPI) -> None:
    for call in (api.run, api.render_sql, api.get_tables, api.get_columns):
        with pytest.raises(DatasetNotFoundError) as caught:
            call("shop.sales.unknown")
        assert caught.value.name == "shop.sales.unknown"
        assert caught.value.searched_paths


def test_the_connection_is_really_tried(api: DatasetAPI, project: Path) -> None:
    assert api.test_connection() is True
    broken = Mock(spec=QueryExecutor)
    broken.test_connection.side_effect = OSError("gone")
    assert DatasetAPI(ExecutionContext(project_path=project), broken).test_connection() is False
    (project / "dli.yaml").write_text("environments: {dev: {connection_string: 'trino://h'}}")
    assert DatasetAPI(ExecutionContext(project_path=project)).test_connection() is False


def test_a_server_that_nobody_runs_is_no_connection() -> None:
    context = ExecutionContext(execution_mode=ExecutionMode.SERVER)
    assert DatasetAPI(context).test_connection() is False


def test_an_interrupt_ends_the_statement_and_the_warehouse_stays_usable(api: DatasetAPI) -> None:
    endless = "SELECT count(*) FROM range(100000000) a, range(100000000) b WHERE a.range <> b.range"
    assert api.run_sql("SELECT 1").status is ResultStatus.SUCCESS
    main = threading.main_thread().ident
    assert main is not None
    timer = threading.Timer(0.3, signal.pthread_kill, [main, signal.SIGINT])
    timer.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            api.run_sql(endless, dialect="duckdb")
    finally:
        timer.join()
    assert api.run_sql("SELECT 1").status is ResultStatus.SUCCESS


def test_what_only_a_server_can_do_needs_one(api: DatasetAPI) -> None:
    calls: list[Callable[[], object]] = [
        lambda: api.register(DAILY),
        lambda: api.diff(DAILY),
        lambda: api.get_versions(DAILY),
        lambda: api.list_datasets(source="server"),
    ]
    for call in calls:
        with pytest.raises(ConfigurationError, match="server_url required"):
            call()


def test_server_mode_without_a_server_says_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    server = DatasetAPI(ExecutionContext(execution_mode=ExecutionMode.SERVER))
    calls: list[Callable[[], object]] = [
        lambda: server.run(DAILY),
        lambda: server.run_sql("SELECT 1"),
    ]
    for call in calls:
        with pytest.raises(DLIError, match="server_url required"):
            call()


def test_a_verbose_context_logs_every_statement(
    project: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "dli")
    events: list[StatementEvent] = []
    DatasetAPI(ExecutionContext(project_path=project)).run(DAILY)
    assert caplog.messages == []
    verbose = DatasetAPI(ExecutionContext(project_path=project, verbose=True))
    verbose.run(DAILY, on_event=events.append)
    assert caplog.messages == [str(event) for event in events]
    assert len(events) == 6
    verbose.run_sql("SELECT 1")
    assert caplog.messages[-2] == "main (1/1) started"
