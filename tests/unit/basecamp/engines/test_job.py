"""A run inside the worker on a real warehouse: its quality gate."""

import json
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from basecamp.engines.embedded.job import Job, JobFailed
from basecamp.engines.embedded.log import RunLog
from basecamp.engines.embedded.workshop import Workshop
from dli.exceptions import ExecutionError
from dli.specs.parser import dataset_from_mapping
from dli.warehouse.verdict import Verdicts

LEAST = {"name": "enough", "type": "range_check", "column": "n", "min": 5}
SOFT = {"name": "soft", "type": "row_count", "max": 0, "severity": "warn"}


@pytest.fixture
def make(tmp_path: Path) -> Callable[..., Job]:
    (tmp_path / "dli.yaml").write_text("")
    workshop = Workshop(tmp_path, {})

    def job(sql: str, *tests: dict[str, Any]) -> Job:
        body = {
            "name": "lake.mart.t",
            "owner": "ann",
            "team": "data",
            "query_statement": sql,
            "execution": {"dialect": "duckdb"},
            "quality": {"gate": True, "tests": list(tests)},
        }
        spec, _warnings = dataset_from_mapping(body)
        message = {
            "spec": spec.model_dump(mode="json", by_alias=True, exclude_none=True),
            "parameters": {},
            "interval_start": "2025-06-01T00:00:00+00:00",
            "interval_end": "2025-06-02T00:00:00+00:00",
            "timezone": "UTC",
            "run_id": "run-1",
            "attempt": 1,
            "max_attempts": 1,
        }
        log = RunLog(tmp_path / "run.jsonl", lambda: None)
        return Job(workshop, message, log, nullcontext())

    return job


def lines(folder: Path) -> list[tuple[str, str]]:
    text = (folder / "run.jsonl").read_text()
    found = [json.loads(line) for line in text.splitlines()]
    return [(line["level"], line["message"]) for line in found if "quality" in line["message"]]


def test_a_quality_gate_undoes_a_run_that_fails_it(
    make: Callable[..., Job], tmp_path: Path
) -> None:
    make("CREATE TABLE lake.mart.t AS SELECT 5 AS n", LEAST).run()
    with pytest.raises(JobFailed) as caught:
        make("UPDATE lake.mart.t SET n = 1", LEAST).run()
    assert caught.value.code == "DLI-604"
    assert caught.value.message == "Quality gate: 1 of 1 tests did not pass: enough (1 rows)"
    assert make("UPDATE lake.mart.t SET n = n + 1", LEAST).run() == 1
    assert [level for level, _ in lines(tmp_path)] == ["info", "error", "info"]
    kept = [run["tests"][0]["status"] for run in Verdicts(tmp_path).runs("dataset:lake.mart.t")]
    assert kept == ["pass", "pass"]


def test_a_warning_is_in_the_log_of_a_run_that_completes(
    make: Callable[..., Job], tmp_path: Path
) -> None:
    make("CREATE TABLE lake.mart.t AS SELECT 5 AS n", SOFT).run()
    ((level, message),) = lines(tmp_path)
    assert (level, message.partition(" rows")[0]) == ("warning", "quality soft (1/1) ignored, 1")


def test_a_check_binds_the_tests_and_leaves_them_out_of_the_statements(
    make: Callable[..., Job],
) -> None:
    sql = "CREATE TABLE lake.mart.t AS SELECT 5 AS n"
    assert make(sql, LEAST).check(bind=True) == [sql]
    with pytest.raises(ExecutionError, match="quality enough"):
        make(sql, {**LEAST, "column": "nope"}).check(bind=True)


def test_a_run_tells_the_lineage_target(make: Callable[..., Job], tmp_path: Path) -> None:
    (tmp_path / "dli.yaml").write_text("lineage: {url: 'file:events.jsonl', namespace: mart}")
    job = make("CREATE TABLE lake.mart.t AS SELECT 5 AS n")
    job.run()
    with pytest.raises(JobFailed):
        make("INSERT INTO lake.mart.t SELECT 'a'", LEAST).run()
    emitter = job._workshop.emitter()
    assert emitter is not None
    emitter.flush(60)
    lines = (tmp_path / "events.jsonl").read_text().splitlines()
    events = [json.loads(line) for line in lines]
    kinds = [(event["eventType"], event["job"]["namespace"]) for event in events]
    assert kinds == [(kind, "mart") for kind in ("START", "COMPLETE", "START", "FAIL")]


@pytest.mark.parametrize(
    ("is_late", "code", "end"), [(True, "DLI-402", "FAIL"), (False, "DLI-401", "ABORT")]
)
def test_an_interruption_is_a_stop_unless_the_time_is_up(
    make: Callable[..., Job], tmp_path: Path, is_late: bool, code: str, end: str
) -> None:
    (tmp_path / "dli.yaml").write_text("lineage: {url: 'file:events.jsonl'}")
    job = make("SELECT 1")
    job.interrupt(is_late=is_late)
    with pytest.raises(JobFailed) as caught:
        job.run()
    assert caught.value.code == code
    emitter = job._workshop.emitter()
    assert emitter is not None
    emitter.flush(60)
    lines = (tmp_path / "events.jsonl").read_text().splitlines()
    assert [json.loads(line)["eventType"] for line in lines] == ["START", end]
    log = (tmp_path / "run.jsonl").read_text()
    assert ("Interrupted; nothing was changed." in log) is not is_late
