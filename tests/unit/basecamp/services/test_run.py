"""Starting, repeating, stopping and listing runs and backfills."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from basecamp.engines.base import CheckResult
from basecamp.services.backfill import BackfillService
from basecamp.services.command import Caller
from basecamp.services.permission import local_actor
from basecamp.services.run import RunService
from basecamp.services.workflow import WorkflowService
from basecamp.store import run
from basecamp.store.database import Database
from basecamp.store.tally import Tally
from dli.exceptions import (
    DLIError,
    DLIValidationError,
    ErrorCode,
    ExecutionError,
    ServerError,
    WorkflowExecutionError,
)
from identity import BOSS

NAME = "shop.sales.daily"


@pytest.fixture(autouse=True)
def _registered(workflows: WorkflowService, content: dict[str, Any]) -> None:
    content["parameters"] = [{"name": "country", "type": "string", "required": False}]
    workflows.register(
        Caller(local_actor("ana")), dataset_name=NAME, cron="0 6 * * *", spec=content
    )


def _three_days(backfills: BackfillService, ana: Caller) -> Any:
    first, last = "2026-01-01", "2026-01-03"
    return backfills.start(ana, NAME, start_date=first, end_date=last, parameters={})


def test_a_run_covers_the_latest_complete_interval(runs: RunService, ana: Caller) -> None:
    reply = runs.start(ana, NAME, parameters={"country": "ES"})
    record = runs.get(BOSS, reply.body["run_id"])
    assert reply.status == 202
    assert record["logical_date"] == "2026-03-01T06:00:00Z"
    assert record["data_interval_end"] == "2026-03-02T06:00:00Z"
    assert (record["status"], record["run_type"]) == ("PENDING", "adhoc")
    assert (record["parameters"], record["triggered_by"]) == ({"country": "ES"}, "ana")


@pytest.mark.parametrize("parameter", ["ds", "execution_date"])
def test_a_date_parameter_picks_the_interval(runs: RunService, ana: Caller, parameter: str) -> None:
    reply = runs.start(ana, NAME, parameters={parameter: "2025-12-24"})
    assert reply.body["logical_date"] == "2025-12-24T06:00:00Z"


@pytest.mark.parametrize(
    "parameters",
    [
        {"planet": "Mars"},
        {"ds": "24.12.2025"},
        {"ds": "2025-12-24", "execution_date": "2025-12-25"},
    ],
)
def test_wrong_parameters_start_nothing(
    runs: RunService, ana: Caller, parameters: dict[str, Any]
) -> None:
    with pytest.raises(DLIValidationError) as raised:
        runs.start(ana, NAME, parameters=parameters)
    assert raised.value.code == "DLI-204"
    assert runs.history(BOSS) == ([], 0)


def test_a_dry_run_binds_and_starts_nothing(runs: RunService, ana: Caller, engine: Any) -> None:
    reply = runs.start(ana, NAME, parameters={}, dry_run=True)
    assert (reply.status, reply.body["dry_run"], reply.body["statements"]) == (
        200,
        True,
        ["SELECT 1"],
    )
    assert "run_id" not in reply.body
    engine.answer = CheckResult(ok=False, code="DLI-405", message="no such table")
    with pytest.raises(ExecutionError, match="no such table"):
        runs.start(ana, NAME, parameters={}, dry_run=True)
    assert runs.history(BOSS) == ([], 0)


def test_one_key_makes_one_run_however_many_ask_at_once(
    runs: RunService, keyed: Caller, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    together = threading.Barrier(8)

    def ask(_: int) -> Any:
        together.wait()
        return runs.start(keyed, NAME, parameters={})

    with ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(ask, range(8)))
    assert len({reply.body["run_id"] for reply in replies}) == 1
    assert sum(not reply.replayed for reply in replies) == 1
    assert [one.message for one in caplog.records].count("run.queued") == 1
    assert runs.history(BOSS)[1] == 1


def test_a_key_is_bound_to_its_body(runs: RunService, keyed: Caller) -> None:
    runs.start(keyed, NAME, parameters={})
    assert keyed.idempotency is not None
    other = replace(keyed, idempotency=replace(keyed.idempotency, body_sha256="bb"))
    with pytest.raises(DLIValidationError) as raised:
        runs.start(other, NAME, parameters={})
    assert raised.value.code == "DLI-204"
    assert runs.history(BOSS)[1] == 1


def test_the_same_key_of_another_caller_is_another_key(runs: RunService, keyed: Caller) -> None:
    runs.start(keyed, NAME, parameters={})
    runs.start(replace(keyed, actor=local_actor("bob")), NAME, parameters={})
    assert runs.history(BOSS)[1] == 2


def test_a_kept_refusal_is_repeated(runs: RunService, ana: Caller, keyed: Caller) -> None:
    run_id = runs.start(ana, NAME, parameters={}).body["run_id"]
    runs.stop(ana, run_id)
    for _ in range(2):
        with pytest.raises(DLIError) as raised:
            runs.stop(keyed, run_id)
        assert raised.value.code == "DLI-807"


def test_stop_is_final_and_names_who_and_why(runs: RunService, ana: Caller) -> None:
    run_id = runs.start(ana, NAME, parameters={}).body["run_id"]
    reply = runs.stop(ana, run_id, "wrong day")
    assert (reply.status, reply.body["status"]) == (200, "KILLED")
    record = runs.get(BOSS, run_id)
    assert (record["stop_reason"], record["stopped_by"]) == ("wrong day", "ana")
    with pytest.raises(WorkflowExecutionError) as raised:
        runs.stop(ana, run_id)
    assert raised.value.code == "DLI-807"
    assert "KILLED" in raised.value.message


def test_history_filters_and_counts(
    runs: RunService, backfills: BackfillService, ana: Caller, clock: Any
) -> None:
    run_id = runs.start(ana, NAME, parameters={}).body["run_id"]
    runs.stop(ana, run_id)
    _three_days(backfills, ana)

    def found(**how: Any) -> tuple[int, int]:
        records, total = runs.history(BOSS, **how)
        return len(records), total

    assert found() == (4, 4)
    assert found(limit=2) == (2, 4)
    assert found(limit=2, offset=3) == (1, 4)
    assert found(status="KILLED") == (1, 1)
    assert found(run_type="backfill") == (3, 3)
    assert found(dataset="SALES") == (4, 4)
    assert found(dataset="nothing") == (0, 0)
    assert found(source_type="code") == (0, 0)
    assert found(start_date=date(2026, 3, 2), end_date=date(2026, 3, 2)) == (4, 4)
    assert found(end_date=date(2026, 3, 1)) == (0, 0)
    starts = [record["logical_date"] for record in runs.history(BOSS, run_type="backfill")[0]]
    assert starts == sorted(starts, reverse=True)


def test_a_backfill_makes_one_run_for_each_day_in_order(
    runs: RunService, backfills: BackfillService, ana: Caller
) -> None:
    reply = backfills.start(
        ana, NAME, start_date="2026-01-01", end_date="2026-01-03", parameters={}
    )
    assert reply.status == 202
    record = runs.get(BOSS, reply.body["run_id"])
    assert [day["date"] for day in record["runs"]] == ["2026-01-01", "2026-01-02", "2026-01-03"]
    assert (record["run_type"], record["status"], record["total_runs"]) == (
        "backfill",
        "PENDING",
        3,
    )


def test_stopping_a_backfill_ends_all_its_days(
    runs: RunService, backfills: BackfillService, ana: Caller
) -> None:
    reply = backfills.start(
        ana, NAME, start_date="2026-01-01", end_date="2026-01-03", parameters={}
    )
    stopped = runs.stop(ana, reply.body["run_id"], "enough").body
    assert (stopped["status"], stopped["stop_reason"]) == ("KILLED", "enough")
    assert [day["status"] for day in stopped["runs"]] == ["KILLED"] * 3


@pytest.mark.parametrize(
    ("start", "end"),
    [("2026-01-02", "2026-01-01"), ("2026-1-1", "2026-01-02"), ("2020-01-01", "2026-01-01")],
)
def test_a_wrong_range_plans_nothing(
    runs: RunService, backfills: BackfillService, ana: Caller, start: str, end: str
) -> None:
    with pytest.raises(DLIValidationError) as raised:
        backfills.start(ana, NAME, start_date=start, end_date=end, parameters={})
    assert raised.value.code == "DLI-204"
    assert runs.history(BOSS) == ([], 0)


def test_a_dry_backfill_plans_nothing(
    runs: RunService, backfills: BackfillService, ana: Caller
) -> None:
    reply = backfills.start(
        ana, NAME, start_date="2026-01-01", end_date="2026-01-03", parameters={}, dry_run=True
    )
    assert (reply.status, reply.body["total_runs"]) == (200, 3)
    assert runs.history(BOSS) == ([], 0)


def test_a_stop_that_the_engine_could_not_be_told_changes_nothing(
    database: Database, runs: RunService, engine: Any, ana: Caller
) -> None:
    waiting = runs.start(ana, NAME, parameters={}).body["run_id"]
    engine.stop_refusal = ServerError("away", code=ErrorCode.SERVER_EXECUTION)
    with database.transaction() as tx:
        row = run.find(tx, waiting)
        assert row is not None
        run.claim(tx, row, row.created_at, attempt=1, counts=Tally())
    with pytest.raises(ServerError):
        runs.stop(ana, waiting)
    assert runs.get(BOSS, waiting)["status"] == "RUNNING"
    assert engine.interrupted == []


def test_a_run_that_was_not_handed_over_is_stopped_without_the_engine(
    runs: RunService, engine: Any, ana: Caller
) -> None:
    waiting = runs.start(ana, NAME, parameters={}).body["run_id"]
    engine.stop_refusal = ServerError("away", code=ErrorCode.SERVER_EXECUTION)
    assert runs.stop(ana, waiting).body["status"] == "KILLED"


def test_a_run_that_the_engine_would_keep_for_ever_is_refused(
    runs: RunService, engine: Any, ana: Caller
) -> None:
    engine.held[NAME] = "paused elsewhere"
    with pytest.raises(WorkflowExecutionError) as refused:
        runs.start(ana, NAME, parameters={})
    assert refused.value.code == ErrorCode.WORKFLOW_INVALID_STATE
    assert runs.history(BOSS)[1] == 0


def test_what_the_engine_holds_is_shown_at_the_workflow(
    workflows: WorkflowService, engine: Any
) -> None:
    engine.held[NAME] = "paused elsewhere"
    assert workflows.get(BOSS, NAME)["error"] == "paused elsewhere"
    ((listed, *_), _count) = workflows.list(BOSS)
    assert listed["error"] == "paused elsewhere"


def test_that_there_is_no_such_workflow_stays_the_answer_to_a_key(
    runs: RunService, workflows: WorkflowService, keyed: Caller, content: dict[str, Any]
) -> None:
    with pytest.raises(DLIError):
        runs.start(keyed, "shop.sales.other", parameters={})
    other = {**content, "name": "shop.sales.other"}
    workflows.register(
        Caller(local_actor("ana")), dataset_name=other["name"], cron="0 6 * * *", spec=other
    )
    with pytest.raises(DLIError) as caught:
        runs.start(keyed, "shop.sales.other", parameters={})
    assert caught.value.code is ErrorCode.WORKFLOW_NOT_FOUND
    assert caught.value.details["replayed"]
