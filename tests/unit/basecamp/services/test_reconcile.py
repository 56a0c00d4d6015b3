"""State store and spec files are brought together by the override rules."""

import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from basecamp.services import ownership
from basecamp.services.command import Caller
from basecamp.services.permission import local_actor
from basecamp.services.publish import PublishService
from basecamp.services.reconcile import ReconcileLoop, Reconciler
from basecamp.services.workflow import WorkflowService
from basecamp.specstore.base import FileKey
from basecamp.specstore.document import to_yaml
from basecamp.specstore.file import FileSpecStore
from basecamp.specstore.index import SpecIndex
from basecamp.store import audit, run, workflow
from basecamp.store.database import Database
from basecamp.store.new_run import run_values
from basecamp.store.workflow import WorkflowRow
from dli.exceptions import ServerError
from dli.specs.schedule import latest_interval

NAME = "shop.sales.daily"
ANA = Caller(local_actor("ana"))


class Place:
    """A spec store with the services that change it, and the state beside it."""

    def __init__(self, database: Database, engine: Any, clock: Any, root: Path) -> None:
        self.database, self.engine, self.clock, self.root = database, engine, clock, root
        self.files = FileSpecStore(root)
        self.files.prepare()
        self.workflows = WorkflowService(database, engine, self.files, clock)
        self.publishing = PublishService(database, engine, self.files, clock)
        self.reconciler = self.new_reconciler()

    def new_reconciler(self) -> Reconciler:
        index = SpecIndex(self.root / "index.json")
        return Reconciler(
            self.database,
            self.engine,
            self.workflows,
            files=self.files,
            index=index,
            clock=self.clock,
        )

    def write(self, source: str, text: bytes, name: str = NAME) -> None:
        fresh = self.root / "fresh"
        fresh.write_bytes(text)
        fresh.rename(self.path(source, name))

    def path(self, source: str, name: str = NAME) -> Path:
        return self.root / source / f"{name}.yaml"

    def row(self, source: str, name: str = NAME) -> WorkflowRow | None:
        with self.database.read() as tx:
            return workflow.find(tx, name, source)

    def register(self, **more: Any) -> None:
        spec = {"name": NAME, "owner": "ana", "team": "t", "query_statement": "SELECT 1"}
        more = {"cron": "0 6 * * *", **more}
        self.workflows.register(ANA, dataset_name=NAME, spec=spec, **more)


@pytest.fixture
def place(database: Database, engine: Any, clock: Any, tmp_path: Path) -> Place:
    return Place(database, engine, clock, tmp_path / "store")


def yaml_of(content: dict[str, Any], **more: Any) -> bytes:
    return to_yaml({**content, **more})


def test_nothing_changes_when_files_and_store_agree(place: Place, content: dict[str, Any]) -> None:
    place.register()
    place.publishing.publish(ANA, specs=[{**content, "name": "a.one"}])
    assert not place.reconciler.run()
    (place.root / "index.json").unlink()
    assert not place.new_reconciler().run()


def test_a_code_file_that_appears_comes_into_force(place: Place, content: dict[str, Any]) -> None:
    place.write("code", yaml_of(content))
    assert place.reconciler.run().put == [FileKey("code", NAME)]
    row = place.row("code")
    assert row is not None
    assert (row.status, row.cron, row.timezone) == ("active", "0 6 * * *", "Europe/Madrid")
    with place.database.read() as tx:
        assert [entry["actor"] for entry in audit.of_resource(tx, NAME)] == ["reconcile"]


def test_code_without_schedule_runs_on_demand_and_disabled_code_is_paused(
    place: Place, content: dict[str, Any]
) -> None:
    off = {"cron": "0 6 * * *", "enabled": False}
    place.write("code", yaml_of({**content, "schedule": off}))
    place.write(
        "code", yaml_of({k: v for k, v in content.items() if k != "schedule"}, name="a.b"), "a.b"
    )
    place.reconciler.run()
    paused, on_demand = place.row("code"), place.row("code", "a.b")
    assert paused is not None
    assert on_demand is not None
    assert (paused.status, on_demand.status, on_demand.cron) == ("paused", "active", "")
    assert on_demand.next_fire_at is None


