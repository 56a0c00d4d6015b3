"""Old history goes, new history stays, and nothing that has fired fires again."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from basecamp.engines.embedded import scheduler
from basecamp.engines.leadership import SoleLeadership
from basecamp.services import ownership
from basecamp.services.backfill import BackfillService
from basecamp.services.command import Caller
from basecamp.services.retention import Keeping, Retention
from basecamp.services.run import RunService
from basecamp.store import audit, backfill, expiry, idempotency, run, tally, tick, workflow
from basecamp.store.database import Database
from basecamp.store.idempotency import StoredAnswer
from basecamp.store.run import Outcome, RunFilter
from basecamp.store.tally import Tally
from dli.exceptions import WorkflowNotFoundError
from identity import BOSS

KEPT_RUNS = 3


class Archive:
    """A store with one workflow, its runs, and what lets go of them."""

    def __init__(self, database: Database, clock: Any, content: dict[str, Any], root: Path) -> None:
        self.database, self.clock, self.name = database, clock, str(content["name"])
        self.logs = root / "logs"
        self.logs.mkdir()
        self.gone: dict[str, int] = {}
        keeping = Keeping(days=90, runs=KEPT_RUNS, log_days=90, logs_dir=self.logs)
        leadership = SoleLeadership(database)
        self.retention = Retention(leadership, keeping, clock, self._count)
        with database.transaction() as tx:
            ownership.put_manual(tx, content, clock.now(), stored=True)

    def _count(self, what: str, count: int) -> None:
        self.gone[what] = self.gone.get(what, 0) + count

    def fire(self, *, days_ago: float) -> str:
        """A scheduled run that has ended."""
        fire = self.clock.now() - timedelta(days=days_ago)
        with self.database.transaction() as tx:
            row = workflow.effective(tx, self.name)
            assert row is not None
            run_id = tick.fire(tx, row, fire, fire)
            assert run_id is not None
        self.end(run_id, at=fire)
        return run_id

    def end(self, run_id: str, *, at: datetime) -> None:
        with self.database.transaction() as tx:
            counts = Tally()
            row = run.find(tx, run_id)
            assert row is not None
            run.claim(tx, row, at, attempt=1, counts=counts)
            row = run.find(tx, run_id)
            assert row is not None
            run.close_attempt(tx, row, at, at, Outcome("COMPLETED"))
            run.finish(tx, row, Outcome("COMPLETED"), at, counts)
            counts.write(tx)
        (self.logs / f"{run_id}.jsonl").write_text("{}\n")
        os.utime(self.logs / f"{run_id}.jsonl", (at.timestamp(), at.timestamp()))

    def ids(self) -> list[str]:
        with self.database.read() as tx:
            rows, count = run.history(tx, RunFilter(), 100, 0)
        assert len(rows) == count
        return [row.run_id for row in reversed(rows)]


@pytest.fixture
def archive(database: Database, clock: Any, content: dict[str, Any], tmp_path: Path) -> Archive:
    content["schedule"] = {"cron": "0 6 * * *"}
    return Archive(database, clock, content, tmp_path)


def test_runs_past_their_time_go_but_never_the_newest(archive: Archive) -> None:
    old = [archive.fire(days_ago=200 - day) for day in range(5)]
    archive.retention.expire()
    assert archive.ids() == old[-KEPT_RUNS:]
    new = [archive.fire(days_ago=80 - day) for day in range(5)]
    archive.retention.expire()
    assert archive.ids() == new  # more than are kept by number, and none of them old enough
    assert archive.gone["runs"] == 5
    with archive.database.read() as tx:
        assert run.attempts(tx, old[0]) == []
        assert [len(run.attempts(tx, run_id)) for run_id in new] == [1] * 5


def test_a_log_goes_with_its_run_or_for_its_own_age(archive: Archive) -> None:
    old = [archive.fire(days_ago=200 - day) for day in range(5)]
    new = archive.fire(days_ago=80)
    other = archive.logs / "notes.txt"
    other.write_text("not a log")
    os.utime(other, (0, 0))
    archive.retention.expire()
    assert {path.stem for path in archive.logs.glob("*.jsonl")} == {new}
    assert set(archive.ids()) == {*old[-2:], new}
    assert other.exists()


def test_what_goes_on_stays(archive: Archive, runs: RunService, ana: Caller) -> None:
    queued = runs.start(ana, archive.name, parameters={}).body["run_id"]
    archive.clock.advance(timedelta(days=200))
    for day in range(5):
        archive.fire(days_ago=100 - day)
    archive.retention.expire()
    assert queued in archive.ids()


def test_a_backfill_goes_as_a_whole(
    archive: Archive, backfills: BackfillService, ana: Caller
) -> None:
    asked: dict[str, Any] = {"start_date": "2026-01-01", "end_date": "2026-01-04", "parameters": {}}
    backfill_id = backfills.start(ana, archive.name, **asked).body["run_id"]
    days = archive.ids()
    for run_id in days[:-1]:
        archive.end(run_id, at=archive.clock.now())
    archive.clock.advance(timedelta(days=200))
    for day in range(5):
        archive.fire(days_ago=50 - day)
    archive.retention.expire()
    assert set(days) <= set(archive.ids())  # its last run has not ended
    archive.end(days[-1], at=archive.clock.now() - timedelta(days=100))
    archive.retention.expire()
    assert set(days) & set(archive.ids()) == set()
    with archive.database.read() as tx:
        assert backfill.find(tx, backfill_id) is None


def test_an_instant_whose_run_is_gone_does_not_fire_again(archive: Archive) -> None:
    now = archive.clock.now()
    first = archive.fire(days_ago=200)
    for day in range(5):
        archive.fire(days_ago=180 - day)
    archive.retention.expire()
    assert first not in archive.ids()
    before = archive.ids()
    fire = datetime(2025, 8, 14, 6, tzinfo=UTC)
    assert now - timedelta(days=201) < fire < now - timedelta(days=199)
    with archive.database.transaction() as tx:
        row = workflow.effective(tx, archive.name)
        assert row is not None
        workflow.change(tx, row.id, {"next_fire_at": fire})
        assert scheduler.tick_all(tx, fire) == []  # as after a clock that was set back
    assert archive.ids() == before


def test_the_totals_count_what_is_gone(archive: Archive) -> None:
    for day in range(5):
        archive.fire(days_ago=200 - day)
    archive.retention.expire()
    with archive.database.read() as tx:
        assert tally.by_status(tx)["COMPLETED", "scheduled"] == KEPT_RUNS
        assert expiry.counts(tx) == {("COMPLETED", "scheduled"): 5 - KEPT_RUNS}


def test_it_is_in_the_audit_trail(archive: Archive) -> None:
    for day in range(5):
        archive.fire(days_ago=200 - day)
    archive.retention.expire()
    archive.retention.expire()  # nothing more to do leaves no trace
    with archive.database.read() as tx:
        wanted = audit.AuditFilter(action="history.expire")
        (entry,), _ = audit.page(tx, wanted, oldest_first=True, limit=10, offset=0)
    assert (entry["actor"], entry["resource"]) == ("retention", archive.name)
    assert entry["detail"] == {"runs": 5 - KEPT_RUNS}


def test_answers_to_repeated_requests_go_after_their_time(archive: Archive) -> None:
    now = archive.clock.now()
    with archive.database.transaction() as tx:
        for number in range(450):
            idempotency.save(tx, f"old{number}", StoredAnswer("", 200, {}), now)
    archive.clock.advance(idempotency.KEEP - timedelta(minutes=1))
    archive.retention.expire()
    assert "answers" not in archive.gone
    archive.clock.advance(timedelta(minutes=2))
    archive.retention.expire()
    assert archive.gone["answers"] == 450


def test_a_run_that_is_gone_is_unknown(archive: Archive, runs: RunService) -> None:
    first = archive.fire(days_ago=200)
    for day in range(5):
        archive.fire(days_ago=180 - day)
    assert runs.get(BOSS, first)["status"] == "COMPLETED"
    archive.retention.expire()
    with pytest.raises(WorkflowNotFoundError):
        runs.get(BOSS, first)
