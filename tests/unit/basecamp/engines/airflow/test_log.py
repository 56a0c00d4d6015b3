"""What of a task's log in Airflow is shown as the log of a run."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from basecamp.clock import SystemClock
from basecamp.engines.airflow.log import LogReader, lines_of
from basecamp.engines.airflow.rest import AirflowRest, LogPart
from stub_airflow import StubAirflow

AT = "2026-01-01T00:00:00.5Z"


def entry(event: str, **more: Any) -> dict[str, Any]:
    return {"timestamp": AT, "event": event, "level": "info", "logger": "dli_airflow.run"} | more


def test_what_the_dataset_says_is_shown_and_airflow_about_itself_is_not() -> None:
    entries = [
        {"event": "::group::Log message source details"},
        entry("::group::Pre Execute", logger="task"),
        entry("Filling up the DagBag", logger="airflow.dag_processing.dagbag.BundleDagBag"),
        entry("Worker startup parse complete", logger="task"),
        entry("pre clear: 1 row"),
        entry("printed", logger="task.stdout"),
        entry("from the operator", logger="airflow.task.operators.x"),
    ]
    found = list(lines_of(entries, first=5))
    assert [(line["seq"], line["message"]) for line in found] == [
        (5, "pre clear: 1 row"),
        (6, "printed"),
        (7, "from the operator"),
    ]
    assert found[0]["at"] == "2026-01-01T00:00:00.500000Z"


def test_what_went_wrong_is_shown_whoever_says_it() -> None:
    detail = [{"exc_type": "RuntimeError", "exc_value": "no such table"}]
    entries = [
        entry("Task failed with exception", level="error", logger="task", error_detail=detail),
        entry("heartbeat late", level="critical", logger="airflow.x"),
    ]
    first, second = lines_of(entries, first=1)
    assert first["message"] == "Task failed with exception RuntimeError: no such table"
    assert (first["level"], second["level"]) == ("error", "error")


def test_entries_of_any_other_form_are_left_out() -> None:
    strange: list[Any] = [
        7,
        None,
        {},
        {"event": 7, "timestamp": AT},
        entry("no time", timestamp=None),
        entry("no zone", timestamp="2026-01-01T00:00:00"),
        entry("no date", timestamp="soon"),
        entry("kept", error_detail="text", level=9),
    ]
    assert [line["message"] for line in lines_of(strange, first=1)] == ["kept"]


@pytest.fixture
def reader(rest: AirflowRest) -> LogReader:
    return LogReader(rest, SystemClock())


def texts(reader: LogReader) -> list[str]:
    return [line["message"] for line in reader.lines("a.b", "run-1")]


def reads(airflow: StubAirflow) -> list[str]:
    """The reads of logs since the last time, each by what follows the number of the attempt."""
    found = [path.partition("/logs/")[2] for _, path in airflow.asked if "/logs/" in path]
    airflow.asked.clear()
    return found


def test_of_a_run_that_goes_on_only_what_is_new_is_read(
    reader: LogReader, airflow: StubAirflow
) -> None:
    airflow.add_run("a.b", "run-1")
    airflow.go_on("a.b", "run-1", "running")
    airflow.lines["a.b", "run-1"] = ["one", "two"]
    assert texts(reader) == ["one", "two"]
    airflow.lines["a.b", "run-1"].append("three")
    assert texts(reader) == ["one", "two", "three"]
    assert texts(reader) == ["one", "two", "three"]
    assert reads(airflow) == ["1", "1?token=at-2", "1?token=at-3"]


def test_attempts_that_are_over_are_read_once(reader: LogReader, airflow: StubAirflow) -> None:
    airflow.add_run("a.b", "run-1")
    airflow.go_on("a.b", "run-1", "failed", "failed")
    long_ago = datetime.now(UTC) - timedelta(minutes=1)
    airflow.tries["a.b", "run-1"][0]["end_date"] = long_ago.isoformat()
    assert texts(reader) == texts(reader) == ["attempt 1", "attempt 2"]
    assert reads(airflow) == ["1", "2", "2"]  # the last words of the second may still come


def test_a_token_of_another_time_begins_anew(reader: LogReader, airflow: StubAirflow) -> None:
    airflow.add_run("a.b", "run-1")
    airflow.go_on("a.b", "run-1", "running")
    airflow.lines["a.b", "run-1"] = ["one"]
    reader._parts["a.b", "run-1", 1] = LogPart([], "of another key")
    assert texts(reader) == ["one"]


def test_of_a_log_that_is_too_long_the_beginning_is_shown(
    reader: LogReader, airflow: StubAirflow
) -> None:
    airflow.add_run("a.b", "run-1")
    airflow.go_on("a.b", "run-1", "running")
    airflow.lines["a.b", "run-1"] = ["x" * 1_000 for _ in range(1_200)]
    assert 500 < len(texts(reader)) < 1_200


def test_only_the_last_few_are_kept(reader: LogReader, airflow: StubAirflow) -> None:
    for number in range(20):
        run_id = f"run-{number}"
        airflow.add_run("a.b", run_id)
        airflow.go_on("a.b", run_id, "running")
        reader.lines("a.b", run_id)
    assert len(reader._parts) == 8
