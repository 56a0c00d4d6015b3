"""What of a task's log in Airflow is shown as the log of a run."""

from typing import Any

from basecamp.engines.airflow.log import lines_of

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
