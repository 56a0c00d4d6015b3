"""What the scheduler fires, skips and records."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from basecamp.engines.embedded import scheduler
from basecamp.services import ownership
from basecamp.store import run, table, tick, workflow
from basecamp.store.database import Database
from basecamp.store.run import RunFilter


def _register(database: Database, content: dict[str, Any], now: datetime) -> None:
    with database.transaction() as tx:
        ownership.put_manual(tx, content, now, stored=True)


def _tick(database: Database, now: datetime) -> list[str]:
    with database.transaction() as tx:
        return scheduler.tick_all(tx, now)


def _runs(database: Database) -> list[Any]:
    with database.read() as tx:
        return run.history(tx, RunFilter(), 100, 0)[0]


def test_a_due_tick_becomes_one_run_for_the_interval_that_ended(
    database: Database, content: dict[str, Any]
) -> None:
    _register(database, content, datetime(2026, 3, 2, 12, tzinfo=UTC))
    fire = datetime(2026, 3, 3, 5, tzinfo=UTC)  # 06:00 in Madrid
    assert _tick(database, fire - timedelta(seconds=1)) == []
    assert len(_tick(database, fire)) == 1
    (row,) = _runs(database)
    assert row.interval_start == fire - timedelta(days=1)
    assert row.interval_end == fire
    assert (row.run_type, row.triggered_by, row.status) == ("scheduled", "scheduler", "PENDING")


def test_f18_a_clock_that_jumps_back_fires_nothing_twice(
    database: Database, content: dict[str, Any]
) -> None:
    _register(database, content, datetime(2026, 3, 2, 12, tzinfo=UTC))
    fire = datetime(2026, 3, 3, 5, tzinfo=UTC)
    _tick(database, fire)
    with database.transaction() as tx:
        (row,) = workflow.of_source(tx, "manual")
        workflow.change(tx, row.id, {"next_fire_at": fire})
    assert _tick(database, fire - timedelta(hours=1)) == []
    assert _tick(database, fire + timedelta(seconds=1)) == []
    assert len(_runs(database)) == 1


def test_of_missed_ticks_the_latest_runs_and_the_others_are_recorded(
    database: Database, content: dict[str, Any]
) -> None:
    _register(database, content, datetime(2026, 3, 2, 12, tzinfo=UTC))
    _tick(database, datetime(2026, 3, 7, 9, tzinfo=UTC))
    (row,) = _runs(database)
    assert row.interval_end == datetime(2026, 3, 7, 5, tzinfo=UTC)
    with database.read() as tx:
        (skipped,) = tick.newest(tx, "shop.sales.daily")
        (after,) = workflow.of_source(tx, "manual")
    assert (skipped["count"], skipped["reason"]) == (4, "missed")
    assert skipped["first_at"] == datetime(2026, 3, 3, 5, tzinfo=UTC)
    assert skipped["last_at"] == datetime(2026, 3, 6, 5, tzinfo=UTC)
    assert after.next_fire_at == datetime(2026, 3, 8, 5, tzinfo=UTC)


def test_catchup_runs_every_missed_tick(database: Database, content: dict[str, Any]) -> None:
    content["schedule"]["catchup"] = True
    _register(database, content, datetime(2026, 3, 2, 12, tzinfo=UTC))
    assert len(_tick(database, datetime(2026, 3, 7, 9, tzinfo=UTC))) == 5
    with database.read() as tx:
        assert tick.newest(tx, "shop.sales.daily") == []


def test_catchup_of_a_long_gap_loses_no_tick(database: Database, content: dict[str, Any]) -> None:
    content["schedule"] = {"cron": "* * * * *", "timezone": "UTC", "catchup": True}
    start = datetime(2026, 3, 2, 12, tzinfo=UTC)
    _register(database, content, start)
    now = start + timedelta(minutes=500)
    queued = 0
    while found := _tick(database, now):
        queued += len(found)
    assert queued == 500
    with database.read() as tx:
        starts = list(tx.execute(select(table.run.c.interval_start)).scalars())
    assert len(set(starts)) == 500


def test_a_very_long_gap_is_bounded_and_still_runs_the_latest_tick(
    database: Database, content: dict[str, Any]
) -> None:
    content["schedule"] = {"cron": "* * * * *", "timezone": "UTC"}
    start = datetime(2026, 3, 2, 12, tzinfo=UTC)
    _register(database, content, start)
    now = start + timedelta(days=30)
    assert len(_tick(database, now)) == 1
    (row,) = _runs(database)
    assert now - row.interval_end <= timedelta(minutes=1)


@pytest.mark.parametrize("status", ["paused", "overridden"])
def test_what_is_not_in_force_does_not_fire(
    database: Database, content: dict[str, Any], status: str
) -> None:
    now = datetime(2026, 3, 2, 12, tzinfo=UTC)
    if status == "paused":
        content["schedule"]["enabled"] = False
    _register(database, content, now)
    if status == "overridden":
        with database.transaction() as tx:
            code = {**content, "schedule": {"cron": "0 0 1 1 *"}}
            ownership.put_code(tx, code, now)
    assert _tick(database, now + timedelta(days=3)) == []


def test_a_pause_with_an_end_ends_by_itself(database: Database, content: dict[str, Any]) -> None:
    now = datetime(2026, 3, 2, 12, tzinfo=UTC)
    _register(database, content, now)
    until = now + timedelta(days=2)
    with database.transaction() as tx:
        (row,) = workflow.of_source(tx, "manual")
        ownership.set_paused(tx, row, now, {"paused": True, "pause_until": until})
    assert _tick(database, now + timedelta(days=1)) == []
    assert _tick(database, until) == []
    with database.read() as tx:
        (row,) = workflow.of_source(tx, "manual")
    assert (row.status, row.paused, row.pause_until) == ("active", False, None)
    assert row.next_fire_at == datetime(2026, 3, 5, 5, tzinfo=UTC)


def test_a_schedule_that_cannot_be_followed_holds_up_no_other(
    database: Database, content: dict[str, Any]
) -> None:
    _register(database, content, datetime(2026, 3, 2, 12, tzinfo=UTC))
    _register(database, {**content, "name": "shop.a.bad"}, datetime(2026, 3, 2, 12, tzinfo=UTC))
    fire = datetime(2026, 3, 3, 5, tzinfo=UTC)
    with database.transaction() as tx:
        bad = workflow.find(tx, "shop.a.bad", "manual")
        assert bad is not None
        workflow.change(tx, bad.id, {"timezone": "Atlantis/Dropped"})
    assert len(_tick(database, fire)) == 1
    with database.read() as tx:
        bad = workflow.find(tx, "shop.a.bad", "manual")
    assert bad is not None
    assert "could not be followed" in bad.error
    assert bad.next_fire_at == fire + timedelta(hours=1)
