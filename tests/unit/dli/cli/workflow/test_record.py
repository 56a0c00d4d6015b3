"""How records read as text."""

import pytest

from dli.cli.workflow.record import duration_text, run_line, schedule_text, time_text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0.0 s"),
        (0.44, "0.4 s"),
        (60, "1 min"),
        (902, "15 min 2 s"),
        (3600, "1 h"),
        (11_220, "3 h 7 min"),
        (1_040_400, "12 d 1 h"),
    ],
)
def test_durations_have_two_units_at_most(seconds: float, text: str) -> None:
    assert duration_text(seconds) == text


@pytest.mark.parametrize(
    ("wire", "text"),
    [
        ("2026-01-31T18:00:00.123456Z", "2026-01-31T18:00:00Z"),
        ("2026-01-31T18:00:00Z", "2026-01-31T18:00:00Z"),
        ("1.5Z", "1.5Z"),
        (None, None),
    ],
)
def test_times_are_shown_to_the_second(wire: str | None, text: str | None) -> None:
    assert time_text(wire) == text


def test_a_later_attempt_is_told() -> None:
    run = {
        "run_id": "r",
        "dataset_name": "a.b",
        "status": "FAILED",
        "attempt": 2,
        "max_attempts": 3,
    }
    assert run_line(run) == "Run r of a.b: FAILED in attempt 2 of 3"


@pytest.mark.parametrize("cron", ["", None])
def test_no_cron_is_on_demand(cron: str | None) -> None:
    assert schedule_text({"cron": cron, "timezone": "UTC"}) == "on demand"
