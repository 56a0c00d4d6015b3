"""How new data is, from completed runs and the schedule in force."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from basecamp.services import ownership
from basecamp.services.freshness import freshness
from basecamp.store import completion, run, workflow
from basecamp.store.database import Database
from basecamp.store.new_run import run_values
from basecamp.store.run import Outcome
from basecamp.store.tally import Tally
from dli.models.catalog import FreshnessInfo
from dli.specs.schedule import Interval

NOW = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
NAME = "shop.sales.daily"

Finish = Callable[..., None]
Look = Callable[..., FreshnessInfo]


@pytest.fixture
def schedule(database: Database, content: dict[str, Any]) -> Callable[..., None]:
    def store(cron: str, timezone: str = "UTC") -> None:
        spec = {**content, "schedule": {"cron": cron, "timezone": timezone}}
        with database.transaction() as tx:
            ownership.put_manual(tx, spec, NOW, stored=True)

    return store


@pytest.fixture
def finish(database: Database) -> Finish:
    """A run that ends as told, with an interval that ends an hour before its own end."""

    def end(finished_at: datetime, status: str = "COMPLETED", *, scheduled: bool = False) -> None:
        covered = Interval(finished_at - 25 * HOUR, finished_at - HOUR)
        with database.transaction() as tx:
            source = workflow.effective(tx, NAME)
            assert source is not None
            values = run_values(
                source,
                covered,
                run_type="scheduled" if scheduled else "adhoc",
                now=finished_at,
                triggered_by="ana",
                scheduled=scheduled,
            )
            run.add(tx, [values])
            counts = Tally()
            row = run.find(tx, values["run_id"])
            assert row is not None
            run.finish(tx, row, Outcome(status), finished_at, counts)
            counts.write(tx)

    return end


@pytest.fixture
def look(database: Database) -> Look:
    def read(newest: datetime | None = None, name: str = NAME) -> FreshnessInfo:
        with database.read() as tx:
            return freshness(tx, name, NOW, newest)

    return read


@pytest.mark.parametrize(
    ("cron", "timezone", "word", "threshold_hours"),
    [
        ("0 6 * * *", "UTC", "daily", 36),
        ("0 6 * * *", "America/New_York", "daily", 36),
        ("5 * * * *", "UTC", "hourly", 2),
        ("0 6 * * 1", "UTC", "weekly", 252),
        ("0 6 1 * *", "UTC", "monthly", 1116),
        ("0 6 * * 1-5", "UTC", "0 6 * * 1-5", 108),
        ("*/10 * * * *", "UTC", "*/10 * * * *", 1),
    ],
)
def test_a_schedule_tells_how_often_and_when_data_is_stale(
    schedule: Any, look: Look, cron: str, timezone: str, word: str, threshold_hours: int
) -> None:
    schedule(cron, timezone)
    found = look()
    assert (found.update_frequency, found.stale_threshold_hours) == (word, threshold_hours)
    assert (found.last_updated, found.is_stale) == (None, False)
    assert look(NOW - (threshold_hours + 1) * HOUR).is_stale
    assert not look(NOW - timedelta(minutes=5)).is_stale


def test_the_last_completed_run_counts_and_before_it_the_data(
    schedule: Any, finish: Finish, look: Look
) -> None:
    schedule("0 6 * * *")
    assert look(NOW).last_updated == NOW
    finish(NOW - 40 * HOUR)
    finish(NOW - HOUR, "FAILED")
    finish(NOW - HOUR, "KILLED")
    found = look(NOW)
    assert (found.last_updated, found.is_stale) == (NOW - 40 * HOUR, True)
    finish(NOW - 2 * HOUR)
    assert look().last_updated == NOW - 2 * HOUR
    assert look().freshness_status == "fresh"


def test_the_delay_is_that_of_scheduled_runs(schedule: Any, finish: Finish, look: Look) -> None:
    schedule("0 6 * * *")
    finish(NOW - 48 * HOUR)
    assert look().avg_update_lag_hours is None
    finish(NOW - 30 * HOUR, scheduled=True)
    finish(NOW - 6 * HOUR, scheduled=True)
    assert look().avg_update_lag_hours == pytest.approx(1.0)


def test_without_a_workflow_only_the_data_tells(look: Look) -> None:
    found = look(NOW, name="shop.raw.orders")
    assert found == FreshnessInfo(last_updated=NOW)
    assert look(name="shop.raw.orders").freshness_status == "unknown"


def test_completions_come_newest_first_up_to_a_limit(
    schedule: Any, finish: Finish, database: Database
) -> None:
    schedule("0 6 * * *")
    for days in (3, 2, 1):
        finish(NOW - timedelta(days=days))
    finish(NOW, "FAILED")
    with database.read() as tx:
        newest = [row.finished_at for row in completion.newest(tx, NAME, 2)]
        assert completion.count(tx, NAME) == 3
        assert completion.newest(tx, "other", 2) == []
    assert newest == [NOW - timedelta(days=1), NOW - timedelta(days=2)]
