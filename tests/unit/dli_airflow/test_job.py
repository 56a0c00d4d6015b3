"""An attempt of a run on a real warehouse: it fills its table, or it leaves it as it was."""

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from dli.exceptions import DLIError, ErrorCode, ExecutionError
from dli.specs.parser import dataset_from_mapping
from dli.specs.schedule import Interval
from dli.warehouse.base import StatementInterruptedError
from dli.warehouse.verdict import Verdicts
from dli_airflow.job import Job, Order

DAY = Interval(datetime(2025, 5, 31, 15, tzinfo=UTC), datetime(2025, 6, 1, 15, tzinfo=UTC))
ENDLESS = (
    "CREATE OR REPLACE TABLE lake.mart.t AS "
    "SELECT count(*) AS n FROM range(1000000) a, range(10000000) b"
)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "dli.yaml").write_text("environments: {dev: {variables: {shop: Seoul}}}\n")
    return tmp_path


def job(
    project: Path,
    sql: str,
    timeout_s: int = 60,
    quality: dict[str, Any] | None = None,
    **changes: Any,
) -> Job:
    body = {
        "name": "lake.mart.t",
        "owner": "ann",
        "team": "data",
        "query_statement": sql,
        "execution": {"dialect": "duckdb", "timeout_seconds": timeout_s},
        "parameters": [{"name": "size", "type": "integer", "default": 1}],
        "quality": quality or {},
    }
    spec, _warnings = dataset_from_mapping(body)
    values: dict[str, Any] = {
        "root": project,
        "content": spec.model_dump(mode="json", by_alias=True, exclude_none=True),
        "parameters": {},
        "interval": DAY,
        "timezone": "Asia/Seoul",
        "run_id": "run-1",
        "allowed_env": {"SHOWN": "shown"},
    }
    return Job(Order(**values | changes))


def warehouse(project: Path) -> Path:
    folder = project / ".dli" / "warehouse"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / "lake.duckdb"


def rows(project: Path) -> list[tuple[Any, ...]]:
    with duckdb.connect(warehouse(project)) as connection:
        return connection.sql("SELECT * FROM mart.t").fetchall()