@pytest.mark.parametrize("enabled", [True, False])
def test_code_hides_manual_and_manual_comes_back_as_it_was(
    place: Place, content: dict[str, Any], *, enabled: bool
) -> None:
    place.register(enabled=enabled)
    kept = place.path("manual").read_bytes()
    place.write("code", yaml_of(content))
    place.reconciler.run()
    hidden = place.row("manual")
    assert hidden is not None
    assert hidden.status == "overridden"
    assert place.path("manual").read_bytes() == kept
    place.path("code").unlink()
    assert place.reconciler.run().removed == [FileKey("code", NAME)]
    back = place.row("manual")
    assert back is not None
    assert back.status == ("active" if enabled else "paused")
    assert place.row("code") is None


def test_queued_runs_of_code_that_goes_are_killed(
    place: Place, content: dict[str, Any], clock: Any
) -> None:
    place.write("code", yaml_of(content))
    place.reconciler.run()
    row = place.row("code")
    assert row is not None
    values = run_values(
        row,
        latest_interval(row.cron, row.timezone, clock.now()),
        run_type="adhoc",
        now=clock.now(),
        triggered_by="ana",
    )
    with place.database.transaction() as tx:
        run.add(tx, [values])
    place.path("code").unlink()
    place.reconciler.run()
    with place.database.read() as tx:
        ended = run.find(tx, values["run_id"])
    assert ended is not None
    assert ended.status == "KILLED"


def test_a_changed_file_keeps_the_pause_and_a_changed_switch_does_not(
    place: Place, content: dict[str, Any]
) -> None:
    place.write("code", yaml_of(content))
    place.reconciler.run()
    place.workflows.pause(ANA, NAME)
    place.write("code", yaml_of(content, description="new"))
    place.reconciler.run()
    row = place.row("code")
    assert row is not None
    assert (row.status, row.description) == ("paused", "new")
    off_and_on = [{**content["schedule"], "enabled": enabled} for enabled in (False, True)]
    for schedule in off_and_on:
        place.write("code", yaml_of(content, schedule=schedule))
        place.reconciler.run()
    row = place.row("code")
    assert row is not None
    assert row.status == "active"


BAD = [
    b"",
    b"name: [",
    b"name: shop.sales.daily\n",
    b"\xff\xfe",
    b"a: &x 1\nb: *x\n",
    b"name: a\nname: b\n",
    b"[" * 50_000,
    b"#" * (1024 * 1024 + 1),
]


@pytest.mark.parametrize("text", BAD, ids=range(len(BAD)))
def test_a_file_that_becomes_invalid_leaves_the_last_good_version(
    place: Place, content: dict[str, Any], text: bytes
) -> None:
    place.write("code", yaml_of(content))
    place.reconciler.run()
    good = place.row("code")
    place.write("code", text)
    assert place.reconciler.run().invalid == [FileKey("code", NAME)]
    row = place.row("code")
    assert good is not None
    assert row is not None
    assert (row.spec_hash, row.status) == (good.spec_hash, "active")
    assert row.error.startswith("The newest file is invalid (since 2026-03-02T12:00:00Z): [DLI-")
    place.clock.advance(timedelta(hours=1))
    assert not place.reconciler.run()
    place.write("code", yaml_of(content))
    place.reconciler.run()
    row = place.row("code")
    assert row is not None
    assert row.error is None


def test_a_first_version_that_is_invalid_overrides_nothing(place: Place) -> None:
    place.register()
    place.write("code", b"nonsense: [")
    assert not place.reconciler.run()
    row = place.row("manual")
    assert row is not None
    assert row.status == "active"
    assert place.row("code") is None


def test_a_file_under_another_name_is_invalid(place: Place, content: dict[str, Any]) -> None:
    place.write("code", yaml_of(content), name="a.other")
    place.write("code", yaml_of(content), name="no name")
    place.reconciler.run()
    assert place.row("code", "a.other") is None
    assert place.row("code") is None


