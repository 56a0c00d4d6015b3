"""How runs are claimed, retried and ended."""

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from basecamp.engines.embedded import dispatch
from basecamp.engines.embedded.dispatch import Execution, Plan, Report
from basecamp.services import ownership
from basecamp.store import backfill, message, run, tally, workflow
from basecamp.store.database import Database
from basecamp.store.new_run import run_values
from basecamp.store.run import Outcome, RunFilter
from basecamp.store.tally import Tally
from dli.specs.schedule import intervals_between

if TYPE_CHECKING:
    from tests.unit.basecamp.conftest import HandClock


class Bench:
    """A store with queued runs, and the engine's decisions on it without any process."""

    def __init__(self, database: Database, clock: "HandClock") -> None:
        self.database = database
        self.clock = clock
        self.executions: dict[str, Execution] = {}

    def queue(
        self, content: dict[str, Any], count: int = 1, *, is_backfill: bool = False
    ) -> list[str]:
        now = self.clock.now()
        first = date(2026, 1, 1)
        with self.database.transaction() as tx:
            ownership.put_manual(tx, content, now, stored=True)
            source = workflow.effective(tx, content["name"])
            assert source is not None
            days = intervals_between("", "UTC", first, first + timedelta(days=count - 1))
            backfill_id = "backfill-1" if is_backfill else None
            if is_backfill:
                backfill.add(tx, _backfill_values(content["name"], count, now))
            rows = [
                run_values(
                    source,
                    day,
                    run_type="backfill" if is_backfill else "adhoc",
                    now=now,
                    triggered_by="ana",
                    backfill_id=backfill_id,
                )
                for day in days
            ]
            run.add(tx, rows)
        return [row["run_id"] for row in rows]

    def step(self, *reports: Report, slots: int = 10) -> list[str]:
        """One step of the engine; returns the ids of the runs it handed out."""
        plan, now = Plan(), self.clock.now()
        with self.database.transaction() as tx:
            for report in reports:
                dispatch.settle(tx, self.executions[report.run_id], report, now, plan)
            busy = {e.dataset_name for e in self.executions.values() if e not in plan.ended}
            dispatch.claim(tx, now, busy, slots, plan)
            plan.counts.write(tx)
        for execution in plan.ended:
            del self.executions[execution.run_id]
        for execution, _ in plan.started:
            self.executions[execution.run_id] = execution
        return [execution.run_id for execution, _ in plan.started]

    def report(self, run_id: str, **how: Any) -> Report:
        return Report(run_id, self.executions[run_id].claim, **how)

    def messages(self) -> list[tuple[str, str, str]]:
        """Channel, title and text of what waits to be sent; forgotten then."""
        with self.database.transaction() as tx:
            rows = message.due(tx, self.clock.now(), 100)
            for row in rows:
                message.forget(tx, row)
        return [(row.target["channel"], row.title, row.body) for row in rows]

    def status(self, run_id: str) -> str:
        with self.database.read() as tx:
            row = run.find(tx, run_id)
            assert row is not None
            return str(row.status)


def _backfill_values(name: str, count: int, now: Any) -> dict[str, Any]:
    return {
        "backfill_id": "backfill-1",
        "dataset_name": name,
        "source_type": "manual",
        "status": "PENDING",
        "parameters": {},
        "start_date": date(2026, 1, 1),
        "end_date": date(2026, 1, count),
        "total_runs": count,
        "completed_runs": 0,
        "triggered_by": "ana",
        "created_at": now,
    }


@pytest.fixture
def bench(database: Database, clock: "HandClock") -> Bench:
    return Bench(database, clock)


def test_runs_of_one_dataset_go_one_after_the_other_in_order(
    bench: Bench, content: dict[str, Any]
) -> None:
    first, second, third = bench.queue(content, 3)
    assert bench.step() == [first]
    assert bench.step() == []
    assert bench.step(bench.report(first, ok=True)) == [second]
    assert bench.step(bench.report(second, ok=True)) == [third]
    assert bench.status(first) == "COMPLETED"


def test_datasets_go_side_by_side_up_to_the_slots(bench: Bench, content: dict[str, Any]) -> None:
    ids = [bench.queue({**content, "name": f"shop.sales.t{n}"})[0] for n in range(3)]
    assert bench.step(slots=2) == ids[:2]
    assert bench.step(bench.report(ids[0], ok=True), slots=1) == ids[2:]


