"""What the engine is asked for callers who wait, and what is left of it in the store."""

from concurrent.futures import Future
from typing import Any

import pytest

from basecamp.clock import Clock
from basecamp.services.command import Caller, Reply
from basecamp.services.execution import ExecutionService
from basecamp.services.quality import QualityService
from basecamp.services.registry import RegistryService
from basecamp.store import audit
from basecamp.store.database import Database
from dli.exceptions import (
    DatasetNotFoundError,
    DLIError,
    ErrorCode,
    QualityNotFoundError,
    WorkflowExecutionError,
)

DAILY, TOTAL = "shop.sales.daily", "shop.sales.total"
HEAD = {"owner": "ana@example.com", "team": "sales", "query_statement": "SELECT 1"}
STATEMENT: dict[str, Any] = {
    "sql": "SELECT 'secret'",
    "parameters": {},
    "dialect": None,
    "transpile": True,
    "strict": False,
    "dry_run": False,
}
QUALITY = {
    "target": {"type": "dataset", "name": DAILY},
    "metadata": {"owner": "ana"},
    "tests": [
        {"name": "some", "type": "row_count", "min": 1},
        {"name": "key", "type": "unique", "columns": ["a"]},
    ],
}


@pytest.fixture
def service(database: Database, engine: Any, clock: Clock, ana: Caller) -> ExecutionService:
    datasets = RegistryService(database, engine, clock, "dataset")
    datasets.register(ana, spec={**HEAD, "name": DAILY, "execution": {"timeout_seconds": 60}})
    RegistryService(database, engine, clock, "metric").register(ana, spec={**HEAD, "name": TOTAL})
    return ExecutionService(database, engine, clock)


@pytest.fixture
def quality(database: Database, engine: Any, clock: Clock, tmp_path: Any) -> QualityService:
    return QualityService(database, engine, clock, project=tmp_path)


def run(service: ExecutionService, caller: Caller, name: str = DAILY, **more: Any) -> Reply:
    fields = {"parameters": {}, "dry_run": False, "left_out": (), "withdrawn": Future(), **more}
    return service.run_dataset(caller, name, **fields)


def trail(database: Database, resource: str) -> list[dict[str, Any]]:
    with database.read() as tx:
        return audit.of_resource(tx, resource)


def test_a_run_takes_its_turn_and_a_dry_one_does_not(
    service: ExecutionService, engine: Any, ana: Caller, database: Database
) -> None:
    run(service, ana, parameters={"a": 1}, left_out=["pre"])
    run(service, ana, dry_run=True)
    (subject, asked, writes), (_, dry, dry_writes) = engine.asked
    assert (subject, writes, dry_writes) == ("dataset.run", DAILY, None)
    assert (asked["spec"]["name"], asked["parameters"], asked["left_out"]) == (
        DAILY,
        {"a": 1},
        ["pre"],
    )
    assert (asked["dry_run"], dry["dry_run"]) == (False, True)
    actions = [row["action"] for row in trail(database, DAILY)]
    assert actions == ["dataset.register", "dataset.run"]


def test_the_answer_is_kept_under_its_key(
    service: ExecutionService, engine: Any, keyed: Caller
) -> None:
    engine.reply = {"n": 1}
    first = run(service, keyed)
    engine.reply = {"n": 2}
    again = run(service, keyed)
    assert (first.body, again.body, again.replayed) == ({"n": 1}, {"n": 1}, True)
    assert len(engine.asked) == 1


def test_work_that_was_cut_off_is_done_anew(
    service: ExecutionService, engine: Any, keyed: Caller
) -> None:
    engine.reply = DLIError("gone", code=ErrorCode.SERVER_EXECUTION)
    with pytest.raises(DLIError):
        run(service, keyed)
    engine.reply = {"n": 2}
    assert run(service, keyed).body == {"n": 2}


def test_a_repetition_of_what_is_under_way_waits(
    service: ExecutionService, engine: Any, keyed: Caller
) -> None:
    refusals: list[WorkflowExecutionError] = []

    def ask(*_: Any, **_more: Any) -> dict[str, Any]:
        with pytest.raises(WorkflowExecutionError) as refused:
            run(service, keyed)
        refusals.append(refused.value)
        return {}

    engine.ask = ask
    run(service, keyed)
    assert [refusal.code for refusal in refusals] == [ErrorCode.WORKFLOW_INVALID_STATE]
    assert refusals[0].details["retry_after"] > 0


def test_the_audit_has_no_text_of_a_statement(
    service: ExecutionService, ana: Caller, database: Database
) -> None:
    service.run_sql(ana, withdrawn=Future(), **STATEMENT)
    (row,) = trail(database, "<inline>")
    assert row["action"] == "sql.run"
    assert "secret" not in str(row)


def test_rows_of_a_metric_are_not_kept(
    service: ExecutionService, engine: Any, keyed: Caller
) -> None:
    options: dict[str, Any] = {"parameters": {}, "limit": 5, "by": ["a"], "metrics": []}
    for number in (1, 2):
        engine.reply = {"n": number}
        reply = service.run_metric(keyed, TOTAL, dry_run=False, withdrawn=Future(), **options)
        assert (reply.body, reply.replayed) == ({"n": number}, False)
    subject, asked, writes = engine.asked[0]
    assert (subject, asked["limit"], asked["by"], writes) == ("metric.run", 5, ["a"], None)


@pytest.mark.parametrize("name", ["no.such", "none", "../up"])
def test_a_name_that_nobody_registered_is_unknown(
    service: ExecutionService, ana: Caller, engine: Any, name: str
) -> None:
    with pytest.raises(DatasetNotFoundError):
        run(service, ana, name)
    assert engine.asked == []


def test_tests_get_the_spec_of_their_target(
    service: ExecutionService, quality: QualityService, engine: Any, ana: Caller
) -> None:
    assert service is not None  # the target is registered
    quality.register(ana, spec=QUALITY, name="shop.sales.checks", force=False)
    quality.run_registered(ana, "key", parameters={}, withdrawn=Future())
    quality.run_registered(ana, "shop.sales.checks", parameters={"a": 1}, withdrawn=Future())
    (subject, one, _), (_, whole, _) = engine.asked
    assert (subject, one["tests"], whole["tests"]) == ("quality.run", ["key"], [])
    assert one["target"]["name"] == DAILY
    assert whole["parameters"] == {"a": 1}
    assert one["execution_id"] != whole["execution_id"]
    with pytest.raises(QualityNotFoundError):
        quality.run_registered(ana, "none", parameters={}, withdrawn=Future())


def test_a_target_that_nobody_registered_has_no_spec(
    quality: QualityService, engine: Any, ana: Caller
) -> None:
    asked: dict[str, Any] = {"tests": [], "parameters": {}, "fail_fast": True}
    quality.run_sent(ana, spec=QUALITY, withdrawn=Future(), **asked)
    ((_, arguments, writes),) = engine.asked
    assert (arguments["target"], arguments["fail_fast"], writes) == (None, True, None)