def test_a_lost_manual_file_is_written_again(place: Place) -> None:
    place.register()
    kept = place.path("manual").read_bytes()
    place.path("manual").unlink()
    assert place.reconciler.run().restored == [FileKey("manual", NAME)]
    assert place.path("manual").read_bytes() == kept
    assert not place.reconciler.run()


def test_a_code_set_that_was_lost_as_a_whole_is_written_again(
    place: Place, content: dict[str, Any]
) -> None:
    place.publishing.publish(ANA, specs=[content, {**content, "name": "a.one"}])
    shutil.rmtree(place.root)
    assert not place.files.prepare()
    place.reconciler.restore_code()
    assert not place.new_reconciler().run()
    assert place.path("code", "a.one").exists()
    assert place.row("code") is not None


def test_manual_files_fill_a_store_that_was_lost(
    place: Place, tmp_path: Path, engine: Any, clock: Any
) -> None:
    place.register(cron="5 7 * * *")
    with place.database.transaction() as tx:
        ownership.remove_manual(tx, NAME, clock.now())
    place.reconciler.run()
    row = place.row("manual")
    assert row is not None
    assert (row.status, row.cron, row.stored) == ("active", "5 7 * * *", True)


def test_reading_the_store_never_unpauses(place: Place) -> None:
    place.register()
    place.workflows.pause(ANA, NAME)
    (place.root / "index.json").unlink(missing_ok=True)
    place.new_reconciler().run()
    text = place.path("manual").read_bytes().replace(b'description: ""', b"description: edited")
    place.write("manual", text)
    place.reconciler.run()
    row = place.row("manual")
    assert row is not None
    assert (row.status, row.description) == ("paused", "edited")


def test_a_registration_whose_file_was_not_written_wins_over_the_old_file(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.register()
    with monkeypatch.context() as crash:
        crash.setattr(place.workflows, "write_files", lambda: None)
        place.register(cron="5 7 * * *", force=True)
    place.reconciler.run()
    row = place.row("manual")
    assert row is not None
    assert (row.cron, row.stored) == ("5 7 * * *", True)
    assert b"5 7 * * *" in place.path("manual").read_bytes()
    assert not place.reconciler.run()


def test_a_store_that_cannot_be_read_changes_nothing(place: Place, content: dict[str, Any]) -> None:
    place.write("code", yaml_of(content))
    place.reconciler.run()
    (place.root / "code").unlink()
    with pytest.raises(ServerError):
        place.reconciler.run()
    assert place.row("code") is not None


def test_a_file_that_moves_on_after_the_scan_is_left_to_the_next_pass(
    place: Place, content: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    place.write("code", yaml_of(content))
    scanned = place.files.scan()
    place.path("code").unlink()
    with monkeypatch.context() as earlier:
        earlier.setattr(place.files, "scan", lambda: scanned)
        assert not place.reconciler.run()
    assert place.row("code") is None


def test_a_file_that_goes_after_it_was_read_brings_nothing_into_force(
    place: Place, content: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    place.write("code", yaml_of(content))
    rows = place.reconciler._rows

    def rows_while_the_file_goes() -> Any:
        place.path("code").unlink()
        return rows()

    monkeypatch.setattr(place.reconciler, "_rows", rows_while_the_file_goes)
    assert not place.reconciler.run()
    assert place.row("code") is None


def test_a_pass_that_failed_leaves_no_old_reading_behind(
    place: Place, content: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    place.write("code", yaml_of(content, description="first"))
    with monkeypatch.context() as outage:
        outage.setattr(place.database, "read", lambda: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            place.reconciler.run()
    place.write("code", yaml_of(content, description="second"))
    place.reconciler.run()
    row = place.row("code")
    assert row is not None
    assert row.description == "second"


def test_the_loop_tries_again_after_a_failure_and_ends_when_asked() -> None:
    class Flaky:
        passes = 0

        def run(self) -> None:
            self.passes += 1
            if self.passes == 1:
                raise RuntimeError("once")

    from threading import Event

    flaky, done = Flaky(), Event()
    loop = ReconcileLoop(flaky, 3600)  # type: ignore[arg-type]
    loop.start(done.set)
    assert done.wait(10)
    assert flaky.passes == 2
    loop.stop()
