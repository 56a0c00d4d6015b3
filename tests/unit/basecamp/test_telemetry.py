"""Metrics count, whatever is away."""

from basecamp.telemetry import Figures, Metrics, Vitals
from dli.exceptions import ServerError


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
