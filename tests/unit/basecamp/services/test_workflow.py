"""Registering, publishing, overriding, pausing and removing workflows."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from basecamp.engines.base import CheckResult
from basecamp.services import ownership
from basecamp.services.command import Caller
from basecamp.services.permission import local_actor
from basecamp.services.run import RunService
from basecamp.services.workflow import WorkflowService
from basecamp.store import audit, workflow
from basecamp.store.database import Database
from dli.exceptions import (
    DatasetNotFoundError,
    DLIError,
    DLIValidationError,
    ErrorCode,
    ServerError,
    WorkflowExecutionError,
    WorkflowNotFoundError,
    WorkflowPermissionError,
    WorkflowRegistrationError,
)
from identity import BOSS

NAME = "shop.sales.daily"


def _publish(database: Database, content: dict[str, Any], clock: Any) -> None:
    with database.transaction() as tx:
        ownership.put_code(tx, content, clock.now())


def _withdraw(database: Database, clock: Any) -> None:
    with database.transaction() as tx:
        ownership.remove_code(tx, NAME, clock.now())


def _register(workflows: WorkflowService, ana: Caller, content: dict[str, Any], **how: Any) -> Any:
    return workflows.register(ana, dataset_name=NAME, cron="0 9 * * *", spec=content, **how)


def test_register_stores_exactly_the_given_settings(
    workflows: WorkflowService, ana: Caller, content: dict[str, Any], files: Any, database: Database
) -> None:
    reply = _register(
        workflows, ana, content, timezone="Asia/Seoul", retry_max_attempts=3, retry_delay_seconds=7
    )
    assert reply.status == 201
    record = workflows.get(BOSS, NAME)
    assert (record["cron"], record["timezone"], record["status"]) == (
        "0 9 * * *",
        "Asia/Seoul",
        "active",
    )
    assert (record["retry_max_attempts"], record["retry_delay_seconds"]) == (3, 7)
    assert record["next_run"] == "2026-03-03T00:00:00Z"
    assert files.contents[NAME]["schedule"]["cron"] == "0 9 * * *"
    with database.read() as tx:
        (entry,) = audit.of_resource(tx, NAME)
    assert (entry["actor"], entry["action"], entry["request_id"]) == (
        "ana",
        "workflow.register",
        "req-1",
    )


def test_register_warns_when_the_specs_own_schedule_differs(
    workflows: WorkflowService, ana: Caller, content: dict[str, Any]
) -> None:
    assert "cron" in _register(workflows, ana, content).body["warning"]


def test_register_disabled_is_paused(
    workflows: WorkflowService, ana: Caller, content: dict[str, Any]
) -> None:
    _register(workflows, ana, content, enabled=False)
    record = workflows.get(BOSS, NAME)
    assert (record["status"], record["next_run"]) == ("paused", None)


def test_register_twice_needs_force(
    workflows: WorkflowService, ana: Caller, content: dict[str, Any]
) -> None:
    _register(workflows, ana, content)
    with pytest.raises(WorkflowRegistrationError) as raised:
        _register(workflows, ana, content)
    assert raised.value.code == "DLI-804"
    assert _register(workflows, ana, content, force=True).status == 200


def test_register_without_a_spec_uses_the_registered_dataset(
    workflows: WorkflowService, ana: Caller, content: dict[str, Any]
) -> None:
    with pytest.raises(DatasetNotFoundError):
        workflows.register(ana, dataset_name=NAME, cron="0 9 * * *")
    _register(workflows, ana, content)
    workflows.register(ana, dataset_name=NAME, cron="0 10 * * *", force=True)
    assert workflows.get(BOSS, NAME)["cron"] == "0 10 * * *"


@pytest.mark.parametrize(
    ("cron", "timezone"), [("61 * * * *", "UTC"), ("@daily", "UTC"), ("0 9 * * *", "Mars/Base")]
)
def test_a_wrong_schedule_changes_nothing(
    workflows: WorkflowService, ana: Caller, content: dict[str, Any], cron: str, timezone: str
) -> None:
    with pytest.raises(WorkflowRegistrationError) as raised:
        workflows.register(ana, dataset_name=NAME, cron=cron, timezone=timezone, spec=content)
    assert raised.value.code == "DLI-805"
    assert workflows.list(BOSS) == ([], 0)


def test_a_schedule_that_cannot_fill_the_parameters_is_refused(
    workflows: WorkflowService, ana: Caller, content: dict[str, Any]
) -> None:
    del content["schedule"]
    content["parameters"] = [{"name": "country"}]
    with pytest.raises(WorkflowRegistrationError, match="country") as raised:
        _register(workflows, ana, content)
    assert raised.value.code == "DLI-801"


def test_broken_sql_is_refused_with_its_own_code(
    workflows: WorkflowService, ana: Caller, content: dict[str, Any], engine: Any
) -> None:
    engine.answer = CheckResult(ok=False, code="DLI-202", message="line 1: expected FROM")
    with pytest.raises(DLIValidationError) as raised:
        _register(workflows, ana, content)
    assert raised.value.code == "DLI-202"


def test_code_is_read_only_also_with_force(
    workflows: WorkflowService, ana: Caller, content: dict[str, Any], database: Database, clock: Any
) -> None:
    _publish(database, content, clock)
    for attempt in (
        lambda: _register(workflows, ana, content, force=True),
        lambda: workflows.unregister(ana, NAME),
    ):
        with pytest.raises(WorkflowPermissionError) as raised:
            attempt()
        assert raised.value.code == "DLI-803"


def test_code_overrides_manual_and_manual_comes_back_as_it_was(
    workflows: WorkflowService, ana: Caller, content: dict[str, Any], database: Database, clock: Any
) -> None:
    _register(workflows, ana, content)
    workflows.pause(ana, NAME, reason="holiday")
    before = workflows.get(BOSS, NAME)
    _publish(database, content, clock)
    records, total = workflows.list(BOSS)
    assert total == 2
    assert [(r["source_type"], r["status"], r["overridden_by"]) for r in records] == [
        ("code", "active", None),
        ("manual", "overridden", "code"),
    ]
    _withdraw(database, clock)
    after = workflows.get(BOSS, NAME)
    assert {**after, "updated_at": None} == {**before, "updated_at": None}
    assert (after["status"], after["pause_reason"]) == ("paused", "holiday")


def test_an_active_manual_comes_back_active_and_scheduled(
    workflows: WorkflowService, ana: Caller, content: dict[str, Any], database: Database, clock: Any
) -> None:
    _register(workflows, ana, content)
    _publish(database, content, clock)
    clock.advance(timedelta(days=3))
    _withdraw(database, clock)
    record = workflows.get(BOSS, NAME)
    assert (record["status"], record["next_run"]) == ("active", "2026-03-06T09:00:00Z")


def test_an_overridden_manual_can_be_neither_run_nor_unpaused(
    workflows: WorkflowService,
    runs: RunService,
    ana: Caller,
    content: dict[str, Any],
    database: Database,
    clock: Any,
) -> None:
    _register(workflows, ana, content)
    _publish(database, content, clock)
    attempts: list[Callable[[], object]] = [
        lambda: runs.start(ana, NAME, parameters={}, source_type="manual"),
        lambda: workflows.unpause(ana, NAME, source_type="manual"),
        lambda: workflows.unpause(ana, NAME),
    ]
    for attempt in attempts:
        with pytest.raises(WorkflowPermissionError) as raised:
            attempt()
        assert raised.value.code == "DLI-806"


def test_unregister_removes_the_overridden_manual_and_says_so(
    workflows: WorkflowService,
    ana: Caller,
    content: dict[str, Any],
    database: Database,
    clock: Any,
    files: Any,
) -> None:
    _register(workflows, ana, content)
    _publish(database, content, clock)
    assert "CODE stays in force" in workflows.unregister(ana, NAME).body["message"]
    assert [r["source_type"] for r in workflows.list(BOSS)[0]] == ["code"]
    assert NAME not in files.contents


def test_unregister_ends_queued_runs_and_keeps_history(
    workflows: WorkflowService, runs: RunService, ana: Caller, content: dict[str, Any]
) -> None:
    _register(workflows, ana, content)
    run_id = runs.start(ana, NAME, parameters={}).body["run_id"]
    workflows.unregister(ana, NAME)
    assert runs.get(BOSS, run_id)["status"] == "KILLED"
    with pytest.raises(WorkflowNotFoundError):
        workflows.get(BOSS, NAME)


def test_pause_shows_who_why_and_until_when(
    workflows: WorkflowService, ana: Caller, content: dict[str, Any], clock: Any
) -> None:
    _register(workflows, ana, content)
    workflows.pause(ana, NAME, reason="stock taking", until=clock.now() + timedelta(days=1))
    record = workflows.get(BOSS, NAME)
    assert (record["status"], record["next_run"]) == ("paused", None)
    assert (record["pause_reason"], record["paused_by"]) == ("stock taking", "ana")
    assert record["pause_until"] == "2026-03-03T12:00:00Z"


def test_pause_and_unpause_in_the_wrong_state(
    workflows: WorkflowService, ana: Caller, content: dict[str, Any]
) -> None:
    _register(workflows, ana, content)
    with pytest.raises(WorkflowExecutionError) as raised:
        workflows.unpause(ana, NAME)
    assert raised.value.code == "DLI-807"
    workflows.pause(ana, NAME)
    with pytest.raises(WorkflowExecutionError) as raised:
        workflows.pause(ana, NAME)
    assert raised.value.code == "DLI-807"
    workflows.unpause(ana, NAME)
    assert workflows.get(BOSS, NAME)["status"] == "active"


def test_a_pause_cannot_end_in_the_past(
    workflows: WorkflowService, ana: Caller, content: dict[str, Any], clock: Any
) -> None:
    _register(workflows, ana, content)
    with pytest.raises(DLIValidationError) as raised:
        workflows.pause(ana, NAME, until=clock.now())
    assert raised.value.code == "DLI-204"


def test_list_filters_and_puts_the_exact_name_first(
    workflows: WorkflowService, runs: RunService, ana: Caller, content: dict[str, Any]
) -> None:
    for name in ("a.shop.sales", "shop.sales", "shop.sales.b"):
        spec = {**content, "name": name}
        workflows.register(ana, dataset_name=name, cron="0 9 * * *", spec=spec)
    workflows.pause(ana, "shop.sales.b")
    runs.start(ana, "a.shop.sales", parameters={})

    def names(**how: Any) -> list[str]:
        return [record["dataset_name"] for record in workflows.list(BOSS, **how)[0]]

    assert names(dataset="SHOP.sales") == ["shop.sales", "a.shop.sales", "shop.sales.b"]
    assert names(enabled=True) == ["a.shop.sales", "shop.sales"]
    assert names(status="paused") == ["shop.sales.b"]
    assert names(running=True) == ["a.shop.sales"]
    assert names(source_type="code") == []
    assert names(dataset="%") == []
    assert workflows.list(BOSS, limit=1, offset=1)[1] == 3


def test_what_does_not_exist_is_not_found(
    workflows: WorkflowService, runs: RunService, ana: Caller
) -> None:
    for attempt in (
        lambda: workflows.get(BOSS, "no.such"),
        lambda: workflows.unregister(ana, "no.such"),
        lambda: workflows.pause(ana, "no.such"),
        lambda: workflows.unpause(ana, "no.such"),
        lambda: runs.start(ana, "no.such", parameters={}),
        lambda: runs.stop(ana, "no-such-run"),
        lambda: runs.get(BOSS, "no-such-run"),
        lambda: runs.logs(BOSS, "no-such-run"),
    ):
        with pytest.raises(DLIError) as raised:
            attempt()
        assert raised.value.code == "DLI-800"


def test_a_workflow_that_goes_while_files_are_written_leaves_no_file(
    database: Database,
    workflows: WorkflowService,
    files: Any,
    content: dict[str, Any],
    clock: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with database.transaction() as tx:
        ownership.put_manual(tx, content, clock.now(), stored=False)
    find = workflow.not_stored

    def then_unregistered(tx: Any) -> Any:
        found = find(tx)
        workflows.unregister(Caller(local_actor("ana")), content["name"])
        return found

    monkeypatch.setattr(workflow, "not_stored", then_unregistered)
    workflows.write_files()
    assert files.contents == {}


def test_a_file_that_was_overtaken_by_a_newer_registration_is_not_taken_for_stored(
    database: Database,
    workflows: WorkflowService,
    files: Any,
    content: dict[str, Any],
    clock: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with database.transaction() as tx:
        ownership.put_manual(tx, content, clock.now(), stored=False)
    find = workflow.not_stored
    newer = {**content, "description": "newer"}

    def then_registered_again(tx: Any) -> Any:
        found = find(tx)
        with database.transaction() as other:
            ownership.put_manual(other, newer, clock.now(), stored=False)
        return found

    monkeypatch.setattr(workflow, "not_stored", then_registered_again)
    workflows.write_files()
    assert files.contents[content["name"]]["description"] == "newer"


def test_a_registration_stands_while_the_spec_store_is_away_and_its_file_follows(
    workflows: WorkflowService, files: Any, content: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> None:
        raise ServerError("The spec store is not available.", code=ErrorCode.SERVER_EXECUTION)

    with monkeypatch.context() as away:
        away.setattr(files, "put_manual", refuse)
        name = content["name"]
        body = workflows.register(
            Caller(local_actor("ana")), dataset_name=name, cron="0 6 * * *", spec=content
        ).body
    assert body["status"] == "active"
    assert body["warning"].endswith(
        "The workflow is stored here; its file follows. The spec store is not available."
    )
    assert files.contents == {}
    workflows.write_files()
    assert list(files.contents) == [name]