def test_a_run_knows_its_day_its_values_and_its_project(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HIDDEN", "hidden")
    sql = (
        "CREATE TABLE lake.mart.t AS SELECT '{{ ds }}' AS a, {{ size }} AS b, '{{ run_id }}' AS c,"
        " '{{ var('shop') }}' AS d, '{{ env_var('SHOWN') }}{{ env_var('HIDDEN') }}' AS e"
    )
    job(project, sql, parameters={"size": "7"}).run()
    assert rows(project) == [("2025-06-01", 7, "run-1", "Seoul", "shown")]


def test_the_rows_are_counted_by_the_engine(project: Path) -> None:
    assert job(project, "CREATE TABLE lake.mart.t (n INTEGER)").run() is None
    assert job(project, "INSERT INTO lake.mart.t SELECT range FROM range(5)").run() == 5


@pytest.mark.parametrize(
    ("sql", "code", "parameters"),
    [
        ("SELECT * FROM lake.mart.nothing", ErrorCode.EXECUTION_QUERY, {}),
        ("SELECT (", ErrorCode.SQL_SYNTAX_ERROR, {}),
        ("SELECT {{ nothing }}", ErrorCode.SPEC_INVALID, {}),
        ("SELECT 1", ErrorCode.PARAMETER_INVALID, {"size": "large"}),
        ("SELECT 1", ErrorCode.PARAMETER_INVALID, {"colour": "red"}),
    ],
)
def test_what_is_wrong_is_told_with_its_code(
    project: Path, sql: str, code: ErrorCode, parameters: dict[str, Any]
) -> None:
    with pytest.raises(DLIError) as caught:
        job(project, sql, parameters=parameters).run()
    assert caught.value.code is code


def test_a_quality_gate_undoes_a_run_that_fails_it(
    project: Path, caplog: pytest.LogCaptureFixture
) -> None:
    job(project, "CREATE TABLE lake.mart.t AS SELECT 5 AS n").run()
    least = {"name": "enough", "type": "range_check", "column": "n", "min": 5}
    gate = {"gate": True, "tests": [least]}
    assert job(project, "UPDATE lake.mart.t SET n = 6", quality=gate).run() == 1
    with caplog.at_level("ERROR"), pytest.raises(ExecutionError) as caught:
        job(project, "UPDATE lake.mart.t SET n = 1", quality=gate).run()
    assert caught.value.code is ErrorCode.QUALITY_TEST_EXECUTION
    assert "quality enough (1/1) failed, 1 rows" in caplog.text
    (kept,) = Verdicts(project).runs("dataset:lake.mart.t")
    assert [(test["test_name"], test["status"]) for test in kept["tests"]] == [("enough", "pass")]
    assert rows(project) == [(6,)]


def test_a_run_tells_the_lineage_target(project: Path) -> None:
    settings = project / "dli.yaml"
    settings.write_text(settings.read_text() + "lineage: {url: 'file:events.jsonl'}\n")
    job(project, "CREATE TABLE lake.mart.t AS SELECT 5 AS n").run()
    with pytest.raises(ExecutionError):
        job(project, "INSERT INTO lake.mart.t SELECT 'a'", attempt=2).run()
    events = [json.loads(line) for line in (project / "events.jsonl").read_text().splitlines()]
    assert [event["eventType"] for event in events] == ["START", "COMPLETE", "START", "FAIL"]
    assert events[0]["run"]["runId"] != events[2]["run"]["runId"]


def after_start(action: Callable[[], None], caplog: pytest.LogCaptureFixture) -> threading.Thread:
    """Does `action` once the main statement runs."""

    def watch() -> None:
        while "started" not in caplog.text:
            threading.Event().wait(0.01)
        action()

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    return thread


def test_a_stop_interrupts_the_sql_and_leaves_the_table_as_it_was(
    project: Path, caplog: pytest.LogCaptureFixture
) -> None:
    job(project, "CREATE TABLE lake.mart.t AS SELECT 1 AS n").run()
    caplog.clear()
    caplog.set_level("INFO", "dli_airflow.run")
    endless = job(project, ENDLESS)
    watcher = after_start(endless.stop, caplog)
    with pytest.raises(StatementInterruptedError):
        endless.run()
    watcher.join()
    assert rows(project) == [(1,)]


def test_the_lineage_target_tells_a_stop_from_the_end_of_the_time(
    project: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings = project / "dli.yaml"
    settings.write_text(settings.read_text() + "lineage: {url: 'file:events.jsonl'}\n")
    with pytest.raises(ExecutionError) as late:
        job(project, ENDLESS, timeout_s=1).run()
    assert late.value.code is ErrorCode.TIMEOUT
    caplog.clear()
    caplog.set_level("INFO", "dli_airflow.run")
    stopped = job(project, ENDLESS)
    watcher = after_start(stopped.stop, caplog)
    with pytest.raises(StatementInterruptedError):
        stopped.run()
    watcher.join()
    events = [json.loads(line) for line in (project / "events.jsonl").read_text().splitlines()]
    assert [event["eventType"] for event in events] == ["START", "FAIL", "START", "ABORT"]


def test_a_stop_before_the_start_lets_nothing_run(project: Path) -> None:
    early = job(project, ENDLESS)
    early.stop()
    with pytest.raises(StatementInterruptedError):
        early.run()


def test_the_time_limit_ends_the_sql(project: Path) -> None:
    with pytest.raises(ExecutionError) as caught:
        job(project, ENDLESS, timeout_s=1).run()
    assert caught.value.code is ErrorCode.TIMEOUT
    assert "1 s" in caught.value.message


HOLDER = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print('held', flush=True); input()"


@contextmanager
def _held(file: Path) -> Iterator[Callable[[], None]]:
    """Another process has the file open until the block ends, or the value is called."""
    command = [sys.executable, "-c", HOLDER, str(file)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        try:
            yield holder.kill
        finally:
            holder.kill()


def test_a_run_waits_for_a_file_that_another_process_has_open(project: Path) -> None:
    with _held(warehouse(project)) as release:
        waiting = job(project, "CREATE TABLE lake.mart.t AS SELECT 1 AS n")
        threading.Timer(0.5, release).start()
        waiting.run()
    assert rows(project) == [(1,)]


def test_a_run_that_waits_for_a_file_can_be_stopped(project: Path) -> None:
    with _held(warehouse(project)):
        waiting = job(project, "CREATE TABLE lake.mart.t AS SELECT 1 AS n")
        threading.Timer(0.3, waiting.stop).start()
        with pytest.raises(StatementInterruptedError):
            waiting.run()