def test_a_failed_attempt_is_tried_again_after_its_delay_and_stays_running(
    bench: Bench, content: dict[str, Any]
) -> None:
    content["schedule"]["retry"] = {"max_attempts": 2, "delay_seconds": 60}
    (run_id,) = bench.queue(content)
    bench.step()
    assert bench.step(bench.report(run_id, message="boom", code="DLI-405")) == []
    assert bench.status(run_id) == "RUNNING"
    bench.clock.advance(timedelta(seconds=59))
    assert bench.step() == []
    bench.clock.advance(timedelta(seconds=1))
    assert bench.step() == [run_id]
    bench.step(bench.report(run_id, message="boom again", code="DLI-405"))
    assert bench.status(run_id) == "FAILED"
    with bench.database.read() as tx:
        tries = run.attempts(tx, run_id)
        row = run.find(tx, run_id)
    assert [(t["attempt"], t["error_message"]) for t in tries] == [(1, "boom"), (2, "boom again")]
    assert row is not None
    assert row.error_message == "boom again"


@pytest.mark.parametrize("code", ["DLI-202", "DLI-203", "DLI-204"])
def test_what_no_attempt_can_mend_is_not_tried_again(
    bench: Bench, content: dict[str, Any], code: str
) -> None:
    content["schedule"]["retry"] = {"max_attempts": 5, "delay_seconds": 0}
    (run_id,) = bench.queue(content)
    bench.step()
    bench.step(bench.report(run_id, message="no", code=code))
    assert bench.status(run_id) == "FAILED"


def test_a_stopped_run_stays_killed_whatever_its_worker_says(
    bench: Bench, content: dict[str, Any]
) -> None:
    (run_id,) = bench.queue(content)
    bench.step()
    counts = Tally()
    with bench.database.transaction() as tx:
        row = run.find(tx, run_id)
        assert row is not None
        assert run.finish(tx, row, Outcome("KILLED"), bench.clock.now(), counts)
        counts.write(tx)
    bench.step(bench.report(run_id, ok=True))
    assert bench.status(run_id) == "KILLED"
    with bench.database.read() as tx:
        assert run.history(tx, RunFilter(status="KILLED"), 5, 0)[1] == 1


def test_the_report_of_an_earlier_hand_over_is_refused(
    bench: Bench, content: dict[str, Any]
) -> None:
    (run_id,) = bench.queue(content)
    bench.step()
    zombie = bench.report(run_id, ok=True)
    bench.step(bench.report(run_id, is_crash=True))
    assert bench.executions[run_id].claim == zombie.claim + 1
    with bench.database.transaction() as tx:
        dispatch.settle(tx, bench.executions[run_id], zombie, bench.clock.now(), Plan())
    assert bench.status(run_id) == "RUNNING"


def test_f25_a_run_that_crashes_its_worker_three_times_fails(
    bench: Bench, content: dict[str, Any]
) -> None:
    (run_id,) = bench.queue(content)
    bench.step()
    assert bench.step(bench.report(run_id, is_crash=True)) == [run_id]
    assert bench.step(bench.report(run_id, is_crash=True)) == [run_id]
    assert bench.step(bench.report(run_id, is_crash=True)) == []
    with bench.database.read() as tx:
        row = run.find(tx, run_id)
    assert row is not None
    assert row.status == "FAILED"
    assert "crash_loop" in row.error_message


def test_a_worker_that_ends_before_a_run_began_is_not_the_runs_fault(
    bench: Bench, content: dict[str, Any]
) -> None:
    (run_id,) = bench.queue(content)
    bench.step()
    for _ in range(5):
        assert bench.step(bench.report(run_id, is_false_start=True)) == []
        bench.clock.advance(timedelta(seconds=1))
        assert bench.step() == [run_id]
    bench.step(bench.report(run_id, ok=True))
    assert bench.status(run_id) == "COMPLETED"


def test_a_worker_that_never_starts_fails_its_run_in_the_end(
    bench: Bench, content: dict[str, Any]
) -> None:
    (run_id,) = bench.queue(content)
    bench.step()
    for _ in range(dispatch.FALSE_STARTS_ALLOWED + 1):
        bench.step(bench.report(run_id, is_false_start=True))
        bench.clock.advance(timedelta(seconds=1))
        bench.step()
    with bench.database.read() as tx:
        row = run.find(tx, run_id)
    assert row is not None
    assert (row.status, row.error_message) == (
        "FAILED",
        "The worker process ended before it began this run.",
    )


