"""Fires that fell between two schedulers are made up once; those of Airflow are left to it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from basecamp.clock import SystemClock
from basecamp.engines.airflow.handover import Handover, begin_handover
from basecamp.engines.airflow.rest import AirflowRest
from basecamp.store import run, tick, workflow
from basecamp.store.database import Database
from dli.specs.run_id import scheduled_run_id
from stub_airflow import StubAirflow

NAME = "a.b.c"
NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)


def hours(count: float) -> datetime:
    return NOON + timedelta(hours=count)


class Clock(SystemClock):
    def now(self) -> datetime:
        return hours(0.5)


@pytest.fixture
def handover(camp: Any, rest: AirflowRest, tmp_path: Path) -> Handover:
    begin_handover(tmp_path)
    return Handover(camp.database, rest, tmp_path, Clock())


def put(camp: Any, next_fire_at: datetime, *, catchup: bool = False) -> None:
    """An hourly workflow whose next fire the embedded scheduler would have looked at."""
    camp.put(
        {
            "name": NAME,
            "owner": "a@b.c",
            "team": "t",
            "query_statement": "SELECT 1",
            "schedule": {"cron": "0 * * * *", "catchup": catchup},
        }
    )
    with camp.database.transaction() as tx:
        row = workflow.effective(tx, NAME)
        assert row is not None
        workflow.change(tx, row.id, {"next_fire_at": next_fire_at, "catchup": catchup})


def show(airflow: StubAirflow, next_run_at: datetime) -> None:
    airflow.add_dag(NAME)["next_dagrun_run_after"] = next_run_at.isoformat()


def queued(database: Database) -> list[datetime]:
    """Ends of the intervals of what is queued."""
    with database.read() as tx:
        rows = run.queue_heads(tx, set(), 10)
        return [row.interval_end for row in rows]


def test_the_latest_fire_of_the_gap_runs_and_the_others_are_recorded(
    camp: Any, airflow: StubAirflow, handover: Handover
) -> None:
    put(camp, hours(-2))
    show(airflow, hours(1))
    (run_id,) = handover.step()
    with camp.database.read() as tx:
        row, source = run.find(tx, run_id), workflow.effective(tx, NAME)
        (skipped,) = tick.newest(tx, NAME)
    assert row is not None
    assert source is not None
    assert (row.interval_end, row.run_type, source.next_fire_at) == (NOON, "scheduled", hours(1))
    assert (skipped["first_at"], skipped["last_at"]) == (hours(-2), hours(-1))
    assert not handover.is_due


def test_a_workflow_that_catches_up_runs_each(
    camp: Any, airflow: StubAirflow, handover: Handover
) -> None:
    put(camp, hours(-2), catchup=True)
    show(airflow, hours(1))
    assert len(handover.step()) == 3


def test_what_airflow_has_fired_itself_is_left_to_it(
    camp: Any, airflow: StubAirflow, handover: Handover
) -> None:
    put(camp, hours(-1))
    show(airflow, hours(1))
    airflow.add_run(NAME, scheduled_run_id(NAME, hours(-1)))  # fired at noon
    handover.step()
    assert queued(camp.database) == [hours(-1)]


@pytest.mark.parametrize("next_fire_at", [NOON, hours(1)])
def test_what_airflow_plans_is_left_to_it(
    camp: Any, airflow: StubAirflow, handover: Handover, next_fire_at: datetime
) -> None:
    put(camp, next_fire_at)
    show(airflow, next_fire_at)
    assert handover.step() == set()
    assert not handover.is_due


def test_it_waits_for_each_workflow_to_show(
    camp: Any, airflow: StubAirflow, handover: Handover
) -> None:
    put(camp, NOON)
    assert handover.step() == set()
    assert handover.is_due
    assert handover.holds_back
    show(airflow, hours(1))
    assert len(handover.step()) == 1
    assert not handover.holds_back


def test_without_another_engine_before_there_is_nothing_to_do(
    camp: Any, rest: AirflowRest, tmp_path: Path
) -> None:
    assert not Handover(camp.database, rest, tmp_path / "other", Clock()).is_due
