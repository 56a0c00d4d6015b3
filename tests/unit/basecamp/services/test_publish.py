"""Publishing swaps the CODE set as a whole, or not at all."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from basecamp.engines.base import CheckResult
from basecamp.services.command import Caller, Idempotency
from basecamp.services.permission import local_actor
from basecamp.services.publish import PublishService
from basecamp.specstore.base import FileKey
from basecamp.specstore.file import FileSpecStore
from basecamp.store import audit, table, workflow
from basecamp.store.database import Database
from dli.exceptions import DLIValidationError, ErrorCode, ServerError

CI = Caller(local_actor("ci"))


@pytest.fixture
def files(tmp_path: Path) -> FileSpecStore:
    store = FileSpecStore(tmp_path / "store")
    store.prepare()
    return store


@pytest.fixture
def publishing(database: Database, engine: Any, files: FileSpecStore, clock: Any) -> PublishService:
    return PublishService(database, engine, files, clock)


def spec(name: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "owner": "ana", "team": "t", "query_statement": "SELECT 1", **more}


def in_force(database: Database) -> list[str]:
    with database.read() as tx:
        return [row.dataset_name for row in workflow.of_source(tx, "code")]


def stored(files: FileSpecStore) -> list[str]:
    return sorted(key.name for key in files.scan())


def test_the_set_is_swapped_as_a_whole(
    publishing: PublishService, database: Database, files: FileSpecStore
) -> None:
    publishing.publish(CI, specs=[spec("a.one"), spec("a.two")], version="v1")
    reply = publishing.publish(CI, specs=[spec("a.two", tags=["x"]), spec("a.three")], version="v2")
    body = reply.body
    assert (body["added"], body["changed"], body["removed"]) == (["a.three"], ["a.two"], ["a.one"])
    assert in_force(database) == stored(files) == ["a.three", "a.two"]
    with database.read() as tx:
        assert set(tx.execute(select(table.code_version.c.version)).scalars()) == {"v1", "v2"}
        assert audit.of_resource(tx, "v2")[0]["detail"]["removed"] == 1


def test_a_version_without_name_is_named_after_its_content(publishing: PublishService) -> None:
    first = publishing.publish(CI, specs=[spec("a.one")]).body["version"]
    assert publishing.publish(CI, specs=[spec("a.one")]).body["version"] == first
    assert publishing.publish(CI, specs=[spec("a.two")]).body["version"] != first


def test_a_dry_run_tells_the_difference_and_makes_none(
    publishing: PublishService, database: Database, files: FileSpecStore
) -> None:
    body = publishing.publish(CI, specs=[spec("a.one")], dry_run=True).body
    assert (body["added"], body["dry_run"]) == (["a.one"], True)
    assert in_force(database) == stored(files) == []


def test_every_wrong_spec_is_told_and_nothing_is_published(
    publishing: PublishService, database: Database, files: FileSpecStore
) -> None:
    publishing.publish(CI, specs=[spec("a.one")])
    wrong = [
        spec("a.two"),
        spec("a.bad", schedule={"cron": "61 * * * *"}),
        {"name": "a.poor"},
        spec("a.two"),
        spec("solo"),
    ]
    with pytest.raises(DLIValidationError) as caught:
        publishing.publish(CI, specs=wrong)
    pointers = [finding["pointer"] for finding in caught.value.details["errors"]]
    assert caught.value.code == ErrorCode.WORKFLOW_INVALID_CRON
    assert {pointer.split("/")[2] for pointer in pointers} == {"1", "2", "3", "4"}
    assert in_force(database) == stored(files) == ["a.one"]


def test_sql_that_cannot_run_is_refused(
    publishing: PublishService, engine: Any, files: FileSpecStore
) -> None:
    engine.answer = CheckResult(ok=False, code="DLI-202", message="SQL cannot be parsed")
    with pytest.raises(DLIValidationError) as caught:
        publishing.publish(CI, specs=[spec("a.one")])
    assert caught.value.code == ErrorCode.SQL_SYNTAX_ERROR
    assert stored(files) == []


def test_only_what_is_new_is_checked_again(publishing: PublishService, engine: Any) -> None:
    publishing.publish(CI, specs=[spec("a.one"), spec("a.two")])
    engine.checked.clear()
    publishing.publish(CI, specs=[spec("a.one"), spec("a.two", tags=["x"])])
    assert [asked.content["name"] for asked in engine.checked] == ["a.two"]


def test_required_parameters_are_checked_with_a_value_of_their_type(
    publishing: PublishService, engine: Any
) -> None:
    parameters = [{"name": "n", "type": "integer"}, {"name": "d", "type": "string", "default": "x"}]
    publishing.publish(CI, specs=[spec("a.one", parameters=parameters)])
    assert engine.checked[0].parameters == {"n": 1}


def test_a_spec_without_sql_may_be_published(publishing: PublishService, engine: Any) -> None:
    publishing.publish(CI, specs=[{"name": "a.one", "owner": "ana", "team": "t"}])
    assert engine.checked == []


def test_a_repetition_with_its_key_publishes_once(publishing: PublishService) -> None:
    caller = Caller(local_actor("ci"), idempotency=Idempotency("k", "POST", "/publish", "hash"))
    first = publishing.publish(caller, specs=[spec("a.one")])
    again = publishing.publish(caller, specs=[spec("a.one")])
    assert (again.body, again.replayed) == (first.body, True)


def test_a_store_that_fails_at_the_end_leaves_the_old_set(
    publishing: PublishService,
    database: Database,
    files: FileSpecStore,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    publishing.publish(CI, specs=[spec("a.one")])
    before = files.signature(FileKey("code", "a.one"))

    def fails(*_: Any) -> None:
        raise ServerError("The state store is not available.", code=ErrorCode.SERVER_EXECUTION)

    monkeypatch.setattr("basecamp.services.command.Commands._keep", fails)
    with pytest.raises(ServerError):
        publishing.publish(CI, specs=[spec("a.two")])
    assert in_force(database) == stored(files) == ["a.one"]
    assert files.signature(FileKey("code", "a.one")) == before


def test_manual_workflows_are_not_touched(publishing: PublishService, files: FileSpecStore) -> None:
    files.put_manual("b.manual", spec("b.manual"))
    publishing.publish(CI, specs=[])
    assert stored(files) == ["b.manual"]
