"""Log lines cannot be broken out of and tell no secrets; metrics count."""

import json
import logging
import sys

import pytest

from basecamp.telemetry import Figures, JsonLines, Metrics, Vitals, request_id
from dli.exceptions import DLIError, ServerError

SECRET = "hunter2-parameter-value"


def line_of(message: str, **extra: object) -> str:
    record = logging.LogRecord("basecamp", logging.INFO, __file__, 1, message, None, None)
    vars(record).update(extra)
    return JsonLines().format(record)


@pytest.mark.parametrize(
    "text",
    ["a\nb", "a\rb", "\x1b[31mred", '"}{"level":"error', "\x7f", "\u2028", "\u202eevil", "%s %n"],
)
def test_f35_one_event_is_one_harmless_line(text: str) -> None:
    line = line_of("request.answered", path=text)
    assert line.isascii()
    assert line.isprintable()
    assert json.loads(line)["path"] == text


def test_a_line_carries_the_request_it_belongs_to() -> None:
    token = request_id.set("abc")
    try:
        assert json.loads(line_of("x"))["request_id"] == "abc"
    finally:
        request_id.reset(token)
    assert "request_id" not in json.loads(line_of("x"))


def test_an_error_is_told_with_its_place_and_without_foreign_text() -> None:
    try:
        try:
            raise ValueError(SECRET)
        except ValueError as exc:
            raise DLIError("The store is busy.") from exc
    except DLIError:
        found = json.loads(line_of("failed", exc_info=sys.exc_info()))["error"]
    assert found[0]["message"] == "The store is busy."
    assert found[1]["type"] == "ValueError"
    assert any("test_telemetry.py" in place for place in found[1]["at"])
    assert SECRET not in json.dumps(found)


def test_metrics_show_what_the_store_counts() -> None:
    runs = {("COMPLETED", "scheduled"): 3, ("RUNNING", "adhoc"): 1, ("RUNNING", "backfill"): 1}
    text = Metrics(lambda: Figures(runs, {"missed": 7})).exposition().decode()
    assert 'basecamp_runs_total{kind="scheduled",state="COMPLETED"} 3.0' in text
    assert 'basecamp_queue_depth{state="RUNNING"} 2.0' in text
    assert 'basecamp_queue_depth{state="PENDING"} 0.0' in text
    assert 'basecamp_schedule_missed_total{reason="missed"} 7.0' in text


def test_failed_calls_to_the_engine_are_counted_by_their_word() -> None:
    metrics = Metrics(lambda: Figures({}, {}))
    metrics.count_engine_error("engine_unreachable")
    metrics.count_engine_error("engine_unreachable")
    text = metrics.exposition().decode()
    assert 'basecamp_engine_errors_total{code="engine_unreachable"} 2.0' in text


def test_a_store_that_is_away_leaves_all_other_figures() -> None:
    def away() -> Figures:
        raise ServerError("The state store is not available.")

    vitals = Vitals({"store": False, "engine": True}, is_leader=True, store_busy_count=4)
    metrics = Metrics(away, lambda: vitals)
    metrics.observe_run("COMPLETED", "adhoc", 0.2)
    text = metrics.exposition().decode()
    assert 'basecamp_part_ok{part="store"} 0.0' in text
    assert 'basecamp_part_ok{part="engine"} 1.0' in text
    assert "basecamp_store_busy_total 4.0" in text
    assert 'basecamp_run_duration_seconds_count{kind="adhoc",state="COMPLETED"} 1.0' in text
    assert "basecamp_queue_depth" not in text