def test_a_run_that_fell_with_another_runs_worker_is_not_blamed(
    bench: Bench, content: dict[str, Any]
) -> None:
    (run_id,) = bench.queue(content)
    bench.step()
    for _ in range(5):
        assert bench.step(bench.report(run_id, is_collateral=True)) == [run_id]
    bench.step(bench.report(run_id, ok=True))
    assert bench.status(run_id) == "COMPLETED"


def test_a_backfill_stops_at_the_first_failure(bench: Bench, content: dict[str, Any]) -> None:
    ids = bench.queue(content, 4, is_backfill=True)
    bench.step()
    bench.step(bench.report(ids[0], ok=True))
    assert bench.step(bench.report(ids[1], message="boom")) == []
    assert [bench.status(run_id) for run_id in ids] == ["COMPLETED", "FAILED", "KILLED", "KILLED"]
    with bench.database.read() as tx:
        whole = backfill.find(tx, "backfill-1")
    assert whole is not None
    assert (whole.status, whole.completed_runs, whole.error_message) == ("FAILED", 1, "boom")


def test_a_backfill_completes_with_its_last_run(bench: Bench, content: dict[str, Any]) -> None:
    ids = bench.queue(content, 2, is_backfill=True)
    bench.step()
    bench.step(bench.report(ids[0], ok=True))
    bench.step(bench.report(ids[1], ok=True))
    with bench.database.read() as tx:
        whole = backfill.find(tx, "backfill-1")
    assert whole is not None
    assert (whole.status, whole.completed_runs) == ("COMPLETED", 2)


def test_runs_left_by_an_earlier_server_are_done_again(
    bench: Bench, content: dict[str, Any]
) -> None:
    (run_id,) = bench.queue(content)
    bench.step()
    bench.executions.clear()
    with bench.database.transaction() as tx:
        dispatch.adopt(tx, bench.clock.now())
    assert bench.step() == [run_id]
    assert bench.executions[run_id].claim == 2


def test_counts_agree_with_the_rows_after_all_of_it(bench: Bench, content: dict[str, Any]) -> None:
    ids = bench.queue(content, 4, is_backfill=True)
    bench.step()
    bench.step(bench.report(ids[0], ok=True))
    bench.step(bench.report(ids[1], message="boom"))
    with bench.database.read() as tx:
        rows, total = run.history(tx, RunFilter(), 100, 0)
        assert total == len(rows) == 4
        for status in ("PENDING", "RUNNING", "COMPLETED", "FAILED", "KILLED"):
            counted = run.history(tx, RunFilter(status=status), 100, 0)[1]
            assert counted == sum(1 for row in rows if row.status == status)
        assert tally.total(tx, []) == 4


def test_a_due_retry_that_finds_no_slot_waits_for_one_instead_of_asking_on_and_on(
    bench: Bench, content: dict[str, Any]
) -> None:
    ids = [bench.queue({**content, "name": f"shop.sales.t{n}"})[0] for n in range(2)]
    bench.step()
    now = bench.clock.now()
    with bench.database.transaction() as tx:
        dispatch.adopt(tx, now)
        plan = Plan()
        dispatch.claim(tx, now, set(), 1, plan)
    assert [execution.run_id for execution, _ in plan.started] == ids[:1]
    assert plan.retry_at is None


def test_whoever_wants_to_know_is_told_of_the_end_of_a_run_and_of_nothing_before(
    bench: Bench, content: dict[str, Any]
) -> None:
    wishes = {
        "on_failure": [{"type": "pager", "channel": "ops"}],
        "on_success": [{"type": "pager", "channel": "ana"}, {"type": "mail", "channel": "bo"}],
    }
    content["schedule"] |= {
        "notifications": wishes,
        "retry": {"max_attempts": 2, "delay_seconds": 0},
    }
    good, bad, stopped = bench.queue(content, 3)
    bench.step()
    assert bench.messages() == []
    bench.step(bench.report(good, ok=True, rows_affected=7))
    name = content["name"]
    told = (f"{name} completed", f"Run {good}. 7 rows.")
    assert bench.messages() == [("ana", *told), ("bo", *told)]
    bench.step(bench.report(bad, message="boom", code="DLI-405"))
    assert bench.messages() == []
    bench.step(bench.report(bad, message="boom", code="DLI-405"))
    assert bench.messages() == [("ops", f"{name} failed", f"Run {bad}. DLI-405: boom")]
    with bench.database.transaction() as tx:
        row, counts = run.find(tx, stopped), Tally()
        assert row is not None
        run.finish(tx, row, Outcome("KILLED", stop_reason="no"), bench.clock.now(), counts)
        counts.write(tx)
    bench.step(bench.report(stopped, message="stopped"))
    assert bench.messages() == []
